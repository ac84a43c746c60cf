import { isGivenUp } from './existing-copies.ts';
import type { Snapshot } from './snapshot.ts';
import { decideWithoutSource } from './source-readiness.ts';
import { waitSeconds } from './wait-schedule.ts';

/** What PrepareSource reports, kept at `$.prepared` of the execution; the choice state IsSourceReady reads `action`. */
export interface PreparedSource {
  /**
   * `wait`: look again after `waitSeconds`. `ready`: `copyFrom` can be copied, or the copy is there already. `skip`: there
   * is nothing left to copy.
   */
  readonly action: 'wait' | 'ready' | 'skip';
  readonly waitSeconds: number;
  /** Why, in one sentence. */
  readonly reason: string;
  /** The source, or its intermediate copy. */
  readonly copyFrom?: string;
  /** ISO 8601: since when what is to be copied is shared, as far as this execution knows. */
  readonly sharedSince?: string;
  /** ISO 8601: since when EC2 does not show the source to its owner. */
  readonly missingSince?: string;
  /** The intermediate copy that this execution began, and when, ISO 8601. */
  readonly begun?: { readonly copyId: string; readonly at: string };
}

/** What to do before the source can be copied from the account of the install. */
export type SourceStep =
  | { readonly action: 'skip'; readonly reason: string }
  /** What EC2 says of the source may be old. */
  | {
      readonly action: 'askAgain';
      readonly waitSeconds: number;
      readonly reason: string;
      readonly missingSince?: string;
    }
  /** Nothing helps: somebody has to act. */
  | { readonly action: 'refuse'; readonly reason: string }
  | { readonly action: 'share'; readonly snapshot: Snapshot; readonly reason: string }
  | { readonly action: 'wait'; readonly waitSeconds: number; readonly reason: string }
  /** Say on the source that this execution makes the intermediate copy, and look again. */
  | { readonly action: 'announce'; readonly waitSeconds: number; readonly reason: string }
  | { readonly action: 'copyUnderShareableKey'; readonly reason: string }
  /** The intermediate copy ended in `error`: it is to be removed, and somebody told. */
  | { readonly action: 'giveUpIntermediate'; readonly snapshot: Snapshot; readonly reason: string };

export interface SourceSeen {
  /** As its owner sees it; undefined if EC2 does not show it. */
  readonly source: Snapshot | undefined;
  /** Whose key it is under; undefined if it is plain. */
  readonly keyManager: 'AWS' | 'CUSTOMER' | undefined;
  /** Its intermediate copies. */
  readonly intermediates: readonly Snapshot[];
}

/** Who makes the intermediate copy, as the tag on the source says. */
interface Announcement {
  readonly execution: string;
  readonly at: Date;
}

/**
 * Longer than a function may run (45 s), so that whoever read the tag before this one was written has written its own by
 * then: of several executions the last to write makes the copy.
 */
const ANNOUNCED_FOR_SECONDS = 60;
/** Whoever announced it may have died. The copy itself is seen at once. */
const ANNOUNCEMENT_LASTS_SECONDS = 30 * 60;
/** EC2 may leave out what is new for so long: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html */
const NEW_HIDDEN_AT_MOST_SECONDS = 300;
/** A share that is not there yet, or a Region without a free slot. */
const SHORT_WAIT_SECONDS = 15;
const BUSY_WAIT_SECONDS = 5 * 60;

/**
 * What to do about the source of a copy whose owner has the companion. A snapshot under `aws/ebs` cannot be shared, which is
 * recognised before anything is tried: https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 *
 * @param begun the intermediate copy, and `missingSince`: as this execution reported it
 * @param announced the value of `announcementTag` on the source
 * @param taken when the source was begun
 */
export function decideSourceStep(
  { source, keyManager, intermediates }: SourceSeen,
  {
    reencrypt,
    execution,
    announced,
    begun,
    missingSince,
    taken,
  }: {
    readonly reencrypt: boolean;
    readonly execution: string;
    readonly announced: string | undefined;
    readonly begun: PreparedSource['begun'];
    readonly missingSince: string | undefined;
    readonly taken: Date;
  },
  now: Date,
  deadline: Date,
): SourceStep {
  if (source === undefined) {
    const since = missingSince ?? now.toISOString();
    const { action, reason } = decideWithoutSource(taken, new Date(since), now);
    return action === 'skip'
      ? { action, reason }
      : { action, waitSeconds: SHORT_WAIT_SECONDS, reason, missingSince: since };
  }
  // An event said that it is complete, so this is an old answer; until the deadline, when somebody is told.
  if (source.state === 'pending') {
    const seconds = waitSeconds(secondsBetween(taken, now), secondsBetween(now, deadline));
    return { action: 'askAgain', waitSeconds: seconds, reason: 'EC2 still shows the source as pending' };
  }
  if (source.state !== 'completed') {
    return { action: 'skip', reason: `source gone: it is ${source.state} in its own account` };
  }
  if (source.storageTier === 'archive')
    return { action: 'skip', reason: 'source gone: it was archived before its copy began' };
  if (keyManager !== 'AWS') return { action: 'share', snapshot: source, reason: 'it can be shared' };
  if (!reencrypt) {
    return {
      action: 'refuse',
      reason: 'it is under aws/ebs, the key that AWS manages, which serves its own account alone',
    };
  }

  const usable = intermediates.filter((each) => !isGivenUp(each));
  const complete = usable
    .filter(({ state }) => state === 'completed')
    .toSorted(byAge)
    .at(0);
  if (complete !== undefined)
    return { action: 'share', snapshot: complete, reason: 'its intermediate copy is complete' };
  const pending = usable
    .filter(({ state }) => state === 'pending')
    .toSorted(byAge)
    .at(0);
  if (pending !== undefined) {
    const elapsed = secondsBetween(new Date(pending.startTime), now);
    return {
      action: 'wait',
      waitSeconds: waitSeconds(elapsed, secondsBetween(now, deadline)),
      reason: `its intermediate copy ${pending.snapshotId} is pending (${pending.progressPercent} %)`,
    };
  }
  const failed = usable.find(({ state }) => state === 'error');
  if (failed !== undefined) {
    const reason = failed.stateMessage ?? 'EC2 gave no reason';
    return { action: 'giveUpIntermediate', snapshot: failed, reason };
  }
  if (begun !== undefined && secondsBetween(new Date(begun.at), now) < NEW_HIDDEN_AT_MOST_SECONDS) {
    return {
      action: 'wait',
      waitSeconds: SHORT_WAIT_SECONDS,
      reason: `EC2 does not show its intermediate copy ${begun.copyId} yet`,
    };
  }
  return decideWhoCopies(readAnnouncement(announced), execution, now);
}

/** Two executions, of two destinations, must not both make the intermediate copy, and EC2 has no token against that. */
function decideWhoCopies(announced: Announcement | undefined, execution: string, now: Date): SourceStep {
  const seconds = announced === undefined ? Number.POSITIVE_INFINITY : secondsBetween(announced.at, now);
  if (announced?.execution === execution && seconds < ANNOUNCEMENT_LASTS_SECONDS) {
    const left = ANNOUNCED_FOR_SECONDS - seconds;
    if (left <= 0) return { action: 'copyUnderShareableKey', reason: 'nobody else makes its intermediate copy' };
    return {
      action: 'wait',
      waitSeconds: Math.ceil(left),
      reason: 'somebody else may want to make its intermediate copy',
    };
  }
  if (announced !== undefined && seconds < ANNOUNCEMENT_LASTS_SECONDS) {
    return {
      action: 'wait',
      waitSeconds: ANNOUNCED_FOR_SECONDS,
      reason: `${announced.execution} makes its intermediate copy`,
    };
  }
  return { action: 'announce', waitSeconds: ANNOUNCED_FOR_SECONDS, reason: 'it needs an intermediate copy' };
}

/** The value of `announcementTag`. */
export function writeAnnouncement(execution: string, now: Date): string {
  return `${execution} ${now.toISOString()}`;
}

function readAnnouncement(text: string | undefined): Announcement | undefined {
  const [execution = '', time = ''] = (text ?? '').split(' ');
  const at = new Date(time);
  return execution === '' || Number.isNaN(at.getTime()) ? undefined : { execution, at };
}

/** Whose the announcement on a source is; undefined if there is none. */
export function announcedBy(text: string | undefined): string | undefined {
  return readAnnouncement(text)?.execution;
}

/** EC2 has no slot for the intermediate copy, in the source account's Region. */
export function waitForSlot(): Pick<PreparedSource, 'action' | 'waitSeconds' | 'reason'> {
  return {
    action: 'wait',
    waitSeconds: BUSY_WAIT_SECONDS,
    reason: 'EC2 has no free slot for its intermediate copy in the source account',
  };
}

/** EC2 has shown what is to be shared, and does not show it now. */
export function waitForSight(snapshotId: string): PreparedSource {
  const reason = `EC2 does not show ${snapshotId} now`;
  return { action: 'wait', waitSeconds: SHORT_WAIT_SECONDS, reason };
}

/** A share is seen within 90 s; what takes ten times as long does not come. */
const HIDDEN_AT_MOST_SECONDS = 15 * 60;

/** What to do about a snapshot that is shared, and that this account sees or not. */
export function decideVisibility(
  copyFrom: string,
  isSeen: boolean,
  sharedSince: Date,
  now: Date,
): PreparedSource | { readonly action: 'hidden'; readonly reason: string } {
  const since = { copyFrom, sharedSince: sharedSince.toISOString() };
  if (isSeen) return { action: 'ready', waitSeconds: 0, reason: `${copyFrom} is shared and visible`, ...since };
  if (secondsBetween(sharedSince, now) >= HIDDEN_AT_MOST_SECONDS) {
    const reason = `${copyFrom} is shared since ${sharedSince.toISOString()}, and EC2 does not show it to this account`;
    return { action: 'hidden', reason };
  }
  return {
    action: 'wait',
    waitSeconds: SHORT_WAIT_SECONDS,
    reason: `the share of ${copyFrom} has no effect yet`,
    ...since,
  };
}

/** The one that every execution finds first. */
function byAge(a: Snapshot, b: Snapshot): number {
  return Date.parse(a.startTime) - Date.parse(b.startTime) || (a.snapshotId < b.snapshotId ? -1 : 1);
}

function secondsBetween(earlier: Date, later: Date): number {
  return (later.getTime() - earlier.getTime()) / 1000;
}
