import * as z from 'zod';
import type { CopySnapshotInput } from '../../core/hand-request.ts';
import { failed } from './aws-cli-problem.ts';
import { INPUT, isList, isStructure, type ParamValue, type Shape } from './model.ts';
import { pythonText, pythonType } from './python-words.ts';
import type { Parameters } from './unpack.ts';

const inputShape = z.object({
  Description: z.string().exactOptional(),
  DestinationOutpostArn: z.string().exactOptional(),
  DestinationRegion: z.string().exactOptional(),
  Encrypted: z.boolean().exactOptional(),
  KmsKeyId: z.string().exactOptional(),
  PresignedUrl: z.string().exactOptional(),
  SourceRegion: z.string(),
  SourceSnapshotId: z.string(),
  TagSpecifications: z
    .array(
      z.object({
        ResourceType: z.string().exactOptional(),
        Tags: z.array(z.object({ Key: z.string().exactOptional(), Value: z.string().exactOptional() })).exactOptional(),
      }),
    )
    .exactOptional(),
  CompletionDurationMinutes: z.number().exactOptional(),
  DestinationAvailabilityZone: z.string().exactOptional(),
  DryRun: z.boolean().exactOptional(),
});

/**
 * The parameters, checked before EC2 is asked, as the AWS command line checks them: names and types only.
 *
 * @throws CliProblem with all that is wrong
 */
export function validInput(parameters: Parameters): CopySnapshotInput {
  const problems = problemsOf(parameters, INPUT, '');
  if (problems.length > 0) throw failed(`Parameter validation failed:\n${problems.join('\n')}`);
  return inputShape.parse(parameters);
}

function problemsOf(value: ParamValue, shape: Shape, path: string): readonly string[] {
  const name = path === '' ? 'input' : path;
  switch (shape.type) {
    case 'string':
      if (typeof value !== 'string') return wrongType(name, value, 'str');
      // JSON can hold one; neither command line can send it.
      return value.isWellFormed() ? [] : [`Invalid value for parameter ${name}: it has half of a character`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrongType(name, value, 'bool');
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(name, value, 'int');
      if (shape.least === undefined || value >= shape.least) return [];
      return [`Invalid value for parameter ${name}, value: ${value}, valid min value: ${shape.least}`];
    case 'list':
      if (!isList(value)) return wrongType(name, value, 'list', 'tuple');
      return value.flatMap((member, index) => problemsOf(member, shape.member, `${path}[${index}]`));
    case 'structure': {
      if (!isStructure(value)) return wrongType(name, value, 'dict');
      const { members, required = [] } = shape;
      const isKnown = (key: string) => Object.hasOwn(members, key);
      return [
        ...required
          .filter((key) => !Object.hasOwn(value, key))
          .map((key) => `Missing required parameter in ${name}: "${key}"`),
        ...Object.keys(value)
          .filter((key) => !isKnown(key))
          .map((key) => `Unknown parameter in ${name}: "${key}", must be one of: ${Object.keys(members).join(', ')}`),
        ...Object.entries(value).flatMap(([key, member]) => {
          const known = isKnown(key) ? members[key] : undefined;
          return known === undefined ? [] : problemsOf(member, known, path === '' ? key : `${path}.${key}`);
        }),
      ];
    }
  }
}

function wrongType(name: string, value: ParamValue, ...valid: readonly string[]): readonly string[] {
  const types = valid.map((type) => `<class '${type}'>`).join(', ');
  return [
    `Invalid type for parameter ${name}, value: ${pythonText(value)}, type: ${pythonType(value)}, valid types: ${types}`,
  ];
}
