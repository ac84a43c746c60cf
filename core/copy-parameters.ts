import { COPIER_TAG } from './copier-tags.ts';
import type { CopyRequest, CopySource } from './copy-request.ts';
import { destinationId } from './destination.ts';

/** What to ask of EC2's CopySnapshot, called in the destination Region. Names and meanings are EC2's. */
export interface CopyParameters {
  readonly sourceRegion: string;
  readonly sourceSnapshotId: string;
  readonly description: string;
  /** Only ever true: a copy cannot be decrypted. */
  readonly encrypted?: true;
  readonly kmsKeyId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly destinationOutpostArn?: string;
  readonly destinationAvailabilityZone?: string;
  readonly completionDurationMinutes?: number;
}

/** The limits of a tag: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html and the EC2 API model. */
const MOST_TAGS = 50;
/** EC2's limit for a snapshot's description. */
const LONGEST_DESCRIPTION = 255;

/**
 * The parameters of the copy, and the source's tags that it will not have, each with the reason.
 *
 * @param copyFrom what EC2 is to copy, if not the source itself: its intermediate copy
 */
export function copyParameters(
  request: CopyRequest,
  installName: string,
  copyFrom: string = request.source.snapshotId,
): { readonly parameters: CopyParameters; readonly droppedTags: readonly string[] } {
  const { source, destination } = request;
  const { tags, dropped } = tagsOfCopy(request, installName);
  return {
    parameters: {
      sourceRegion: source.region,
      sourceSnapshotId: copyFrom,
      description: describeCopy(destination.description, request),
      ...(destination.encryption.kind !== 'as-source' && { encrypted: true }),
      ...(destination.encryption.kind === 'key' && { kmsKeyId: destination.encryption.kmsKey }),
      tags,
      ...(destination.outpost !== undefined && { destinationOutpostArn: destination.outpost }),
      ...(destination.localZone !== undefined && { destinationAvailabilityZone: destination.localZone }),
      ...(destination.completionDurationMinutes !== undefined && {
        completionDurationMinutes: destination.completionDurationMinutes,
      }),
    },
    droppedTags: dropped,
  };
}

/**
 * Fills the placeholders of a rule's description; a brace that is written twice stands for itself. What does not fit into
 * EC2's 255 characters is cut.
 */
export function describeCopy(template: string, request: CopyRequest): string {
  const { source } = request;
  const values = new Map([
    ['snapshotId', source.snapshotId],
    ['sourceRegion', source.region],
    ['sourceAccount', source.ownerId],
    ['volumeId', source.volumeId],
    ['rule', request.rule],
    ['destination', destinationId(request.destination)],
    ['startTime', source.startTime],
    ['description', source.description],
  ]);
  const filled = template.replaceAll(
    /([{}])\1|\{(\w+)\}/g,
    (found, brace: string | undefined, name = '') => brace ?? values.get(name) ?? found,
  );
  // A cut may halve a character of two code units, and half a character cannot be sent.
  return filled
    .trim()
    .slice(0, LONGEST_DESCRIPTION)
    .replace(/[\uD800-\uDBFF]$/, '');
}

/** The template of a description that shall be just this, whatever is in it. */
export function literalDescription(description: string): string {
  return description.replaceAll(/[{}]/g, '$&$&');
}

/**
 * Ours first, then the rule's, then the source's: when 50 are full, the source's last ones are left out.
 * `aws:` tags cannot be written, and the copier's own tags on the source speak of the source, not of this copy.
 */
function tagsOfCopy(
  request: CopyRequest,
  installName: string,
): { readonly tags: Readonly<Record<string, string>>; readonly dropped: readonly string[] } {
  const { source, destination } = request;
  const tags = new Map(Object.entries({ ...ownTags(request, installName), ...destination.tags.add }));
  const dropped: string[] = [];
  for (const [key, value] of wantedSourceTags(source, destination.tags.copy)) {
    if (key.startsWith('aws:')) dropped.push(`${key}: aws: tags cannot be written`);
    else if (key.startsWith('snapshot-copier:')) continue;
    else if (tags.has(key)) dropped.push(`${key}: the rule gives another value`);
    else if (tags.size >= MOST_TAGS) dropped.push(`${key}: EC2 takes ${MOST_TAGS} tags at most`);
    else tags.set(key, value);
  }
  return { tags: Object.fromEntries(tags), dropped };
}

function wantedSourceTags(
  source: CopySource,
  copy: 'all' | 'none' | readonly string[],
): readonly (readonly [string, string])[] {
  if (copy === 'none') return [];
  const all = Object.entries(source.tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return copy === 'all' ? all : all.filter(([key]) => copy.includes(key));
}

function ownTags({ source, rule }: CopyRequest, installName: string): Readonly<Record<string, string>> {
  return {
    [COPIER_TAG.managed]: installName,
    [COPIER_TAG.sourceSnapshot]: source.snapshotId,
    [COPIER_TAG.sourceVolume]: source.volumeId,
    [COPIER_TAG.sourceRegion]: source.region,
    [COPIER_TAG.sourceAccount]: source.ownerId,
    [COPIER_TAG.sourceStartTime]: source.startTime,
    [COPIER_TAG.rule]: rule,
    [COPIER_TAG.state]: 'copying',
  };
}
