import {
  type AdmissionDecision,
  afterCount,
  believedSlots,
  decideAdmission,
  type RegionView,
  slotsTaken,
} from '../admission.ts';
import { attemptOf, stillKnown } from '../admission-state.ts';
import { COPIER_TAG } from '../copier-tags.ts';
import { countCopies, isCopy, NOT_COUNTED, placeOf } from '../copy-count.ts';
import { destinationId } from '../destination.ts';
import { isGivenUp } from '../existing-copies.ts';
import type { RunningRequest, WaitingRequest } from '../ledger-request.ts';
import { destinations, mostSlotsOf } from '../rule-destinations.ts';
import type { CopyRule } from '../rules.ts';
import type { Snapshot } from '../snapshot.ts';
import { expectedEnd, type Pace, paceOfRunning } from './copy-pace.ts';
import { type Forecast, forecast, lineOf, type TakenSlot } from './queue-forecast.ts';
import type { DestinationStatus, RegionSight, RunningStatus, Status, WaitingStatus } from './status.ts';

/** What was seen of one Region. */
export interface RegionLook extends RegionSight {
  readonly region: string;
  readonly at: Date;
  readonly waiting: readonly WaitingRequest[];
  readonly running: readonly RunningRequest[];
  /** Of copies that ended, by destination. */
  readonly paces: ReadonlyMap<string, Pace>;
}

/** A request that runs, and its copy as far as EC2 shows it. */
interface Running {
  readonly request: RunningRequest;
  readonly copy: Snapshot | undefined;
  readonly isOver: boolean;
}

/** What waits and what runs in one Region: as admission sees it when it counts the slots anew. */
export function statusOfRegion(look: RegionLook, rules: readonly CopyRule[], installName: string): Omit<Status, 'at'> {
  const { at, pending = [] } = look;
  const view = viewOf(look, mostSlotsOf(rules, look.region), installName);
  const over = new Set(view.ended.map(attemptOf));
  const running = look.running.map(
    (request): Running => ({
      request,
      copy: copyOf(request, pending, installName),
      isOver: over.has(attemptOf(request)),
    }),
  );
  const paces = pacesIn(look, running);
  const decision = decideAdmission(view, look.waiting, at);
  const forecasts = forecastOf(look, view, running, paces);
  return {
    destinations: destinationsOf(look, view, rules, paces, forecasts),
    running: running.map((each) => runningStatus(each, look, paces.at(each.request.destination) ?? paces.usual)),
    waiting: waitingStatuses(decision, forecasts, at),
  };
}

/** Counted anew if EC2 was asked, else as admission counted last. */
function viewOf({ admission, pending, running, at }: RegionLook, mostSlots: number, installName: string): RegionView {
  if (pending === undefined) {
    const { ended, count = NOT_COUNTED, refusal } = admission;
    return { running, ended, count, mostSlots, ...(refusal !== undefined && { refusal }) };
  }
  const counted = countCopies(pending, running, installName, at);
  const ended = stillKnown([...admission.ended, ...counted.ended], running);
  const seen = { running, ended, count: counted.count };
  const { refusal } = admission;
  return {
    ...seen,
    mostSlots,
    ...(refusal !== undefined && { refusal: afterCount(refusal, slotsTaken(seen)) }),
  };
}

function copyOf(
  { copyId, snapshotId, destination }: RunningRequest,
  pending: readonly Snapshot[],
  installName: string,
): Snapshot | undefined {
  if (copyId !== undefined) return pending.find((copy) => copy.snapshotId === copyId);
  return pending.find(
    (copy) =>
      copy.tags[COPIER_TAG.managed] === installName &&
      copy.tags[COPIER_TAG.sourceSnapshot] === snapshotId &&
      placeOf(copy) === destination &&
      !isGivenUp(copy),
  );
}

interface Paces {
  readonly at: (destination: string) => Pace | undefined;
  /** Where nothing is known of a destination, another one of the Region may do. */
  readonly usual: Pace | undefined;
}

/** That of copies that ended there; else of those that run there. */
function pacesIn({ paces, waiting, at }: RegionLook, running: readonly Running[]): Paces {
  const names = new Set([...waiting, ...running.map(({ request }) => request)].map(({ destination }) => destination));
  const known = new Map(paces);
  for (const name of names) {
    const there = running.flatMap(({ request, copy }) =>
      request.destination === name && copy !== undefined ? [copy] : [],
    );
    const pace = paces.get(name) ?? paceOfRunning(name, there, at);
    if (pace !== undefined) known.set(name, pace);
  }
  const usual = [...names].map((name) => known.get(name)).find((pace) => pace !== undefined);
  return { at: (destination) => known.get(destination), usual };
}

/** Nothing is to be expected where nobody knows how long a copy takes. */
function forecastOf(
  { waiting, pending = [], at }: RegionLook,
  { count, refusal }: RegionView,
  running: readonly Running[],
  { at: paceAt, usual }: Paces,
): ReadonlyMap<WaitingRequest, Forecast> {
  if (usual === undefined) return new Map();
  const secondsAt = (destination: string) => (paceAt(destination) ?? usual).seconds;
  const endsAt = (copy: Snapshot | undefined, seconds: number) =>
    (copy === undefined ? undefined : expectedEnd(copy, at))?.getTime() ?? at.getTime() + seconds * 1000;

  const ours = running.filter(({ isOver }) => !isOver);
  const own = new Set(ours.map(({ copy }) => copy));
  const others = pending.filter((copy) => isCopy(copy) && !own.has(copy));
  const taken: readonly TakenSlot[] = [
    ...ours.map(({ request, copy }) => ({
      line: lineOf(request),
      endsAt: endsAt(copy, secondsAt(request.destination)),
    })),
    ...Array.from({ length: count.others }, (_, index) => {
      const volumeId = others[index]?.tags[COPIER_TAG.sourceVolume];
      return {
        ...(others[index] !== undefined &&
          volumeId !== undefined && { line: lineOf({ volumeId, destination: placeOf(others[index]) }) }),
        endsAt: endsAt(others[index], usual.seconds),
      };
    }),
  ];
  const believed = believedSlots(refusal, at);
  return forecast(
    waiting,
    taken,
    {
      limitOf: ({ slots }) => Math.min(slots, believed ?? slots),
      secondsOf: ({ destination }) => secondsAt(destination),
    },
    at,
  );
}

function destinationsOf(
  { region, at, waiting, running, pending, admission }: RegionLook,
  view: RegionView,
  rules: readonly CopyRule[],
  paces: Paces,
  forecasts: ReadonlyMap<WaitingRequest, Forecast>,
): readonly DestinationStatus[] {
  const ofRules = new Set(
    destinations(rules)
      .filter((destination) => destination.region === region)
      .map(destinationId),
  );
  const names = new Set([...ofRules, ...[...waiting, ...running].map(({ destination }) => destination)]);
  const slots = {
    ours: slotsTaken({ ...view, count: NOT_COUNTED }),
    others: view.count.others,
    believed: believedSlots(view.refusal, at) ?? null,
    ofRules: view.mostSlots,
    countedAt: pending === undefined ? (admission.count?.at ?? null) : at.toISOString(),
  };
  return [...names].toSorted().map((destination) => {
    const there = waiting.filter((request) => request.destination === destination);
    const ends = there.flatMap((request) => forecasts.get(request)?.end ?? []);
    return {
      destination,
      region,
      isInRules: ofRules.has(destination),
      waiting: there.length,
      running: running.filter((request) => request.destination === destination).length,
      oldestWaitingSince: earliest(there.map(({ waitingSince }) => waitingSince)),
      slots,
      emptyAt: ends.length < there.length ? null : latest(ends),
      pace: paces.at(destination) ?? paces.usual ?? null,
    };
  });
}

function runningStatus(
  { request, copy, isOver }: Running,
  { at, pending }: RegionLook,
  pace: Pace | undefined,
): RunningStatus {
  const { snapshotId, volumeId, destination, region, execution, copyId, copyBegunAt, changedAt } = request;
  const begunAt = copy?.startTime ?? copyBegunAt ?? changedAt;
  const stage = stageOf({
    isOver,
    isShown: copy !== undefined,
    isKnown: copyId !== undefined,
    isAsked: pending !== undefined,
  });
  return {
    snapshotId,
    volumeId,
    destination,
    region,
    execution,
    stage,
    copyId: copyId ?? copy?.snapshotId ?? null,
    sizeGiB: copy?.sizeGiB ?? null,
    progressPercent: copy?.progressPercent ?? null,
    begunAt,
    ...(stage === 'finishing' || stage === 'unseen' ? NOT_KNOWN : expectationOf(copy, begunAt, pace, at)),
  };
}

function stageOf(copy: {
  readonly isOver: boolean;
  /** By EC2, as pending. */
  readonly isShown: boolean;
  /** To the ledger. */
  readonly isKnown: boolean;
  /** Whether EC2 could be asked. */
  readonly isAsked: boolean;
}): RunningStatus['stage'] {
  if (copy.isOver) return 'finishing';
  if (copy.isShown) return 'copying';
  if (!copy.isKnown) return 'starting';
  return copy.isAsked ? 'unseen' : 'copying';
}

const NOT_KNOWN = { expectedEnd: null, basis: null } as const;

function expectationOf(
  copy: Snapshot | undefined,
  begunAt: string,
  pace: Pace | undefined,
  at: Date,
): Pick<RunningStatus, 'expectedEnd' | 'basis'> {
  const byProgress = copy === undefined ? undefined : expectedEnd(copy, at);
  if (byProgress !== undefined) return { expectedEnd: byProgress.toISOString(), basis: 'progress' };
  if (pace === undefined) return NOT_KNOWN;
  const byPace = Date.parse(begunAt) + pace.seconds * 1000;
  // It takes longer than others did, and nobody knows how much.
  return byPace <= at.getTime() ? NOT_KNOWN : { expectedEnd: new Date(byPace).toISOString(), basis: 'pace' };
}

function waitingStatuses(
  { admissions }: AdmissionDecision,
  forecasts: ReadonlyMap<WaitingRequest, Forecast>,
  at: Date,
): readonly WaitingStatus[] {
  return admissions.map(({ action, request, reason }, index) => {
    const { snapshotId, volumeId, destination, region, sourceStartTime, waitingSince } = request;
    const mayStart = action === 'start';
    const expected = forecasts.get(request);
    return {
      place: index + 1,
      snapshotId,
      volumeId,
      destination,
      region,
      sourceStartTime,
      waitingSince,
      mayStart,
      why: reason,
      expectedStart: mayStart ? at.toISOString() : (expected?.start ?? null),
      expectedEnd: expected?.end ?? null,
    };
  });
}

function latest(times: readonly string[]): string | null {
  return times.toSorted().at(-1) ?? null;
}

function earliest(times: readonly string[]): string | null {
  return times.toSorted()[0] ?? null;
}
