/** The tags that the service writes, each a promise to users: names are never reused for something else. */
export const COPIER_TAG = {
  /** On a copy: the name of the install that made it (`<service>-<stage>`). Any value marks a copy of this product. */
  managed: 'snapshot-copier:managed',
  sourceSnapshot: 'snapshot-copier:source-snapshot',
  /** EC2 gives a copy an arbitrary volume id, so this is the only trace of the real one. */
  sourceVolume: 'snapshot-copier:source-volume',
  sourceRegion: 'snapshot-copier:source-region',
  sourceAccount: 'snapshot-copier:source-account',
  /** ISO 8601; the age of the data. A copy's own StartTime is that of the copying. */
  sourceStartTime: 'snapshot-copier:source-start-time',
  rule: 'snapshot-copier:rule',
  /** Of type `CopyTagState`. */
  state: 'snapshot-copier:state',
} as const;

/**
 * `copying` from the first moment; `copied` when it is complete; `failed` when it was given up: such a copy is being
 * removed and must not be taken for a good one, even if EC2 still completes it.
 */
export type CopyTagState = 'copying' | 'copied' | 'failed';

/** On the source snapshot: the id of its copy at a destination. In another account only through the companion's role. */
export function copiedToTag(destinationId: string): string {
  return `snapshot-copier:copied-to:${destinationId}`;
}
