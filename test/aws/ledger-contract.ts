import { expect, it } from 'vitest';
import type { Ledger } from '../../aws/ledger.ts';
import type { AdmissionState } from '../../core/admission-state.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { ServiceTroubleError } from '../../core/errors.ts';
import { type LedgerRequest, type RequestKey, requestKey } from '../../core/ledger-request.ts';
import {
  copyBegun,
  requested,
  requestedAgain,
  returned,
  settled,
  started,
  type Transition,
} from '../../core/request-transitions.ts';
import { request } from '../support/examples.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');
const LATER = new Date('2026-03-02T12:00:07.500Z');

/** A new, empty ledger. It never waits between attempts. */
export type NewLedger = (now: () => Date) => Promise<Ledger>;

/** What every ledger does. */
export function ledgerContract(newLedger: NewLedger): void {
  const ledgerAt = (now: Date = NOON) => newLedger(() => now);

  it('knows nothing at first', async () => {
    const ledger = await ledgerAt();
    const key = keyOf(request());
    expect(await ledger.request(key)).toBeUndefined();
    expect(await ledger.change(key, () => undefined)).toEqual({ changed: false });
    expect(await ledger.waiting('eu-central-1', { limit: 10 })).toEqual({ requests: [] });
    expect(await ledger.running('eu-central-1')).toEqual([]);
    expect(await ledger.admission('eu-central-1')).toEqual({ state: { starting: [], ended: [] }, revision: 0 });
  });

  it('gives back what was written, to the letter', async () => {
    const ledger = await ledgerAt();
    const full: LedgerRequest = {
      request: request({
        source: {
          kmsKeyId: 'arn:aws:kms:eu-west-1:444455556666:key/1',
          description: '"quoted", ümlaut and 🐘',
          tags: { 'a "key"': '', Name: 'db-1' },
        },
        destination: {
          localZone: 'eu-central-1-ham-1a',
          encryption: { kind: 'key', kmsKey: 'alias/dr' },
          tags: { copy: ['Name'], add: { Tier: 'dr' } },
          completionDurationMinutes: 45,
        },
      }),
      status: 'copied',
      reason: 'copied as snap-0c0c0c0c0c0c0c0c0',
      attempt: 12,
      execution: 'snap-0a1b2c3d4e5f60718-eu-central-1-ham-1a-12',
      requestedAt: '2026-03-02T12:00:00.000Z',
      waitingSince: '2026-03-02T12:00:01.000Z',
      changedAt: '2026-03-02T12:00:02.000Z',
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      copyBegunAt: '2026-03-02T12:00:03.000Z',
      expiresAt: 1_780_000_000,
    };
    const key = keyOf(full.request);
    expect(await ledger.change(key, () => full)).toEqual({ changed: true, request: full });
    expect(await ledger.request(key)).toEqual(full);
    expect(await ledger.change(key, () => undefined)).toEqual({ changed: false, request: full });
  });

  it('a request that is repeated changes nothing', async () => {
    const ledger = await ledgerAt();
    const key = keyOf(request());
    await ledger.change(key, requested(request(), 'rule nightly selects it', NOON));
    const before = await ledger.request(key);
    const repeated = await ledger.change(key, requested(request(), 'again', LATER));
    expect(repeated).toEqual({ changed: false, request: before });
    expect(await ledger.request(key)).toEqual(before);
    expect(before).toMatchObject({ status: 'waiting', attempt: 0, reason: 'rule nightly selects it' });
  });

  it('of twenty changes at once each sees the result of the one before', async () => {
    const ledger = await ledgerAt();
    const key = keyOf(request());
    await ledger.change(key, requested(request(), '', NOON));
    const names = Array.from({ length: 20 }, (_, index) => String.fromCharCode(97 + index));
    const seen = await Promise.all(
      names.map(async (name) => {
        let before = '';
        await patiently(ledger, key, (current) => {
          before = current?.reason ?? '';
          return current && { ...current, reason: before + name };
        });
        return before;
      }),
    );
    const reason = (await ledger.request(key))?.reason ?? '';
    expect(Array.from(reason).toSorted().join('')).toBe('abcdefghijklmnopqrst');
    expect(seen.toSorted((a, b) => a.length - b.length)).toEqual(
      Array.from({ length: 20 }, (_, index) => reason.slice(0, index)),
    );
  });

  it('of ten that ask for the same copy at once one writes it', async () => {
    const ledger = await ledgerAt();
    const key = keyOf(request());
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => patiently(ledger, key, requested(request(), `call ${index}`, NOON))),
    );
    const winner = answers.findIndex(({ changed }) => changed);
    expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
    for (const answer of answers) expect(answer.request?.reason).toBe(`call ${winner}`);
  });

  it('the queue is in the order of the source snapshots, then of destination and snapshot', async () => {
    const ledger = await ledgerAt();
    await wait(
      ledger,
      requestOf('snap-00000000000000005', '2026-03-02T04:00:02.000Z'),
      requestOf('snap-00000000000000004', '2026-03-02T04:00:01.000Z', 'eu-central-1-ham-1a'),
      requestOf('snap-00000000000000003', '2026-03-02T04:00:01.000Z'),
      // The same moment in other words.
      requestOf('snap-00000000000000002', '2026-03-02T04:00:01Z'),
      requestOf('snap-00000000000000001', '2026-03-02T04:00:01.001Z'),
      requestOf('snap-00000000000000009', '2026-03-01T23:59:59.999Z'),
    );
    const { requests } = await ledger.waiting('eu-central-1', { limit: 10 });
    expect(requests.map(({ destination, snapshotId }) => `${destination} ${snapshotId.at(-1)}`)).toEqual([
      'eu-central-1 9',
      'eu-central-1 2',
      'eu-central-1 3',
      'eu-central-1-ham-1a 4',
      'eu-central-1 1',
      'eu-central-1 5',
    ]);
    expect(requests[3]).toEqual({
      region: 'eu-central-1',
      destination: 'eu-central-1-ham-1a',
      snapshotId: 'snap-00000000000000004',
      volumeId: 'vol-0123456789abcdef0',
      sourceStartTime: '2026-03-02T04:00:01.000Z',
      slots: 20,
      attempt: 0,
      waitingSince: '2026-03-02T12:00:00.000Z',
    });
  });

  it('pages give each request once, also when some of them start meanwhile', async () => {
    const ledger = await ledgerAt();
    const all = numbered(5);
    await wait(ledger, ...all);
    const first = await ledger.waiting('eu-central-1', { limit: 2 });
    expect(first.requests.map(({ snapshotId }) => snapshotId.at(-1))).toEqual(['1', '2']);
    // The one at which the page ended, and one of the next page.
    for (const index of [1, 2]) {
      const asked = all[index];
      if (asked !== undefined) await ledger.change(keyOf(asked), started(1, 'e', 'a slot is free', NOON));
    }
    const rest: string[] = [];
    let after = first.next;
    while (after !== undefined) {
      const page = await ledger.waiting('eu-central-1', { limit: 2, after });
      expect(page.requests.length).toBeLessThanOrEqual(2);
      rest.push(...page.requests.map(({ snapshotId }) => snapshotId.at(-1) ?? ''));
      after = page.next;
    }
    expect(rest).toEqual(['4', '5']);
  });

  it('a request is in the queue, then among the running, then in neither; seen at once each time', async () => {
    const ledger = await ledgerAt();
    const execution = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
    const key = keyOf(request());
    const change = async (transition: Transition) => {
      expect(await ledger.change(key, transition)).toMatchObject({ changed: true });
      const { requests } = await ledger.waiting('eu-central-1', { limit: 10 });
      return { waiting: requests, running: await ledger.running('eu-central-1') };
    };
    const waits = { ...key, volumeId: 'vol-0123456789abcdef0', sourceStartTime: '2026-03-02T04:09:51.204Z', slots: 20 };
    const runs = { ...key, volumeId: 'vol-0123456789abcdef0', execution, attempt: 1 };

    expect(await change(requested(request(), 'selected', NOON))).toEqual({
      waiting: [{ ...waits, attempt: 0, waitingSince: '2026-03-02T12:00:00.000Z' }],
      running: [],
    });
    expect(await change(started(1, execution, 'a slot is free', LATER))).toEqual({
      waiting: [],
      running: [{ ...runs, changedAt: '2026-03-02T12:00:07.500Z' }],
    });
    expect(await change(copyBegun(execution, 'snap-0c', LATER, LATER))).toEqual({
      waiting: [],
      running: [
        {
          ...runs,
          changedAt: '2026-03-02T12:00:07.500Z',
          copyId: 'snap-0c',
          copyBegunAt: '2026-03-02T12:00:07.500Z',
        },
      ],
    });
    expect(await change(returned(request(), execution, LATER))).toEqual({
      waiting: [{ ...waits, attempt: 1, waitingSince: '2026-03-02T12:00:00.000Z' }],
      running: [],
    });
    await change(started(2, 'snap-0a1b2c3d4e5f60718-eu-central-1-2', 'a slot is free', LATER));
    expect(
      await change(settled('snap-0a1b2c3d4e5f60718-eu-central-1-2', { kind: 'failed', reason: 'no key' }, LATER, 90)),
    ).toEqual({ waiting: [], running: [] });
    expect(await change(requestedAgain(request(), LATER))).toEqual({
      waiting: [{ ...waits, attempt: 2, waitingSince: '2026-03-02T12:00:07.500Z' }],
      running: [],
    });
  });

  it('a request that comes back to the queue has its old place in it', async () => {
    const ledger = await ledgerAt();
    await wait(ledger, ...numbered(3));
    const [, second] = numbered(3);
    if (second === undefined) throw new Error('there are three');
    const name = 'snap-00000000000000002-eu-central-1-1';
    await ledger.change(keyOf(second), started(1, name, 'a slot is free', LATER));
    await ledger.change(keyOf(second), returned(second, name, LATER));
    const { requests } = await ledger.waiting('eu-central-1', { limit: 10 });
    expect(requests.map(({ snapshotId }) => snapshotId.at(-1))).toEqual(['1', '2', '3']);
  });

  it('what runs is listed oldest source snapshot first', async () => {
    const ledger = await ledgerAt();
    const all = numbered(3);
    await wait(ledger, ...all);
    for (const asked of all.toReversed()) await ledger.change(keyOf(asked), started(1, 'e', 'a slot is free', LATER));
    const running = await ledger.running('eu-central-1');
    expect(running.map(({ snapshotId }) => snapshotId.at(-1))).toEqual(['1', '2', '3']);
  });

  it('Regions do not see each other', async () => {
    const ledger = await ledgerAt();
    const near = request();
    const far = request({ destination: { region: 'us-east-1' } });
    await wait(ledger, near, far);
    await ledger.change(keyOf(far), started(1, 'e', 'a slot is free', NOON));
    await ledger.changeAdmission('us-east-1', 0, { starting: [], ended: [keyAndAttempt(far)] });

    expect((await ledger.waiting('eu-central-1', { limit: 10 })).requests).toMatchObject([{ region: 'eu-central-1' }]);
    expect(await ledger.running('eu-central-1')).toEqual([]);
    expect((await ledger.waiting('us-east-1', { limit: 10 })).requests).toEqual([]);
    expect(await ledger.running('us-east-1')).toMatchObject([{ region: 'us-east-1' }]);
    expect(await ledger.request(keyOf(near))).toMatchObject({ status: 'waiting' });
    expect((await ledger.admission('eu-central-1')).revision).toBe(0);
    // What admission has written is no request.
    expect((await ledger.admission('us-east-1')).state.ended).toEqual([keyAndAttempt(far)]);
  });

  it('of ten that replace the same admission state exactly one does', async () => {
    const ledger = await ledgerAt();
    for (const round of [1, 2]) {
      const { revision } = await ledger.admission('eu-central-1');
      const states = Array.from({ length: 10 }, (_, index) => stateOf(`${round}/${index}`));
      const won = await Promise.all(states.map((next) => ledger.changeAdmission('eu-central-1', revision, next)));
      expect(won.filter((each) => each)).toHaveLength(1);
      const now = await ledger.admission('eu-central-1');
      expect(now.state).toEqual(states[won.indexOf(true)]);
      expect(now.revision).not.toBe(revision);
      expect(await ledger.changeAdmission('eu-central-1', revision, stateOf('late'))).toBe(false);
      expect(await ledger.admission('eu-central-1')).toEqual(now);
    }
  });

  it('gives back an admission state to the letter', async () => {
    const ledger = await ledgerAt();
    const state: AdmissionState = {
      starting: [keyAndAttempt(request())],
      ended: [keyAndAttempt(requestOf('snap-00000000000000001', '2026-03-02T04:00:01.000Z'))],
      count: {
        at: '2026-03-02T12:00:00.000Z',
        others: 3,
        volumes: [
          { volumeId: 'vol-0123456789abcdef0', destination: 'eu-central-1' },
          { volumeId: 'vol-0123456789abcdef0', destination: 'eu-central-1', snapshotId: 'snap-00000000000000002' },
        ],
      },
      refusal: { at: '2026-03-02T12:00:00.000Z', taken: 17 },
      heartbeat: { execution: 'arn:aws:states:eu-west-1:444455556666:express:h:1', until: '2026-03-02T12:05:00.000Z' },
    };
    await ledger.changeAdmission('eu-central-1', 0, state);
    expect((await ledger.admission('eu-central-1')).state).toEqual(state);
  });

  it('a request whose time is over is as good as gone, from that second on', async () => {
    let now = NOON;
    const ledger = await newLedger(() => now);
    const key = keyOf(request());
    await ledger.change(key, requested(request(), 'selected', NOON));
    await ledger.change(key, started(1, 'e', 'a slot is free', NOON));
    await ledger.change(key, settled('e', { kind: 'failed', reason: 'no key' }, NOON, 90));

    now = new Date('2026-05-31T11:59:59.999Z');
    expect(await ledger.request(key)).toMatchObject({ status: 'failed' });
    expect(await ledger.change(key, requested(request(), 'selected', now))).toMatchObject({ changed: false });

    now = new Date('2026-05-31T12:00:00.000Z');
    expect(await ledger.request(key)).toBeUndefined();
    expect(await ledger.change(key, () => undefined)).toEqual({ changed: false });
    const answers = await Promise.all([1, 2, 3].map(() => patiently(ledger, key, requested(request(), 'anew', now))));
    expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
    expect(await ledger.request(key)).toMatchObject({ status: 'waiting', reason: 'anew', attempt: 0 });
    expect(await ledger.request(key)).not.toHaveProperty('expiresAt');
  });

  it('an error of the transition changes nothing', async () => {
    const ledger = await ledgerAt();
    const key = keyOf(request());
    await wait(ledger, request());
    const mistake = new TypeError('a mistake of ours');
    const failing = ledger.change(key, () => {
      throw mistake;
    });
    await expect(failing).rejects.toBe(mistake);
    expect(await ledger.request(key)).toMatchObject({ status: 'waiting' });
  });
}

function keyOf(asked: CopyRequest): RequestKey {
  return requestKey(asked.source, asked.destination);
}

function keyAndAttempt(asked: CopyRequest) {
  return { ...keyOf(asked), attempt: 1 };
}

function requestOf(snapshotId: string, startTime: string, localZone?: string): CopyRequest {
  return request({ source: { snapshotId, startTime }, destination: localZone === undefined ? {} : { localZone } });
}

/** Their start times are a second apart. */
function numbered(count: number): readonly CopyRequest[] {
  return Array.from({ length: count }, (_, index) =>
    requestOf(`snap-0000000000000000${index + 1}`, `2026-03-02T04:00:0${index + 1}.000Z`),
  );
}

function stateOf(name: string): AdmissionState {
  return { starting: [], ended: [], heartbeat: { execution: name, until: '2026-03-02T12:00:30.000Z' } };
}

async function wait(ledger: Ledger, ...asked: readonly CopyRequest[]): Promise<void> {
  for (const each of asked) await ledger.change(keyOf(each), requested(each, 'selected', NOON));
}

/** As the callers of a ledger do: ServiceTroubleError is worth another try. */
async function patiently(ledger: Ledger, key: RequestKey, transition: Transition): ReturnType<Ledger['change']> {
  for (;;) {
    try {
      return await ledger.change(key, transition);
    } catch (error) {
      if (!(error instanceof ServiceTroubleError)) throw error;
    }
  }
}
