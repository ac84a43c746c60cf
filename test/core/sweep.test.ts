import { describe, expect, it } from 'vitest';
import { isUnheard, queueLengths, worthAsking } from '../../core/sweep.ts';
import { running, waiting } from './admission-examples.ts';

const NOW = new Date('2026-03-02T04:10:00Z');

it('the sweep asks after executions of which nothing was heard for two minutes', () => {
  const quiet = running('snap-0a', { changedAt: '2026-03-02T04:08:00.000Z' });
  const lively = running('snap-0b', { changedAt: '2026-03-02T04:08:00.001Z' });
  expect(worthAsking([quiet, lively], NOW)).toEqual([quiet]);
});

it('the sweep leaves the end of an execution to its event for two minutes', () => {
  expect(isUnheard({ stopDate: Date.parse('2026-03-02T04:08:00.001Z') }, NOW)).toBe(false);
  expect(isUnheard({ stopDate: Date.parse('2026-03-02T04:08:00.000Z') }, NOW)).toBe(true);
  expect(isUnheard({}, NOW)).toBe(true);
});

describe('the queue of a Region', () => {
  it('is measured for each destination: how many wait, and how long the one that waits longest', () => {
    const zone = { destination: 'eu-central-1-ham-1a' };
    const queue = [
      waiting('snap-0a', { waitingSince: '2026-03-02T04:09:30.000Z' }),
      waiting('snap-0b', { waitingSince: '2026-03-02T03:10:00.000Z' }),
      waiting('snap-0b', { ...zone, waitingSince: '2026-03-02T04:09:58.600Z' }),
    ];
    expect(queueLengths(queue, NOW)).toEqual([
      { destination: 'eu-central-1', requests: 2, oldestAgeSeconds: 3600 },
      { destination: 'eu-central-1-ham-1a', requests: 1, oldestAgeSeconds: 1 },
    ]);
  });

  it('is none when nothing waits', () => {
    expect(queueLengths([], NOW)).toEqual([]);
  });

  it('has no negative age by a clock that goes behind', () => {
    const queue = [waiting('snap-0a', { waitingSince: '2026-03-02T04:11:00.000Z' })];
    expect(queueLengths(queue, NOW)).toMatchObject([{ oldestAgeSeconds: 0 }]);
  });
});
