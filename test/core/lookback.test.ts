import { describe, expect, it } from 'vitest';
import { daysOf, shouldBeKnown } from '../../core/lookback.ts';

const NOW = new Date('2026-03-02T04:00:00Z');

describe('the days on which a snapshot that completed in the last hours can have begun', () => {
  it.each([
    [4, ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']],
    [5, ['2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']],
    [24, ['2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02']],
  ])('%d hours at four in the morning, and three days that it may have taken', (hours, days) => {
    expect(daysOf(hours, NOW)).toEqual(days);
  });

  it('begin at midnight, universal time', () => {
    expect(daysOf(24, new Date('2026-01-01T00:00:00Z'))[0]).toBe('2025-12-28');
    expect(daysOf(24, new Date('2025-12-31T23:59:59.999Z'))[0]).toBe('2025-12-27');
  });
});

describe('a snapshot of which an event should have been heard', () => {
  const isDue = (startTime: string, completionTime?: string) =>
    shouldBeKnown({ startTime, ...(completionTime !== undefined && { completionTime }) }, 24, NOW);

  it('completed a quarter of an hour ago or earlier: before that, it is left to its event', () => {
    expect(isDue('2026-03-02T03:00:00.000Z', '2026-03-02T03:45:00.000Z')).toBe(true);
    expect(isDue('2026-03-02T03:00:00.000Z', '2026-03-02T03:45:00.001Z')).toBe(false);
  });

  it('completed within the hours that are looked back, however long it took', () => {
    expect(isDue('2026-02-27T04:00:00.000Z', '2026-03-01T04:00:00.000Z')).toBe(true);
    expect(isDue('2026-02-27T04:00:00.000Z', '2026-03-01T03:59:59.000Z')).toBe(false);
  });

  it('is judged by its start where EC2 gives no time of completion', () => {
    expect(isDue('2026-03-02T03:45:00.000Z')).toBe(true);
    expect(isDue('2026-03-02T03:45:00.001Z')).toBe(false);
  });
});
