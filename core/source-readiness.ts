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

/** EC2 may leave out what is new for so long: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html */
const NEW_FOR_SECONDS = 900;
const NEW_HIDDEN_AT_MOST_SECONDS = 300;
/** What EC2 has shown for long it does not lose from sight; a slot is kept for as long as is asked again. */
const OLD_HIDDEN_AT_MOST_SECONDS = 60;

/**
 * What to do about a source that was there when it was selected, and that EC2 does not show now.
 *
 * @param begun when the source was begun
 */
export function decideWithoutSource(
  begun: Date,
  lookingSince: Date,
  now: Date,
): { readonly action: 'askAgain' | 'skip'; readonly reason: string } {
  const isNew = secondsBetween(begun, now) < NEW_FOR_SECONDS;
  const patience = isNew ? NEW_HIDDEN_AT_MOST_SECONDS : OLD_HIDDEN_AT_MOST_SECONDS;
  return secondsBetween(lookingSince, now) < patience
    ? { action: 'askAgain', reason: 'EC2 does not show the source now' }
    : { action: 'skip', reason: 'source gone: it was deleted before its copy began' };
}

function secondsBetween(earlier: Date, later: Date): number {
  return (later.getTime() - earlier.getTime()) / 1000;
}
