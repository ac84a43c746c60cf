import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { parseWake } from '../../core/wake.ts';

const execution = {
  id: 'arn:aws:states:eu-west-1:444455556666:express:copier-admission:x:y',
  startTime: '2026-03-02T05:02:10Z',
};

/** As a destination Region sends it, or forwards it. */
function copyEvent(over: { readonly detailType?: string; readonly event?: string; readonly snapshotId?: string } = {}) {
  const {
    detailType = 'EBS Snapshot Notification',
    event = 'copySnapshot',
    snapshotId = 'arn:aws:ec2::eu-central-1:snapshot/snap-0f9e8d7c6b5a40312',
  } = over;
  return {
    version: '0',
    id: 'c0a5f2f7-2d2e-4c8e-9a57-40a7d6b4c003',
    'detail-type': detailType,
    source: 'aws.ec2',
    account: '444455556666',
    time: '2026-03-02T05:02:09Z',
    region: 'eu-central-1',
    resources: ['arn:aws:ec2::eu-central-1:snapshot/snap-0f9e8d7c6b5a40312'],
    detail: { event, result: 'succeeded', cause: '', snapshot_id: snapshotId, incremental: 'true' },
  };
}

describe('a wake of admission', () => {
  it('by the service names a Region', () => {
    expect(parseWake({ execution, wake: { region: 'eu-central-1' } })).toEqual({ region: 'eu-central-1', execution });
  });

  it('by an event names the copy that is pending no more, too', () => {
    expect(parseWake({ execution, wake: copyEvent() })).toEqual({
      region: 'eu-central-1',
      endedCopyId: 'snap-0f9e8d7c6b5a40312',
      execution,
    });
  });

  it('by an event that names no snapshot is a wake all the same', () => {
    expect(parseWake({ execution, wake: copyEvent({ snapshotId: 'arn:aws:ec2:::snapshot/' }) })).toEqual({
      region: 'eu-central-1',
      execution,
    });
  });

  it.each([
    ['an event of another kind', { execution, wake: copyEvent({ event: 'createSnapshot' }) }],
    [
      'an event of another service',
      { execution, wake: copyEvent({ detailType: 'EC2 Instance State-change Notification' }) },
    ],
    ['more than a Region', { execution, wake: { region: 'eu-central-1', snapshot: 'snap-0a' } }],
    ['no Region', { execution, wake: {} }],
    ['no execution', { wake: { region: 'eu-central-1' } }],
    ['nothing', undefined],
  ])('that is %s is an error that shows it', (_what, input) => {
    expect(() => parseWake(input)).toThrow(UnreadableInputError);
    expect(() => parseWake(input)).toThrow(`Found: ${JSON.stringify(input)}`);
  });
});
