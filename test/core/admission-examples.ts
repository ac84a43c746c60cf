import type { RequestAttempt } from '../../core/admission-state.ts';
import type { RunningRequest, WaitingRequest } from '../../core/ledger-request.ts';

/** Requests for copies into eu-central-1, each of a volume of its own unless the test says otherwise. */
export function waiting(snapshotId: string, over: Partial<WaitingRequest> = {}): WaitingRequest {
  return {
    region: 'eu-central-1',
    destination: 'eu-central-1',
    snapshotId,
    volumeId: snapshotId.replace('snap', 'vol'),
    sourceStartTime: '2026-03-02T04:00:00.000Z',
    slots: 20,
    attempt: 0,
    waitingSince: '2026-03-02T04:05:00.000Z',
    ...over,
  };
}

export function running(snapshotId: string, over: Partial<RunningRequest> = {}): RunningRequest {
  return {
    region: 'eu-central-1',
    destination: 'eu-central-1',
    snapshotId,
    volumeId: snapshotId.replace('snap', 'vol'),
    attempt: 1,
    execution: `${snapshotId}-eu-central-1-1`,
    changedAt: '2026-03-02T04:06:00.000Z',
    ...over,
  };
}

export function attempt(snapshotId: string, over: Partial<RequestAttempt> = {}): RequestAttempt {
  return { region: 'eu-central-1', destination: 'eu-central-1', snapshotId, attempt: 1, ...over };
}
