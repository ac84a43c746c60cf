import type { AdmissionState } from '../admission-state.ts';
import { NO_ADMISSION_YET } from '../admission-state.ts';
import type { RunningRequest, WaitingRequest } from '../ledger-request.ts';
import { destinationRegions } from '../rule-destinations.ts';
import type { CopyRule } from '../rules.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Pace, pacesOf, type SucceededExecution } from './copy-pace.ts';
import { statusOfRegion } from './region-status.ts';

/** What was seen at one moment. */
export interface Look {
  readonly at: Date;
  /** Oldest source snapshot first. */
  readonly waiting: readonly WaitingRequest[];
  readonly running: readonly RunningRequest[];
  /** By name; each that the rules or the requests have. */
  readonly regions: ReadonlyMap<string, RegionSight>;
  /** Executions that ended well lately. */
  readonly succeeded: readonly SucceededExecution[];
}

export interface RegionSight {
  /** What admission remembered last. */
  readonly admission: AdmissionState;
  /** Everything of this account that is pending there; absent if EC2 could not be asked. */
  readonly pending?: readonly Snapshot[];
}

/** All times are ISO 8601; null = not known. */
export interface Status {
  readonly at: string;
  readonly destinations: readonly DestinationStatus[];
  readonly running: readonly RunningStatus[];
  /** In the order of the queue of each Region. */
  readonly waiting: readonly WaitingStatus[];
}

export interface DestinationStatus {
  /** See `destinationId`. */
  readonly destination: string;
  readonly region: string;
  /** False if no rule copies there any more. */
  readonly isInRules: boolean;
  readonly waiting: number;
  readonly running: number;
  /** Since when the one waits that waits longest. */
  readonly oldestWaitingSince: string | null;
  readonly slots: SlotStatus;
  /** When the last one that waits now is expected to be copied. */
  readonly emptyAt: string | null;
  /** How long copies take: what `emptyAt` and the other expectations rest on. */
  readonly pace: Pace | null;
}

/** Slots are the Region's: its destinations share them. */
export interface SlotStatus {
  readonly ours: number;
  /** Taken by others of the account. */
  readonly others: number;
  /** How many EC2 is believed to have, after it refused a copy; null if it has not lately. */
  readonly believed: number | null;
  /** The most that a rule gives. */
  readonly ofRules: number;
  /** When that was counted; `at` if EC2 was asked now. */
  readonly countedAt: string | null;
}

export interface RunningStatus {
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly destination: string;
  readonly region: string;
  readonly execution: string;
  /**
   * `starting`: there is no copy yet. `copying`: EC2 shows it as pending, or could not be asked. `unseen`: EC2 does not show
   * it as pending, so it has begun just now, or it is over. `finishing`: it is over, and its execution has not noticed yet.
   */
  readonly stage: 'starting' | 'copying' | 'unseen' | 'finishing';
  readonly copyId: string | null;
  readonly sizeGiB: number | null;
  /** EC2's own. */
  readonly progressPercent: number | null;
  readonly begunAt: string;
  readonly expectedEnd: string | null;
  /** What `expectedEnd` rests on: EC2's progress so far, or how long others took. */
  readonly basis: 'progress' | 'pace' | null;
}

export interface WaitingStatus {
  /** From 1, in the queue of its Region. */
  readonly place: number;
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly destination: string;
  readonly region: string;
  readonly sourceStartTime: string;
  readonly waitingSince: string;
  /** Nothing holds it back: admission starts it when it looks next. */
  readonly mayStart: boolean;
  /** Why it is held, or may start. */
  readonly why: string;
  readonly expectedStart: string | null;
  readonly expectedEnd: string | null;
}

/** What waits and what runs, why, and what is to be expected. */
export function statusOf(look: Look, rules: readonly CopyRule[], installName: string): Status {
  const { at, waiting, running, succeeded } = look;
  const paces = pacesOf(succeeded);
  const regions = regionsOf(look, rules).map((region) =>
    statusOfRegion(
      {
        region,
        at,
        ...(look.regions.get(region) ?? { admission: NO_ADMISSION_YET }),
        waiting: waiting.filter((request) => request.region === region),
        running: running.filter((request) => request.region === region),
        paces,
      },
      rules,
      installName,
    ),
  );
  return {
    at: at.toISOString(),
    destinations: regions.flatMap((each) => each.destinations),
    running: regions.flatMap((each) => each.running),
    waiting: regions.flatMap((each) => each.waiting),
  };
}

/** The Regions of the rules, and those where something waits or runs although no rule copies there any more. */
export function regionsOf(
  { waiting, running }: Pick<Look, 'waiting' | 'running'>,
  rules: readonly CopyRule[],
): readonly string[] {
  const all = [...destinationRegions(rules), ...[...waiting, ...running].map(({ region }) => region)];
  return [...new Set(all)].toSorted();
}
