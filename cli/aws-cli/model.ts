/**
 * The parameters of EC2's CopySnapshot, in the order of the API's model, from which the AWS command line makes its
 * options, its checks and its skeletons: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
 */

export type Shape = StringShape | BooleanShape | IntegerShape | ListShape | StructureShape;

interface StringShape {
  readonly type: 'string';
  /** What the skeleton shows, where EC2 takes some words only. */
  readonly sample?: string;
}
interface BooleanShape {
  readonly type: 'boolean';
}
interface IntegerShape {
  readonly type: 'integer';
  readonly least?: number;
}
interface ListShape {
  readonly type: 'list';
  readonly member: Shape;
}
export interface StructureShape {
  readonly type: 'structure';
  readonly members: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

/** A value before it is known to fit: from JSON, from shorthand, or the bytes of a file. */
export type ParamValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly ParamValue[]
  | { readonly [key: string]: ParamValue };

const TAGS: Shape = {
  type: 'list',
  member: { type: 'structure', members: { Key: { type: 'string' }, Value: { type: 'string' } } },
};

export const INPUT: StructureShape = {
  type: 'structure',
  required: ['SourceRegion', 'SourceSnapshotId'],
  members: {
    Description: { type: 'string' },
    DestinationOutpostArn: { type: 'string' },
    DestinationRegion: { type: 'string' },
    Encrypted: { type: 'boolean' },
    KmsKeyId: { type: 'string' },
    PresignedUrl: { type: 'string' },
    SourceRegion: { type: 'string' },
    SourceSnapshotId: { type: 'string' },
    TagSpecifications: {
      type: 'list',
      member: {
        type: 'structure',
        members: { ResourceType: { type: 'string', sample: 'snapshot' }, Tags: TAGS },
      },
    },
    CompletionDurationMinutes: { type: 'integer', least: 1 },
    DestinationAvailabilityZone: { type: 'string' },
    DryRun: { type: 'boolean' },
  },
};

export const OUTPUT: StructureShape = {
  type: 'structure',
  members: { Tags: TAGS, SnapshotId: { type: 'string' } },
};

/** `SourceSnapshotId` as an option: `--source-snapshot-id`. */
export function optionOf(parameter: string): string {
  return `-${parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function isStructure(value: ParamValue): value is { readonly [key: string]: ParamValue } {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array);
}

/** `Array.isArray` does not tell readonly arrays from objects. */
export function isList(value: ParamValue): value is readonly ParamValue[] {
  return Array.isArray(value);
}
