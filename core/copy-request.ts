import type { Destination } from './destination.ts';
import type { CopyRule } from './rules.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The input of one execution of the state machine: copy this snapshot to this destination. It holds nothing that
 * differs between two deliveries of the same event, because Step Functions takes a repeated StartExecution as the
 * same one only if name and input are equal:
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export interface CopyRequest {
  /** Name of the rule that asks for the copy. */
  readonly rule: string;
  readonly dryRun: boolean;
  readonly source: CopySource;
  readonly destination: Destination;
}

/** What a copy must know of its source, written down when the source was selected. */
export interface CopySource {
  readonly snapshotId: string;
  readonly region: string;
  readonly ownerId: string;
  readonly volumeId: string;
  /** ISO 8601: when the data were taken. */
  readonly startTime: string;
  readonly sizeGiB: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Its owner has the companion, and the rule may say to copy it under a shareable key there first. */
  readonly companion?: { readonly reencrypt: boolean };
}

/** The request for one copy. Equal sources and rules give equal requests, to the letter. */
export function copyRequest(source: Snapshot, rule: CopyRule, destination: Destination): CopyRequest {
  const { snapshotId, region, ownerId, volumeId, startTime, sizeGiB, encrypted, kmsKeyId, description, tags } = source;
  return {
    rule: rule.name,
    dryRun: rule.dryRun,
    source: {
      snapshotId,
      region,
      ownerId,
      volumeId,
      startTime,
      sizeGiB,
      encrypted,
      ...(kmsKeyId !== undefined && { kmsKeyId }),
      description,
      // EC2 gives tags in no particular order.
      tags: Object.fromEntries(Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1))),
      ...(source.viewedByOwner === true && { companion: { reencrypt: rule.reencrypt === true } }),
    },
    destination,
  };
}
