import { expect, it } from 'vitest';
import { growthOf } from '../../bench/growth.ts';

it('goes through the two largest bursts, in whatever order they come', () => {
  const quadratic = growthOf([
    { n: 10_000, value: 500 },
    { n: 100, value: 77 },
    { n: 1000, value: 5 },
  ]);
  expect(quadratic?.exponent).toBeCloseTo(2, 9);
  expect(quadratic?.at(100_000)).toBeCloseTo(50_000, 6);
});

it('is flat where nothing grows, also at nothing', () => {
  const flat = [
    { n: 100, value: 0 },
    { n: 1000, value: 0 },
  ];
  expect(growthOf(flat)).toMatchObject({ exponent: 0 });
  expect(growthOf(flat)?.at(100_000)).toBe(0);
});

it('says nothing from one size, or from nothing to something', () => {
  expect(growthOf([{ n: 100, value: 1 }])).toBeUndefined();
  const appears = [
    { n: 100, value: 0 },
    { n: 1000, value: 4 },
  ];
  expect(growthOf(appears)).toBeUndefined();
});
