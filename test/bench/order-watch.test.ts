import { beforeEach, expect, it } from 'vitest';
import { type OrderWatch, watchOrder } from '../../bench/order-watch.ts';
import { type AdmissionState, NO_ADMISSION_YET } from '../../core/admission-state.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { requested, started } from '../../core/request-transitions.ts';
import { memoryLedger } from '../../sandbox/ledger/memory-ledger.ts';

const HERE = 'eu-central-1';
const now = new Date('2026-01-05T09:00:00Z');

/** A request for the n-th snapshot, the higher the younger. */
function requestFor(n: number, volume: number): CopyRequest {
  return {
    rule: 'all',
    dryRun: false,
    source: {
      snapshotId: idOf(n),
      region: 'eu-west-1',
      ownerId: '111122223333',
      volumeId: `vol-0000000000000000${volume}`,
      startTime: new Date(now.getTime() + n * 1000).toISOString(),
      sizeGiB: 1,
      encrypted: false,
      description: '',
      tags: {},
    },
    destination: {
      region: HERE,
      encryption: { kind: 'as-source' },
      description: '',
      tags: { copy: 'none', add: {} },
      slots: 20,
      deadlineSeconds: 3600,
    },
  };
}

function idOf(n: number): string {
  return `snap-0000000000000000${n}`;
}

const attempt = (n: number) => ({ region: HERE, destination: HERE, snapshotId: idOf(n), attempt: 1 });

let watch: OrderWatch;
/** Snapshots 1 and 2 of volume 1, 3 of volume 2, 4 of volume 3; volume 3 has a copy under way, of snapshot 0. */
beforeEach(async () => {
  watch = watchOrder(memoryLedger({ now: () => now }));
  for (const [n, volume] of [
    [0, 3],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
  ] as const) {
    const request = requestFor(n, volume);
    await watch.ledger.change(requestKey(request.source, request.destination), requested(request, 'asked', now));
  }
  await watch.ledger.change(attempt(0), started(1, `${idOf(0)}-${HERE}-1`, 'its turn', now));
});

async function decide(starting: readonly number[], more: Partial<AdmissionState> = {}): Promise<number> {
  const { revision } = await watch.ledger.admission(HERE);
  const next = { ...NO_ADMISSION_YET, starting: starting.map(attempt), ...more };
  expect(await watch.ledger.changeAdmission(HERE, revision, next)).toBe(true);
  return watch.startedOutOfOrder();
}

it('finds nothing wrong with the oldest of each volume that is free', async () => {
  expect(await decide([1])).toBe(0);
  expect(await decide([1, 3])).toBe(0);
  expect(watch.started()).toBe(3);
});

it('finds a younger request that was preferred', async () => {
  expect(await decide([3])).toBe(1);
});

it('finds a second copy of a volume, behind a request that waits or a copy under way', async () => {
  expect(await decide([1, 2])).toBe(1);
  expect(await decide([1, 3, 4])).toBe(2);
});

it('takes a volume for free when its copy ended, and for busy when another copy of it was counted', async () => {
  expect(await decide([1, 3, 4], { ended: [attempt(0)] })).toBe(0);
  const count = {
    at: now.toISOString(),
    others: 1,
    volumes: [{ volumeId: 'vol-00000000000000001', destination: HERE }],
  };
  expect(await decide([3], { count })).toBe(0);
});

it('is not counted as use of the ledger, and decides nothing', async () => {
  const before = watch.usage();
  const { revision } = await watch.ledger.admission(HERE);
  await watch.ledger.changeAdmission(HERE, revision, { ...NO_ADMISSION_YET, starting: [attempt(1)] });
  expect(watch.usage().reads - before.reads).toBe(1);
  expect(watch.usage().writes - before.writes).toBe(1);
  expect(await watch.ledger.changeAdmission(HERE, revision, NO_ADMISSION_YET)).toBe(false);
  expect(watch.started()).toBe(1);
});
