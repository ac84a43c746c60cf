import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDuration, printDuration } from '../../core/duration.ts';

it('reads minutes, hours and days as seconds, and nothing else', () => {
  expect(['15m', '4h', '2d', '0m'].map(parseDuration)).toEqual([900, 14_400, 172_800, 0]);
  expect(['', '15', 'm', '1.5h', '-1h', '1h30m', '4 h', '4H', '30s', '12345678m'].map(parseDuration)).toEqual(
    Array.from({ length: 10 }, () => undefined),
  );
});

it('writes a duration as short as it can be exact', () => {
  expect([900, 5400, 14_400, 172_800, 45, 3601, 0].map(printDuration)).toEqual([
    '15m',
    '90m',
    '4h',
    '2d',
    '45s',
    '3601s',
    '0m',
  ]);
});

it('reads what it has written', () => {
  fc.assert(
    fc.property(fc.nat(999_999), (minutes) => {
      expect(parseDuration(printDuration(minutes * 60))).toBe(minutes * 60);
    }),
  );
});
