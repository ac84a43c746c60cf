import { attemptOf, type CopyCount, type Refusal, type RequestAttempt } from './admission-state.ts';
import type { RunningRequest, WaitingRequest } from './ledger-request.ts';
import { isArbitraryVolume } from './volume-of-copy.ts';

/** What is to be done about one request that waits, and why. */
interface Admission {
  readonly action: 'start' | 'hold';
  readonly request: WaitingRequest;
  readonly reason: string;
}

export interface AdmissionDecision {
  /** One for each request that was looked at, in the order of the queue. */
  readonly admissions: readonly Admission[];
  /** Whether a slot is left, so that a request further back in the queue may have it. */
  readonly slotLeft: boolean;
  /** Whether a request is held back, or starts, for reasons that a new count of the slots could change. */
  readonly dependsOnCount: boolean;
}

/** All that admission knows of one destination Region. */
export interface RegionView {
  /** Requests that have an execution, or are about to get one. */
  readonly running: readonly RunningRequest[];
  /** Those among them whose copies are over. */
  readonly ended: readonly RequestAttempt[];
  readonly count: CopyCount;
  readonly refusal?: Refusal;
  /** The most slots that any rule gives to the Region, for requests that were not read yet. */
  readonly mostSlots: number;
}

/** After a refusal one more slot is tried so often, for whoever has taken the others may not show. */
const PROBE_EVERY_SECONDS = 300;

/** How many slots are taken, as far as is known. */
export function slotsTaken({ running, ended, count }: Omit<RegionView, 'refusal' | 'mostSlots'>): number {
  return stillCopying(running, ended).length + count.others;
}

/** How many slots the refusal leaves to believe in; undefined if it says nothing any more. */
export function believedSlots(refusal: Refusal | undefined, now: Date): number | undefined {
  if (refusal === undefined) return undefined;
  return refusal.taken + Math.max(0, Math.floor((now.getTime() - Date.parse(refusal.at)) / 1000 / PROBE_EVERY_SECONDS));
}

/**
 * A refusal, after what is pending was counted anew. EC2 refuses when others have taken slots since the count before, so
 * if more are taken now than were known of then, there are that many at least.
 */
export function afterCount(refusal: Refusal, taken: number): Refusal {
  return { ...refusal, taken: Math.max(refusal.taken, taken) };
}

/**
 * Who starts: the oldest source snapshot first; never two copies of one volume to one destination at a time, for a copy
 * is incremental only to a finished one; never more than there are slots.
 *
 * @param waiting the queue from its head, oldest source snapshot first; all of it, or as far as it was read.
 */
export function decideAdmission(view: RegionView, waiting: readonly WaitingRequest[], now: Date): AdmissionDecision {
  const copying = stillCopying(view.running, view.ended);
  const believed = believedSlots(view.refusal, now);
  const others = view.count.others;
  let own = copying.length;

  const busy = new Map<string, Holder>([
    ...view.count.volumes.map(({ volumeId, destination, snapshotId }): [string, Holder] => [
      lineage(volumeId, destination),
      { copy: 'another copy of it', isOther: true, ...(snapshotId !== undefined && { leftOf: snapshotId }) },
    ]),
    ...copying.map(({ volumeId, destination, snapshotId }): [string, Holder] => [
      lineage(volumeId, destination),
      { copy: `the copy of ${snapshotId}`, isOther: false },
    ]),
  ]);
  const ahead = new Map<string, string>();
  let dependsOnCount = false;

  const admissions = waiting.map((request): Admission => {
    const { volumeId, destination, snapshotId, slots } = request;
    const line = lineage(volumeId, destination);
    const limit = Math.min(slots, believed ?? slots);
    const holder = hasLineage(volumeId) ? busy.get(line) : undefined;
    const older = hasLineage(volumeId) ? ahead.get(line) : undefined;
    if (holder?.isOther === true) dependsOnCount = true;
    if (holder !== undefined && holder.leftOf !== snapshotId)
      return hold(request, `${holder.copy} from ${volumeId} to ${destination} is under way`, ahead, line);
    if (older !== undefined)
      return hold(request, `${older} of the same volume, ${volumeId}, is older and waits as well`, ahead, line);
    dependsOnCount = true;
    if (own + others >= limit) {
      const believes = limit < slots ? `, of ${slots}, since EC2 refused a copy` : '';
      return hold(
        request,
        `all ${limit} slots${believes} are taken: ${own} by copies of ours, ${others} by others`,
        ahead,
        line,
      );
    }
    own += 1;
    busy.set(line, { copy: `the copy of ${snapshotId}`, isOther: false });
    return { action: 'start', request, reason: `it is the oldest that may start, as slot ${own + others} of ${limit}` };
  });
  const most = waiting.reduce((more, { slots }) => Math.max(more, slots), view.mostSlots);
  return { admissions, slotLeft: own + others < Math.min(most, believed ?? most), dependsOnCount };
}

/** The copy that has a volume for the time being. */
interface Holder {
  /** In words. */
  readonly copy: string;
  /** No request of ours stands for it, so only a new count tells of its end. */
  readonly isOther: boolean;
  /** The source of a copy that an execution of ours left behind when it was stopped: a request for it adopts the copy. */
  readonly leftOf?: string;
}

function hold(request: WaitingRequest, reason: string, ahead: Map<string, string>, line: string): Admission {
  if (!ahead.has(line)) ahead.set(line, request.snapshotId);
  return { action: 'hold', request, reason };
}

function stillCopying(running: readonly RunningRequest[], ended: readonly RequestAttempt[]): readonly RunningRequest[] {
  const over = new Set(ended.map(attemptOf));
  return running.filter((request) => !over.has(attemptOf(request)));
}

function lineage(volumeId: string, destination: string): string {
  return `${volumeId}#${destination}`;
}

/** A source that is a copy itself has a volume id that says nothing (`vol-ffffffff`): such sources are no lineage. */
function hasLineage(volumeId: string): boolean {
  return !isArbitraryVolume(volumeId);
}
