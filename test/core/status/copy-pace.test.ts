import { describe, expect, it } from 'vitest';
import { expectedEnd, paceOfRunning, pacesOf } from '../../../core/status/copy-pace.ts';
import { copy } from '../../support/examples.ts';

const NOW = new Date('2026-03-02T05:00:00Z');
const at = (time: string) => `2026-03-02T${time}Z`;
const execution = (startedAt: string, endedAt: string, destination = 'eu-central-1') => ({
  destination,
  startedAt: at(startedAt),
  endedAt: at(endedAt),
});
const pending = (startTime: string, progressPercent: number) =>
  copy({ state: 'pending', startTime: at(startTime), progressPercent });

describe('how long copies take', () => {
  it('is the median of those that ended, at each destination', () => {
    const paces = pacesOf([
      execution('04:00:00', '04:10:00'),
      execution('04:00:00', '04:50:00'),
      execution('04:00:00', '04:20:00'),
      execution('04:00:00', '04:01:00', 'us-east-1'),
      execution('04:00:00', '04:02:00', 'us-east-1'),
    ]);
    expect([...paces]).toEqual([
      ['eu-central-1', { destination: 'eu-central-1', seconds: 1200, copies: 3, of: 'ended' }],
      ['us-east-1', { destination: 'us-east-1', seconds: 90, copies: 2, of: 'ended' }],
    ]);
  });

  it('leaves out executions that were too short to have made a copy', () => {
    expect([...pacesOf([execution('04:00:00', '04:00:29')])]).toEqual([]);
    expect([...pacesOf([execution('04:00:00', '04:00:30')]).keys()]).toEqual(['eu-central-1']);
  });

  it('is, as long as none has ended, what those under way will have taken', () => {
    // 30 of 60 minutes, 15 of 20 minutes, and one that shows nothing yet.
    const copies = [pending('04:30:00', 50), pending('04:45:00', 75), pending('04:59:00', 0)];
    expect(paceOfRunning('us-east-1', copies, NOW)).toEqual({
      destination: 'us-east-1',
      seconds: 2400,
      copies: 2,
      of: 'running',
    });
    expect(paceOfRunning('us-east-1', [pending('04:59:00', 0)], NOW)).toBeUndefined();
  });
});

describe('the end of a copy that is under way', () => {
  it('is expected at the pace that it had so far', () => {
    expect(expectedEnd(pending('04:30:00', 25), NOW)).toEqual(new Date('2026-03-02T06:30:00Z'));
    expect(expectedEnd(pending('04:30:00', 100), NOW)).toEqual(NOW);
  });

  it('is not expected at any time before EC2 shows progress', () => {
    expect(expectedEnd(pending('04:30:00', 0), NOW)).toBeUndefined();
  });

  it('is not before its beginning, even if the clocks differ', () => {
    expect(expectedEnd(pending('05:00:07', 1), NOW)).toEqual(new Date('2026-03-02T05:00:07Z'));
  });
});
