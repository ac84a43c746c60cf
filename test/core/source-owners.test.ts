import { describe, expect, it } from 'vitest';
import type { CopyRule } from '../../core/rules.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import { destination } from '../support/examples.ts';

const rule = (select: CopyRule['select']): CopyRule => ({
  name: 'a',
  select,
  destinations: [destination()],
  dryRun: false,
});

describe('whose snapshots the rules can select', () => {
  const ACCOUNTS = ['222233334444', '111122223333'];

  it('includes, by tags as well, every account with the companion where a rule names no owners', () => {
    expect(sourceOwners([rule({ tags: { Backup: true } })], ACCOUNTS).withCompanion).toEqual([
      '111122223333',
      '222233334444',
    ]);
  });

  it('leaves out those with the companion that no rule names as owner', () => {
    const rules = [
      rule({ owners: ['self'] }),
      rule({ owners: ['222233334444', '999988887777'], tags: { Backup: true } }),
    ];
    expect(sourceOwners(rules, ACCOUNTS)).toMatchObject({
      withCompanion: ['222233334444'],
      shared: [],
      named: ['222233334444', '999988887777'],
    });
    expect(sourceOwners(rules).withCompanion).toEqual([]);
  });
});
