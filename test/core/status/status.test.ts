import { describe, expect, it } from 'vitest';
import type { AdmissionState } from '../../../core/admission-state.ts';
import type { RunningRequest, WaitingRequest } from '../../../core/ledger-request.ts';
import type { CopyRule } from '../../../core/rules.ts';
import type { Snapshot } from '../../../core/snapshot.ts';
import { type Look, regionsOf, statusOf } from '../../../core/status/status.ts';
import { copy, copyTags, destination, INSTALL } from '../../support/examples.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');
const at = (time: string) => `2026-03-02T${time}:00.000Z`;
const FRANKFURT = 'eu-central-1';

const RULES: readonly CopyRule[] = [
  { name: 'nightly', select: {}, destinations: [destination({ slots: 2 })], dryRun: false },
];

function waiting(id: string, over: Partial<WaitingRequest> = {}): WaitingRequest {
  return {
    region: FRANKFURT,
    destination: FRANKFURT,
    snapshotId: `snap-${id}`,
    volumeId: `vol-${id}`,
    sourceStartTime: at('10:00'),
    slots: 2,
    attempt: 0,
    waitingSince: at('11:00'),
    ...over,
  };
}

function running(id: string, over: Partial<RunningRequest> = {}): RunningRequest {
  return {
    region: FRANKFURT,
    destination: FRANKFURT,
    snapshotId: `snap-${id}`,
    volumeId: `vol-${id}`,
    attempt: 1,
    execution: `snap-${id}-eu-central-1-1`,
    changedAt: at('11:30'),
    copyId: `snap-c${id}`,
    copyBegunAt: at('11:30'),
    ...over,
  };
}

/** The same before the ledger knows of its copy. */
function starting(id: string): RunningRequest {
  const { copyId: _id, copyBegunAt: _at, ...rest } = running(id);
  return rest;
}

const pending = (id: string, progressPercent: number, over: Partial<Snapshot> = {}) =>
  copy({
    snapshotId: `snap-c${id}`,
    state: 'pending',
    progressPercent,
    startTime: at('11:30'),
    tags: copyTags({ 'snapshot-copier:source-snapshot': `snap-${id}`, 'snapshot-copier:source-volume': `vol-${id}` }),
    ...over,
  });

const NOTHING: AdmissionState = { starting: [], ended: [] };

interface Sight {
  readonly waiting?: readonly WaitingRequest[];
  readonly running?: readonly RunningRequest[];
  /** undefined: EC2 could not be asked */
  readonly pending?: readonly Snapshot[] | undefined;
  readonly admission?: AdmissionState;
  readonly succeeded?: Look['succeeded'];
}

function look(sight: Sight, rules = RULES) {
  const { waiting: waits = [], running: runs = [], admission = NOTHING, succeeded = [] } = sight;
  const seen = 'pending' in sight ? sight.pending : [];
  const regions = new Map([[FRANKFURT, { admission, ...(seen !== undefined && { pending: seen }) }]]);
  return statusOf({ at: NOON, waiting: waits, running: runs, regions, succeeded }, rules, INSTALL);
}

/** Ten copies that took ten minutes. */
const TEN_MINUTES = Array.from({ length: 10 }, () => ({
  destination: FRANKFURT,
  startedAt: at('09:00'),
  endedAt: at('09:10'),
}));

describe('the totals', () => {
  it('are those of each destination of the rules, even if nothing happens there', () => {
    expect(look({})).toEqual({
      at: '2026-03-02T12:00:00.000Z',
      destinations: [
        {
          destination: FRANKFURT,
          region: FRANKFURT,
          isInRules: true,
          waiting: 0,
          running: 0,
          oldestWaitingSince: null,
          slots: { ours: 0, others: 0, believed: null, ofRules: 2, countedAt: '2026-03-02T12:00:00.000Z' },
          emptyAt: null,
          pace: null,
        },
      ],
      running: [],
      waiting: [],
    });
  });

  it('count what waits and runs, and since when the one waits that waits longest', () => {
    const { destinations } = look({
      waiting: [waiting('1', { waitingSince: at('11:20') }), waiting('2', { waitingSince: at('11:10') })],
      running: [running('3')],
      pending: [pending('3', 10)],
    });
    expect(destinations).toMatchObject([{ waiting: 2, running: 1, oldestWaitingSince: at('11:10') }]);
  });

  it('tell slots of ours, also for copies that EC2 does not show yet, from those that others have taken', () => {
    const foreign = copy({ snapshotId: 'snap-f', state: 'pending', tags: {} });
    const { destinations } = look({
      running: [running('1'), starting('2')],
      pending: [pending('1', 10), foreign],
    });
    expect(destinations[0]?.slots).toMatchObject({ ours: 2, others: 1 });
  });

  it('tell how many slots EC2 is believed to have since it refused a copy, and that more are tried by and by', () => {
    const refusal = { at: at('11:49'), taken: 1 };
    expect(look({ admission: { ...NOTHING, refusal } }).destinations[0]?.slots.believed).toBe(3);
  });

  it('are those of the last count if EC2 cannot be asked', () => {
    const admission = {
      ...NOTHING,
      count: { at: at('11:58'), others: 4, volumes: [] },
      refusal: { at: at('11:59'), taken: 5 },
    };
    const blind = look({ running: [running('1')], pending: undefined, admission });
    expect(blind.destinations[0]?.slots).toEqual({
      ours: 1,
      others: 4,
      believed: 5,
      ofRules: 2,
      countedAt: at('11:58'),
    });
    expect(look({ pending: undefined }).destinations[0]?.slots.countedAt).toBeNull();
  });

  it('are given for destinations too that no rule has any more, and for each one of a Region', () => {
    const gone = { region: 'us-east-1', destination: 'us-east-1' };
    const zone = { destination: 'eu-central-1-ham-1a' };
    const seen = { waiting: [waiting('1', gone), waiting('2', zone)], running: [running('3', gone)] };
    expect(regionsOf(seen, RULES)).toEqual([FRANKFURT, 'us-east-1']);
    expect(look(seen).destinations).toMatchObject([
      { destination: FRANKFURT, isInRules: true, waiting: 0 },
      { destination: 'eu-central-1-ham-1a', isInRules: false, waiting: 1 },
      { destination: 'us-east-1', isInRules: false, waiting: 1, running: 1, slots: { ofRules: 0, countedAt: null } },
    ]);
  });

  it('say when the queue will be empty, if all of it can be told', () => {
    const queue = [waiting('1'), waiting('2'), waiting('3')];
    expect(look({ waiting: queue, succeeded: TEN_MINUTES }).destinations).toMatchObject([
      { emptyAt: at('12:20'), pace: { destination: FRANKFURT, seconds: 600, copies: 10, of: 'ended' } },
    ]);
    const never = waiting('4', { slots: 0 });
    expect(look({ waiting: [...queue, never], succeeded: TEN_MINUTES }).destinations[0]?.emptyAt).toBeNull();
  });
});

describe('a request that runs', () => {
  it('shows its copy as EC2 does, and its end at the pace of its progress', () => {
    const found = look({ running: [running('1')], pending: [pending('1', 25, { sizeGiB: 80 })] });
    expect(found.running).toEqual([
      {
        snapshotId: 'snap-1',
        volumeId: 'vol-1',
        destination: FRANKFURT,
        region: FRANKFURT,
        execution: 'snap-1-eu-central-1-1',
        stage: 'copying',
        copyId: 'snap-c1',
        sizeGiB: 80,
        progressPercent: 25,
        begunAt: at('11:30'),
        expectedEnd: at('13:30'),
        basis: 'progress',
      },
    ]);
  });

  it('has a copy whose id the ledger does not know yet: its tags tell', () => {
    const bare = starting('1');
    const shown = [
      pending('1', 5, {
        snapshotId: 'snap-given-up',
        tags: { ...pending('1', 5).tags, 'snapshot-copier:state': 'failed' },
      }),
      pending('1', 5, { snapshotId: 'snap-elsewhere', localZone: 'eu-central-1-ham-1a' }),
      pending('1', 5, {
        snapshotId: 'snap-of-others',
        tags: { ...pending('1', 5).tags, 'snapshot-copier:managed': 'x' },
      }),
      pending('1', 40),
    ];
    expect(look({ running: [bare], pending: shown }).running).toMatchObject([
      { copyId: 'snap-c1', progressPercent: 40, stage: 'copying' },
    ]);
  });

  it('is starting as long as it has no copy, and ends as others did', () => {
    const fresh = { ...starting('1'), changedAt: at('11:57') };
    expect(look({ running: [fresh], succeeded: TEN_MINUTES }).running).toMatchObject([
      { stage: 'starting', progressPercent: null, sizeGiB: null, expectedEnd: at('12:07'), basis: 'pace' },
    ]);
    expect(look({ running: [fresh] }).running).toMatchObject([{ expectedEnd: null, basis: null }]);
  });

  it('has a copy that EC2 does not show as pending: just begun, or over already', () => {
    const fresh = running('1', { copyBegunAt: at('11:57'), changedAt: at('11:57') });
    expect(look({ running: [fresh], succeeded: TEN_MINUTES }).running).toMatchObject([
      { stage: 'unseen', copyId: 'snap-c1', begunAt: at('11:57'), expectedEnd: null, basis: null },
    ]);
  });

  it('ends nobody knows when, if it takes longer than others and EC2 shows no progress', () => {
    const slow = look({ running: [running('1')], pending: [pending('1', 0)], succeeded: TEN_MINUTES });
    expect(slow.running).toMatchObject([{ stage: 'copying', expectedEnd: null, basis: null }]);
  });

  it('is finishing when its copy is over and its execution has not noticed', () => {
    expect(look({ running: [running('1')], pending: [] }).running).toMatchObject([
      { stage: 'finishing', copyId: 'snap-c1', expectedEnd: null },
    ]);
    const ended = [{ region: FRANKFURT, destination: FRANKFURT, snapshotId: 'snap-1', attempt: 1 }];
    const known = look({ running: [running('1')], pending: undefined, admission: { ...NOTHING, ended } });
    expect(known.running).toMatchObject([{ stage: 'finishing' }]);
  });

  it('is copying, as far as is known, if EC2 cannot be asked', () => {
    const bare = starting('2');
    const blind = look({ running: [running('1'), bare], pending: undefined });
    expect(blind.running).toMatchObject([
      { stage: 'copying', copyId: 'snap-c1', progressPercent: null, begunAt: at('11:30') },
      { stage: 'starting', copyId: null, begunAt: at('11:30') },
    ]);
  });
});

describe('a request that waits', () => {
  it('has a place in the queue of its Region, and says why it is held, as admission would', () => {
    const { waiting: rows } = look({
      waiting: [waiting('1', { volumeId: 'vol-9' }), waiting('2'), waiting('3')],
      running: [running('9')],
      pending: [pending('9', 50)],
    });
    expect(rows.map(({ place, mayStart, why }) => [place, mayStart, why])).toEqual([
      [1, false, 'the copy of snap-9 from vol-9 to eu-central-1 is under way'],
      [2, true, 'it is the oldest that may start, as slot 2 of 2'],
      [3, false, 'all 2 slots are taken: 2 by copies of ours, 0 by others'],
    ]);
  });

  it('is expected to start when slots become free, and to end as others did', () => {
    const { waiting: rows } = look({
      waiting: [waiting('1'), waiting('2'), waiting('3')],
      running: [running('8'), running('9')],
      // They end at 12:30 and, by the pace of the others, at 12:10.
      pending: [pending('8', 50), pending('9', 0)],
      succeeded: TEN_MINUTES,
    });
    expect(rows.map(({ expectedStart, expectedEnd }) => [expectedStart, expectedEnd])).toEqual([
      [at('12:10'), at('12:20')],
      [at('12:20'), at('12:30')],
      [at('12:30'), at('12:40')],
    ]);
  });

  it('waits for copies of others too, at their pace, and for those that are not shown', () => {
    const foreign = copy({
      snapshotId: 'snap-f',
      state: 'pending',
      startTime: at('11:30'),
      progressPercent: 60,
      tags: {},
    });
    const sight = { waiting: [waiting('1'), waiting('2')], succeeded: TEN_MINUTES };
    const theirs = pending('2', 90, { tags: { ...pending('2', 0).tags, 'snapshot-copier:managed': 'other-install' } });
    // The foreign one ends at 12:20, the one of the same volume, of another install, at 12:03:20.
    expect(look({ ...sight, pending: [foreign, theirs] }).waiting).toMatchObject([
      { expectedStart: '2026-03-02T12:03:20.000Z' },
      { expectedStart: '2026-03-02T12:13:20.000Z' },
    ]);
    const count = { at: at('11:58'), others: 2, volumes: [] };
    expect(look({ ...sight, pending: undefined, admission: { ...NOTHING, count } }).waiting).toMatchObject([
      { expectedStart: at('12:10') },
      { expectedStart: at('12:10') },
    ]);
  });

  it('goes by those under way as long as none has ended', () => {
    const { waiting: rows } = look({
      waiting: [waiting('1'), waiting('2')],
      running: [running('9')],
      pending: [pending('9', 75)],
    });
    // 30 of 40 minutes.
    expect(rows).toMatchObject([
      { expectedStart: at('12:00'), expectedEnd: at('12:40') },
      { expectedStart: at('12:10'), expectedEnd: at('12:50') },
    ]);
  });

  it('goes by another destination of the Region if nothing is known of its own', () => {
    const zone = waiting('1', { destination: 'eu-central-1-ham-1a' });
    expect(look({ waiting: [zone, waiting('2')], succeeded: TEN_MINUTES }).waiting).toMatchObject([
      { expectedEnd: at('12:10') },
      { expectedEnd: at('12:10') },
    ]);
  });

  it('is not expected to end at any time if nothing is known, nor to start, unless nothing holds it', () => {
    expect(look({ waiting: [waiting('1'), waiting('2'), waiting('3')] }).waiting).toMatchObject([
      { mayStart: true, expectedStart: at('12:00'), expectedEnd: null },
      { mayStart: true, expectedStart: at('12:00'), expectedEnd: null },
      { mayStart: false, expectedStart: null, expectedEnd: null },
    ]);
  });

  it('waits for no more slots than EC2 is believed to have', () => {
    const refusal = { at: at('11:59'), taken: 1 };
    const queue = [waiting('1'), waiting('2')];
    expect(look({ waiting: queue, admission: { ...NOTHING, refusal }, succeeded: TEN_MINUTES }).waiting).toMatchObject([
      { mayStart: true, expectedEnd: at('12:10') },
      { mayStart: false, why: expect.stringContaining('since EC2 refused a copy'), expectedStart: at('12:10') },
    ]);
  });
});
