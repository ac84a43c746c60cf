import { expect, it } from 'vitest';
import { NO_OWN_PRICES } from '../../core/copy-cost.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import { makePlan, type PlanRow } from '../../core/plan.ts';
import { backfillRequests, narrowed } from '../../core/plan-backfill.ts';
import type { CopyRule } from '../../core/rules.ts';
import { destination, HOME, INSTALL, request, snapshot } from '../support/examples.ts';

const zone = destination({ region: 'eu-west-1', localZone: 'eu-west-1-dub-1a' });

function rule(name: string, over: Partial<CopyRule> = {}): CopyRule {
  return { name, select: { tags: { Backup: [name] } }, destinations: [destination()], dryRun: false, ...over };
}

function snapshotFor(backup: string, hour: number) {
  const time = `2026-03-02T0${hour}:00:00.000Z`;
  return snapshot({ snapshotId: `snap-${backup}-${hour}`, startTime: time, tags: { Backup: backup } });
}

const failed: LedgerRequest = {
  request: request({ source: { snapshotId: 'snap-daily-3' } }),
  status: 'failed',
  reason: 'Given key ID is not accessible',
  attempt: 1,
  requestedAt: '2026-03-02T04:00:00.000Z',
  waitingSince: '2026-03-02T04:00:00.000Z',
  changedAt: '2026-03-02T04:00:00.000Z',
};

const rows = makePlan(
  [
    snapshotFor('weekly', 2),
    snapshotFor('daily', 1),
    snapshotFor('daily', 3),
    snapshotFor('rehearsal', 4),
    snapshotFor('none', 5),
  ],
  {
    install: { account: HOME, name: INSTALL },
    rules: [
      rule('daily'),
      rule('weekly', { destinations: [destination(), zone] }),
      rule('rehearsal', { dryRun: true }),
    ],
    requests: [failed],
    waiting: [],
    copies: [],
    keys: new Map(),
    awsKeys: new Set(),
    assumptions: { changeRate: 0.03, prices: NO_OWN_PRICES },
  },
);

const asked = (some: readonly PlanRow[]) =>
  backfillRequests(some).map(
    ({ rule: name, source, destination: to }) => `${name}: ${source.snapshotId} to ${to.localZone ?? to.region}`,
  );

it('a backfill asks for all that is missing, oldest first, and not for what failed, is only rehearsed or not wanted', () => {
  expect(asked(rows)).toEqual([
    'daily: snap-daily-1 to eu-central-1',
    'weekly: snap-weekly-2 to eu-central-1',
    'weekly: snap-weekly-2 to eu-west-1-dub-1a',
  ]);
});

it.each([
  [{ rules: ['daily'], destinations: [] }, ['daily: snap-daily-1 to eu-central-1']],
  [{ rules: ['weekly'], destinations: ['eu-central-1'] }, ['weekly: snap-weekly-2 to eu-central-1']],
  [{ rules: [], destinations: ['eu-west-1-dub-1a'] }, ['weekly: snap-weekly-2 to eu-west-1-dub-1a']],
  [{ rules: [], destinations: ['eu-west-1'] }, ['weekly: snap-weekly-2 to eu-west-1-dub-1a']],
  [{ rules: ['daily'], destinations: ['eu-west-1'] }, []],
])('it can be narrowed to %j', (only, wanted) => {
  expect(asked(narrowed(rows, only))).toEqual(wanted);
});

it('what failed under a rule stays in its part of the plan', () => {
  expect(narrowed(rows, { rules: ['daily'], destinations: [] }).map(({ action }) => action)).toContain('failed');
});
