import { describe, expect, it } from 'vitest';
import { whatHoldsUp } from '../../core/hand-progress.ts';
import type { LedgerRequest, RunningRequest, WaitingRequest } from '../../core/ledger-request.ts';
import { request } from '../support/examples.ts';

const OWN = 'snap-0a1b2c3d4e5f60718';
const VOLUME = 'vol-0123456789abcdef0';
const AT = '2026-03-02T04:30:00.000Z';
const KEY = { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: OWN };

function known(over: Partial<LedgerRequest> = {}, volumeId = VOLUME): LedgerRequest {
  return {
    request: request({ source: { volumeId } }),
    status: 'waiting',
    reason: 'asked for by hand',
    attempt: 0,
    requestedAt: AT,
    waitingSince: AT,
    changedAt: AT,
    ...over,
  };
}

function waiting(snapshotId: string, volumeId: string, destination = 'eu-central-1'): WaitingRequest {
  return { ...KEY, destination, snapshotId, volumeId, sourceStartTime: AT, slots: 20, attempt: 0, waitingSince: AT };
}

function running(snapshotId: string, volumeId: string, destination = 'eu-central-1'): RunningRequest {
  return { ...KEY, destination, snapshotId, volumeId, attempt: 1, execution: `${snapshotId}-1`, changedAt: AT };
}

describe('a request waits', () => {
  it('for a slot, at its place in the queue', () => {
    const queue = {
      waiting: [waiting('snap-1', 'vol-1'), waiting(OWN, VOLUME), waiting('snap-2', VOLUME)],
      running: [running('snap-3', 'vol-3'), running('snap-4', VOLUME, 'eu-central-1-ham-1a')],
    };
    expect(whatHoldsUp(known(), KEY, queue)).toBe(
      `${OWN} waits for a copy slot of eu-central-1, 2 of 3 in the queue; 2 copies run`,
    );
  });

  it('and the index of the queue may not show it yet', () => {
    const waits = [waiting('snap-2', VOLUME)];
    expect(whatHoldsUp(known(), KEY, { waiting: waits, running: [] })).toBe(
      `${OWN} waits for a copy slot of eu-central-1; 0 copies run`,
    );
    expect(whatHoldsUp(known(), KEY, { waiting: waits, running: [running('snap-3', 'vol-3')] })).toBe(
      `${OWN} waits for a copy slot of eu-central-1; 1 copy runs`,
    );
  });

  it('for the copy of the same volume that runs', () => {
    const queue = { waiting: [waiting('snap-1', VOLUME), waiting(OWN, VOLUME)], running: [running('snap-3', VOLUME)] };
    expect(whatHoldsUp(known(), KEY, queue)).toBe(
      `${OWN} waits for the copy of snap-3, of the same volume, so that it moves only what changed`,
    );
  });

  it('for an older snapshot of the same volume', () => {
    const queue = {
      waiting: [waiting('snap-0', VOLUME, 'eu-central-1-ham-1a'), waiting('snap-1', VOLUME), waiting(OWN, VOLUME)],
      running: [],
    };
    expect(whatHoldsUp(known(), KEY, queue)).toBe(
      `${OWN} waits for snap-1, an older snapshot of the same volume, which waits as well`,
    );
  });

  it('for nobody because of the volume id that all copies have', () => {
    const queue = {
      waiting: [waiting('snap-1', 'vol-ffffffff'), waiting(OWN, 'vol-ffffffff')],
      running: [running('snap-3', 'vol-ffffffff')],
    };
    expect(whatHoldsUp(known({}, 'vol-ffffffff'), KEY, queue)).toContain('waits for a copy slot');
  });
});

it('a request whose execution has started waits for EC2', () => {
  const started = known({ status: 'running', execution: `${OWN}-eu-central-1-1`, attempt: 1 });
  expect(whatHoldsUp(started, KEY, { waiting: [], running: [] })).toBe(
    `${OWN}-eu-central-1-1 has started, and EC2 is asked for the copy`,
  );
});
