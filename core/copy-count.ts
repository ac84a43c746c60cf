import type { CopyCount, OtherCopy, RequestAttempt } from './admission-state.ts';
import { COPIER_TAG } from './copier-tags.ts';
import { destinationId } from './destination.ts';
import { isGivenUp } from './existing-copies.ts';
import { itemOf, type RunningRequest } from './ledger-request.ts';
import type { Snapshot } from './snapshot.ts';
import { isArbitraryVolume } from './volume-of-copy.ts';

/**
 * How old a count may be while requests wait for a slot. With 20 slots and copies of 16 minutes on average
 * (`npm run bench`) one ends every 49 seconds: at this age the next one is likely, and the calls stay below 1.5 a copy.
 */
const LASTS_SECONDS = 40;

/** The same while slots are free, and all that wait do so for a copy of their own volume, whose execution looks after it. */
const LASTS_FOR_VOLUMES_SECONDS = 90;

/** EC2 may leave a new snapshot out of its listings so long: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html */
const HIDDEN_AT_MOST_SECONDS = 300;

/** Seconds until pending copies are to be counted again; 0 if they are due now. */
export function secondsUntilCount(count: CopyCount | undefined, slotsMatter: boolean, now: Date): number {
  if (count === undefined) return 0;
  const age = (now.getTime() - Date.parse(count.at)) / 1000;
  // A count from the future is one of a clock that went wrong.
  return age < 0 ? 0 : Math.max(0, (slotsMatter ? LASTS_SECONDS : LASTS_FOR_VOLUMES_SECONDS) - age);
}

/** Before the first count. */
export const NOT_COUNTED: CopyCount = { at: new Date(0).toISOString(), others: 0, volumes: [] };

export interface Counted {
  readonly count: CopyCount;
  /** Requests that run, but whose copies are pending no more. */
  readonly ended: readonly RequestAttempt[];
}

/**
 * Compares what is pending in a Region with the requests that run there.
 *
 * @param pending everything of this account that is pending in the Region, snapshots of volumes too
 */
export function countCopies(
  pending: readonly Snapshot[],
  running: readonly RunningRequest[],
  installName: string,
  now: Date,
): Counted {
  const ours = new Map(running.map((request) => [itemOf(request), request]));
  const byCopy = new Map(
    running.flatMap((request) => (request.copyId === undefined ? [] : [[request.copyId, request]])),
  );
  const isPending = new Set<RunningRequest>();
  const others: Snapshot[] = [];
  for (const copy of pending.filter(isCopy)) {
    const tagged = isMarked(copy, installName) ? ours.get(taggedItem(copy)) : undefined;
    const request = byCopy.get(copy.snapshotId) ?? (tagged?.copyId === undefined ? tagged : undefined);
    if (request === undefined || isPending.has(request)) others.push(copy);
    else isPending.add(request);
  }
  const volumes = others.flatMap((copy): OtherCopy[] => {
    const volumeId = copy.tags[COPIER_TAG.sourceVolume];
    if (volumeId === undefined) return [];
    const snapshotId = isMarked(copy, installName) ? copy.tags[COPIER_TAG.sourceSnapshot] : undefined;
    return [{ volumeId, destination: placeOf(copy), ...(snapshotId !== undefined && { snapshotId }) }];
  });
  return {
    count: { at: now.toISOString(), others: others.length, volumes },
    ended: running
      .filter((request) => !isPending.has(request) && mustShow(request, now))
      .map(({ region, destination, snapshotId, attempt }) => ({ region, destination, snapshotId, attempt })),
  };
}

/** Only copies take slots. */
export function isCopy({ volumeId, tags }: Snapshot): boolean {
  return isArbitraryVolume(volumeId) || tags[COPIER_TAG.managed] !== undefined;
}

/** By this install, and not as given up: such a copy has the tags of its request too, but a slot of its own. */
function isMarked(copy: Snapshot, installName: string): boolean {
  return copy.tags[COPIER_TAG.managed] === installName && !isGivenUp(copy);
}

function taggedItem(copy: Snapshot): string {
  return itemOf({ destination: placeOf(copy), snapshotId: copy.tags[COPIER_TAG.sourceSnapshot] ?? '' });
}

/** See `destinationId`. */
export function placeOf({ region, outpostArn, localZone }: Snapshot): string {
  return destinationId({
    region,
    ...(outpostArn !== undefined && { outpost: outpostArn }),
    ...(localZone !== undefined && { localZone }),
  });
}

/** A copy that began just now may be missing from the listing although it is pending; its execution will tell its end. */
function mustShow({ copyId, copyBegunAt }: RunningRequest, now: Date): boolean {
  if (copyId === undefined || copyBegunAt === undefined) return false;
  return now.getTime() - Date.parse(copyBegunAt) >= HIDDEN_AT_MOST_SECONDS * 1000;
}
