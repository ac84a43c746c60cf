import type { Snapshot } from '../../core/snapshot.ts';
import { expectedEnd } from '../../core/status/copy-pace.ts';
import { progressBar } from '../progress-bar.ts';
import { duration, gib } from '../words.ts';
import type { Reporter } from './reporter.ts';

const BAR_CELLS = 20;
/** Where each report is a line, this many per copy are enough. */
const STEP_PERCENT = 10;

/** How far a copy is. */
export function sayProgress(reporter: Reporter, copy: Snapshot, now: Date): void {
  const { snapshotId, region, sizeGiB, progressPercent, startTime } = copy;
  const took = duration(now.getTime() - Date.parse(startTime));
  const end = expectedEnd(copy, now);
  const left = end === undefined ? '' : `, about ${duration(end.getTime() - now.getTime())} left`;
  // EC2 may show the size of a new copy only later.
  const size = sizeGiB === 0 ? '' : `, ${gib(sizeGiB)}`;
  reporter.say(
    `${progressBar(progressPercent, BAR_CELLS)}  ${snapshotId} in ${region}${size}, ${took}${left}`,
    `${snapshotId} ${Math.floor(progressPercent / STEP_PERCENT)}`,
  );
}
