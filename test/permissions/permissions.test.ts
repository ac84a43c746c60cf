import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { coverageOf } from './coverage.ts';
import { readDeployed } from './deployed.ts';
import { NEVER_USED } from './never-used.ts';
import { PAGE, permissionsPage, unusedIn } from './page.ts';
import { readReasons } from './reasons.ts';
import { recordAll } from './record.ts';
import { statementsIn } from './statements.ts';

const { deployed, templates } = await readDeployed();
const { recordings, troubles } = await recordAll(deployed);
const covered = coverageOf(statementsIn(templates), recordings);

describe('with all permissions', () => {
  it.each([...troubles])('%s; nothing else is refused', (_, trouble) => {
    expect(trouble).toBeUndefined();
  });
});

describe('without', () => {
  const needed = covered.filter(({ outcomes }) => (outcomes[0]?.red.length ?? 0) > 0);
  it.each(needed.map((each) => [each.statement.name, each.outcomes[0]?.red[0], each] as const))(
    '%s: %s fails, and something does without any part of it',
    (_name, _scenario, each) => {
      const reasons = NEVER_USED.filter(({ what }) => unusedIn(each).some((name) => what.test(name)));
      expect(unusedIn(each).filter((name) => !reasons.some(({ what }) => what.test(name)))).toEqual([]);
    },
  );

  it('anything else, nothing fails; that has a reason each time', () => {
    const unused = covered.flatMap(unusedIn);
    expect(covered.length).toBeGreaterThan(100);
    expect(unused.filter((name) => !NEVER_USED.some(({ what }) => what.test(name)))).toEqual([]);
    // No reason has outlived what it is for.
    expect(NEVER_USED.filter(({ what }) => !unused.some((name) => what.test(name)))).toEqual([]);
  });
});

describe('docs/permissions.md', () => {
  it('is current (if not: npm run permissions -- --write)', () => {
    expect(readFileSync(PAGE, 'utf8') === permissionsPage(covered, readReasons(deployed))).toBe(true);
  });
});
