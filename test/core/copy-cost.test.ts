import { describe, expect, it } from 'vitest';
import { costOf, NO_OWN_PRICES, type OwnPrices, unitPrices } from '../../core/copy-cost.ts';
import { destination } from '../support/examples.ts';

const IRELAND = { region: 'eu-west-1' };
const FRANKFURT = destination({ region: 'eu-central-1' });

describe('the price of a GiB', () => {
  it('is that of the way out of the source Region, and of keeping it at the destination', () => {
    expect(unitPrices(IRELAND, FRANKFURT, NO_OWN_PRICES)).toEqual({ transfer: 0.02, surcharge: 0, storage: 0.054 });
    expect(unitPrices({ region: 'sa-east-1' }, destination({ region: 'us-east-1' }), NO_OWN_PRICES)).toEqual({
      transfer: 0.138,
      surcharge: 0,
      storage: 0.05,
    });
  });

  it('is half between the two Regions in the east of the US, in both directions', () => {
    const ohio = destination({ region: 'us-east-2' });
    const virginia = destination({ region: 'us-east-1' });
    expect(unitPrices({ region: 'us-east-1' }, ohio, NO_OWN_PRICES).transfer).toBe(0.01);
    expect(unitPrices({ region: 'us-east-2' }, virginia, NO_OWN_PRICES).transfer).toBe(0.01);
    expect(unitPrices({ region: 'us-east-2' }, FRANKFURT, NO_OWN_PRICES).transfer).toBe(0.02);
  });

  it('has no transfer within a Region', () => {
    expect(unitPrices(IRELAND, destination({ region: 'eu-west-1' }), NO_OWN_PRICES)).toMatchObject({ transfer: 0 });
  });

  it.each([
    ['a Region that is not in the table', { region: 'mx-central-1' }, destination({ region: 'mx-central-1' }), 0],
    ['out of such a Region', { region: 'mx-central-1' }, destination({ region: 'il-central-1' }), undefined],
    ['an Outpost', IRELAND, destination({ region: 'eu-west-1', outpost: 'arn:outpost/op-1' }), undefined],
    ['a Local Zone', IRELAND, destination({ region: 'eu-west-1', localZone: 'eu-west-1-dub-1a' }), undefined],
  ])('is not known of %s', (_, source, to, transfer) => {
    expect(unitPrices(source, to, NO_OWN_PRICES)).toEqual({ transfer, surcharge: 0, storage: undefined });
  });

  it('is not known out of a Local Zone', () => {
    const source = { region: 'us-west-2', localZone: 'us-west-2-lax-1a' };
    expect(unitPrices(source, destination({ region: 'us-west-2' }), NO_OWN_PRICES)).toEqual({
      transfer: undefined,
      surcharge: 0,
      storage: 0.05,
    });
  });

  it.each([
    [15, 0.02],
    [30, 0.018],
    [45, 0.018],
    [60, 0.016],
    [120, 0.014],
    [225, 0.014],
    [240, 0.012],
    [480, 0.01],
    [945, 0.01],
    [960, 0.005],
    [2880, 0.005],
  ])('has a surcharge for a copy within %i minutes', (completionDurationMinutes, surcharge) => {
    expect(unitPrices(IRELAND, destination({ completionDurationMinutes }), NO_OWN_PRICES).surcharge).toBe(surcharge);
  });

  it('is what the user says: of one Region before that of all, and where none is known as well', () => {
    const own: OwnPrices = {
      transfer: new Map([
        ['*', 0.5],
        ['eu-west-1', 0.25],
      ]),
      storage: new Map([['il-central-1', 0.125]]),
      surcharge: 0.0625,
    };
    const there = destination({ region: 'il-central-1', completionDurationMinutes: 15 });
    expect(unitPrices(IRELAND, there, own)).toEqual({ transfer: 0.25, surcharge: 0.0625, storage: 0.125 });
    expect(unitPrices({ region: 'us-east-1' }, FRANKFURT, own)).toEqual({
      transfer: 0.5,
      surcharge: 0,
      storage: 0.054,
    });
    expect(unitPrices(IRELAND, destination({ region: 'eu-west-1' }), own)).toMatchObject({ transfer: 0 });
  });
});

describe('the cost of a copy', () => {
  it('is what moves, once, and what is kept of it, each month', () => {
    const prices = { transfer: 0.02, surcharge: 0.01, storage: 0.05 };
    expect(costOf(100, prices)).toEqual({ transfer: 2, surcharge: 1, storagePerMonth: 5 });
  });

  it('has no invented number', () => {
    const prices = { transfer: undefined, surcharge: 0, storage: undefined };
    expect(costOf(100, prices)).toEqual({ transfer: undefined, surcharge: 0, storagePerMonth: undefined });
  });

  it('is nothing if nothing moves, whatever the price is', () => {
    const prices = { transfer: undefined, surcharge: 0.01, storage: undefined };
    expect(costOf(0, prices)).toEqual({ transfer: 0, surcharge: 0, storagePerMonth: 0 });
  });
});
