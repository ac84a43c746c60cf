import { expect, it } from 'vitest';
import { destinationRegions, destinations, mostSlotsOf } from '../../core/rule-destinations.ts';
import type { CopyRule } from '../../core/rules.ts';
import { destination } from '../support/examples.ts';

const frankfurt = destination({ slots: 5 });
const frankfurtAgain = destination({ slots: 12 });
const dublin = destination({ region: 'eu-west-1', slots: 18 });
const hamburg = destination({ localZone: 'eu-central-1-ham-1a', slots: 7 });

const RULES = [rule('nightly', [frankfurt, hamburg]), rule('weekly', [frankfurtAgain, dublin])];

function rule(name: string, to: CopyRule['destinations']): CopyRule {
  return { name, select: {}, destinations: to, dryRun: false };
}

it('every place is a destination once, as the first rule describes it', () => {
  expect(destinations(RULES)).toEqual([frankfurt, hamburg, dublin]);
});

it('places are in the order of their ids, whatever that of the rules', () => {
  expect(destinations([rule('all', [dublin, hamburg, frankfurt])])).toEqual([frankfurt, hamburg, dublin]);
});

it('a Local Zone adds no Region of its own', () => {
  expect(destinationRegions(RULES)).toEqual(['eu-central-1', 'eu-west-1']);
});

it('a Region has the most slots that any destination in it has', () => {
  expect(mostSlotsOf(RULES, 'eu-central-1')).toBe(12);
  expect(mostSlotsOf(RULES, 'eu-west-1')).toBe(18);
});

it('a Region where no rule copies to has none', () => {
  expect(mostSlotsOf(RULES, 'us-east-1')).toBe(0);
  expect(mostSlotsOf([], 'eu-central-1')).toBe(0);
});
