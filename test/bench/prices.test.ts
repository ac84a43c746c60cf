import { expect, it } from 'vitest';
import { priceOf } from '../../bench/prices.ts';

const MILLION = 1_000_000;

it('asks what the price lists ask for a million of each', () => {
  expect(priceOf({ stateTransitions: MILLION })).toBeCloseTo(25, 6);
  expect(priceOf({ lambdaInvocations: MILLION })).toBeCloseTo(0.7, 4);
  expect(priceOf({ expressRequests: MILLION })).toBeCloseTo(1, 6);
  expect(priceOf({ expressSeconds: MILLION })).toBeCloseTo(1.041875, 6);
  expect(priceOf({ ledgerReads: MILLION })).toBeCloseTo(0.125, 6);
  expect(priceOf({ ledgerWrites: MILLION })).toBeCloseTo(0.625, 6);
  expect(priceOf({ stateTransitions: 1, ledgerWrites: 1 })).toBeCloseTo(0.000025625, 12);
});
