import type { Caller } from '../accounts.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Snapshot, TimeBased } from './snapshot.ts';
import type { Ec2World } from './world.ts';

/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html */
const MIB_PER_SECOND_PER_REGION = 2000;
const MIB_PER_SECOND_PER_COPY = 500;
const MIB_PER_GIB = 1024;

/**
 * The plan of a time-based copy, and how long it takes: no longer than asked for, if the Region's throughput allows
 * it. With some throughput left it is accepted and slower; with none left it is refused (the code is unconfirmed). A
 * second time-based copy of a snapshot starts its clock when the first ends.
 * https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html
 */
export function planTimeBased(
  world: Ec2World,
  caller: Caller,
  wanted: {
    readonly minutes: number;
    readonly gib: number;
    readonly sourceSnapshotId: string;
    readonly plainSeconds: number;
  },
): { readonly timeBased: TimeBased; readonly takesSeconds: number } {
  const running = [...world.snapshots.runningCopies(caller)];
  const used = running.reduce((sum, copy) => sum + (copy.copy?.timeBased?.mibPerSecond ?? 0), 0);
  const left = MIB_PER_SECOND_PER_REGION - used;
  if (left <= 0) {
    throw new Ec2Error(
      'ResourceLimitExceeded',
      'The throughput quota for time-based snapshot copies of this Region is used up.',
    );
  }
  const seconds = wanted.minutes * 60;
  const mib = wanted.gib * MIB_PER_GIB;
  const needed = mib / seconds;
  const granted = Math.min(needed, MIB_PER_SECOND_PER_COPY, left);
  const takesSeconds = granted < needed ? mib / granted : Math.min(wanted.plainSeconds, seconds);
  const clockStartsAt = Math.max(world.now, ...running.map((copy) => endsAt(copy, wanted.sourceSnapshotId)));
  return {
    timeBased: {
      minutes: wanted.minutes,
      clockStartsAt,
      dueAt: clockStartsAt + seconds * 1000,
      mibPerSecond: granted,
    },
    takesSeconds,
  };
}

function endsAt({ copy, work }: Snapshot, sourceSnapshotId: string): number {
  const blocks = copy?.timeBased !== undefined && copy.sourceSnapshotId === sourceSnapshotId;
  return blocks ? work.startsAt + work.takesMs : 0;
}
