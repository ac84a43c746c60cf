import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { readSnapshotEvent } from '../../core/snapshot-event.ts';

const SNAPSHOT = 'snap-0a1b2c3d4e5f60718';

function event(detail: object, over: object = {}): object {
  return {
    version: '0',
    id: '5d1f7b0e-6f0e-4a53-9f5e-0a2f6f1c9a01',
    'detail-type': 'EBS Snapshot Notification',
    source: 'aws.ec2',
    account: '111122223333',
    time: '2026-03-02T04:11:27Z',
    region: 'eu-west-1',
    resources: [`arn:aws:ec2::eu-west-1:snapshot/${SNAPSHOT}`],
    detail,
    ...over,
  };
}

function created(over: object = {}): object {
  return event({
    event: 'createSnapshot',
    result: 'succeeded',
    cause: '',
    'request-id': '',
    snapshot_id: `arn:aws:ec2::eu-west-1:snapshot/${SNAPSHOT}`,
    source: 'arn:aws:ec2::eu-west-1:volume/vol-0123456789abcdef0',
    startTime: '2026-03-02T04:09:51.204Z',
    endTime: '2026-03-02T04:11:26.870Z',
    ...over,
  });
}

function shared(source: unknown): object {
  return event({
    event: 'shareSnapshot',
    result: 'succeeded',
    snapshot_id: `arn:aws:ec2::eu-west-1:snapshot/${SNAPSHOT}`,
    source,
  });
}

describe('a completed snapshot', () => {
  it.each([
    `arn:aws:ec2::eu-west-1:snapshot/${SNAPSHOT}`,
    `arn:aws:ec2:eu-west-1::snapshot/${SNAPSHOT}`,
    `arn:aws:ec2:eu-west-1:111122223333:snapshot/${SNAPSHOT}`,
    SNAPSHOT,
  ])('is found in %s', (snapshot_id) => {
    expect(readSnapshotEvent(created({ snapshot_id }))).toEqual({
      kind: 'snapshots',
      trigger: 'created',
      snapshotIds: [SNAPSHOT],
      region: 'eu-west-1',
      account: '111122223333',
      eventTime: '2026-03-02T04:11:27Z',
    });
  });

  it('is found in the resources when its own field is missing or empty', () => {
    for (const snapshot_id of [undefined, '', null]) {
      expect(readSnapshotEvent(created({ snapshot_id }))).toMatchObject({ snapshotIds: [SNAPSHOT] });
    }
  });

  it('is read from the capitalised field names of older events', () => {
    const old = event({ Event: 'createSnapshot', Result: 'succeeded', Snapshot_Id: SNAPSHOT });
    expect(readSnapshotEvent(old)).toMatchObject({ kind: 'snapshots', snapshotIds: [SNAPSHOT] });
  });
});

describe('a shared snapshot', () => {
  it.each([
    ['111122223333', '111122223333'],
    [111122223333, '111122223333'],
    [1122223333, '001122223333'], // a number has lost its leading zeros
  ])('names the account %j as %s', (source, sharedBy) => {
    expect(readSnapshotEvent(shared(source))).toMatchObject({ trigger: 'shared', snapshotIds: [SNAPSHOT], sharedBy });
  });

  it('needs no account', () => {
    expect(readSnapshotEvent(shared(undefined))).not.toHaveProperty('sharedBy');
  });
});

describe('a multi-volume set', () => {
  const members = ['snap-0aaa1111bbbb2222c', 'snap-0ddd3333eeee4444f'];
  const set = (over: object) =>
    event(
      {
        event: 'createSnapshots',
        result: 'succeeded',
        snapshots: members.map((id) => ({ snapshot_id: `arn:aws:ec2::eu-west-1:snapshot/${id}`, status: 'completed' })),
        ...over,
      },
      {
        'detail-type': 'EBS Multi-Volume Snapshots Completion Status',
        resources: members.map((id) => `arn:aws:ec2::eu-west-1:snapshot/${id}`),
      },
    );

  it('has a snapshot for each volume', () => {
    expect(readSnapshotEvent(set({}))).toMatchObject({ trigger: 'created', snapshotIds: members });
  });

  it('is read from the resources when its list is empty or broken', () => {
    expect(readSnapshotEvent(set({ snapshots: [] }))).toMatchObject({ snapshotIds: members });
    expect(readSnapshotEvent(set({ snapshots: 'two' }))).toMatchObject({ snapshotIds: members });
  });
});

describe('an event that nobody asked for is ignored, and the reason says why', () => {
  it.each([
    ['a failed snapshot', created({ result: 'failed', cause: 'volume gone' }), 'createSnapshot failed: volume gone'],
    ['no result', created({ result: undefined }), 'createSnapshot has no result'],
    [
      'a copy, ours or not',
      created({ event: 'copySnapshot' }),
      'nobody asks for EBS Snapshot Notification "copySnapshot"',
    ],
    ['a lock', created({ event: 'lockSnapshot' }), '"lockSnapshot"'],
    ['no event name', created({ event: undefined }), '""'],
    ['another detail type', event({}, { 'detail-type': 'EBS Volume Notification' }), 'EBS Volume Notification'],
    ['a name from the prototype', created({ event: 'constructor' }), 'constructor'],
  ])('%s', (_what, input, reason) => {
    expect(readSnapshotEvent(input)).toEqual({ kind: 'ignored', reason: expect.stringContaining(reason) });
  });
});

describe('what cannot be read is an error, so that it ends in the stuck-events queue', () => {
  it.each([
    ['nothing', undefined],
    ['a text', 'hello'],
    ['no detail', { source: 'aws.ec2' }],
    ['another source', event({}, { source: 'aws.states' })],
    ['no Region', { ...created(), region: 'Frankfurt' }],
    ['no snapshot anywhere', { ...created({ snapshot_id: 'arn:aws:ec2::eu-west-1:volume/vol-1' }) }],
  ])('%s', (_what, input) => {
    expect(() => readSnapshotEvent(input)).toThrow(UnreadableInputError);
  });
});
