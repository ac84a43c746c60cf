import type { Snapshot } from './snapshot.ts';

/**
 * A share needs up to 90 s to take effect and EC2's answers may lag behind its events. Lambda delivers an event again
 * after 1 and after 2 more minutes, so the third look comes about 180 s after the event; it is the last one.
 */
const PATIENCE_SECONDS = 150;

/** What to do about a source snapshot that an event has named. */
export type SourceReadiness =
  | { readonly action: 'select'; readonly source: Snapshot }
  | { readonly action: 'askAgain'; readonly reason: string }
  | { readonly action: 'tellNotVisible' };

/** @param source undefined if this account cannot see it. */
export function decideAboutSource(source: Snapshot | undefined, eventTime: Date, now: Date): SourceReadiness {
  const patient = now.getTime() - eventTime.getTime() < PATIENCE_SECONDS * 1000;
  if (source === undefined) {
    return patient ? { action: 'askAgain', reason: 'not visible to this account yet' } : { action: 'tellNotVisible' };
  }
  // The event says complete, so this is an old answer, or a share of a snapshot in the making; selection skips it later.
  if (source.state === 'pending' && patient) return { action: 'askAgain', reason: 'EC2 still shows it as pending' };
  return { action: 'select', source };
}
