import type { SnapshotState } from './snapshot.ts';

/**
 * What StartCopy and CheckCopy report, kept at `$.copy` of the execution; the choice state WhatNext reads `action`.
 * A failure that EC2 reports of a copy is not thrown but returned here, because it is an answer, not trouble.
 */
export interface CopyProgress {
  /** Absent only after a dry run, or if the source was gone. */
  readonly copyId?: string;
  readonly state?: SnapshotState;
  readonly progressPercent: number;
  /** ISO 8601: when EC2 says the copy began. */
  readonly copyStartTime?: string;
  /** ISO 8601: since which look EC2 does not show the copy; absent if it does. */
  readonly missingSince?: string;
  /** Key ARN of the copy. */
  readonly kmsKeyId?: string;
  /** The copy was found by its tags, not begun by this execution. */
  readonly adopted: boolean;
  /** The newest complete copy of the same volume there when this one began; absent if there was none. */
  readonly basis?: CopyBasis;
  /** `wait`: look again after `waitSeconds`. `tag`: complete. `reportDryRun`, `skip`: nothing to wait for. `giveUp`: see `failure`. */
  readonly action: 'wait' | 'tag' | 'reportDryRun' | 'skip' | 'giveUp';
  readonly waitSeconds: number;
  /** Why this action, in one sentence. */
  readonly reason: string;
  /** Only with `giveUp`. */
  readonly failure?: CopyFailure;
}

/** What a copy can be incremental to, see `isExpectedFull`. */
export interface CopyBasis {
  readonly copyId: string;
  readonly kmsKeyId?: string;
}

/** Why a copy was given up: a word for filters and code, and a text for people, EC2's own where there is one. */
export interface CopyFailure {
  readonly name: CopyFailureName;
  readonly message: string;
}

type CopyFailureName =
  /** EC2 ended the copy in state `error`; the message is its StateMessage. */
  | 'CopyEndedInError'
  /** The copy was deleted, or moved to the recycle bin, by somebody else. */
  | 'CopyDisappeared'
  /** Still pending at the deadline of the destination. */
  | 'DeadlinePassed';

/** What RemoveFailedCopy did, kept at `$.removal`. */
export interface Removal {
  readonly outcome: 'removed' | 'nothingToRemove' | 'keptComplete' | 'notOurs' | 'couldNotRemove';
  readonly copyId?: string;
  /** One sentence for the alert. */
  readonly detail: string;
}
