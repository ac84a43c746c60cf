import { describe, expect, it } from 'vitest';
import {
  checkSelected,
  checkSourceKeyOwner,
  examplePerDestination,
  selectedCopies,
  sourceKeys,
} from '../../../core/doctor/source-keys.ts';
import { briefs, HOME, PARTNER, rules, snapshot } from './examples.ts';

const KEY = `arn:aws:kms:eu-west-1:${HOME}:key/1111aaaa-22bb-33cc-44dd-5555eeee6666`;
const THIRD = 'arn:aws:kms:eu-west-1:999999999999:key/1111aaaa-22bb-33cc-44dd-5555eeee6666';

const RULES = rules(
  { name: 'nightly', select: { tags: { Backup: ['nightly'] } } },
  {
    name: 'weekly',
    select: { tags: { Backup: ['weekly'] } },
    destinations: [{ region: 'us-east-1' }, { region: 'eu-central-1' }],
  },
  { name: 'elsewhere', select: { regions: ['us-west-2'] } },
);
const NIGHTLY = snapshot({ tags: { Backup: 'nightly' }, encrypted: true, kmsKeyId: KEY });
const NEWER = snapshot({ snapshotId: 'snap-2', tags: { Backup: 'nightly' }, startTime: '2026-03-03T00:00:00.000Z' });
const WEEKLY = snapshot({ snapshotId: 'snap-3', tags: { Backup: 'weekly' }, encrypted: true, kmsKeyId: KEY });
const OTHER = snapshot({ snapshotId: 'snap-4' });
const PERIOD = {
  region: 'eu-west-1',
  days: 3,
  look: { say: 'See why:', run: ['snapshot-copier plan --since 30d'] },
};

it('looks at what the rules select, the newest first', () => {
  const copies = selectedCopies([NIGHTLY, OTHER, NEWER, WEEKLY], RULES, HOME);
  expect(copies.map(({ snapshot: { snapshotId }, destination }) => `${snapshotId} ${destination.region}`)).toEqual([
    'snap-2 eu-central-1',
    'snap-0a1b2c3d4e5f60718 eu-central-1',
    'snap-3 us-east-1',
    'snap-3 eu-central-1',
  ]);
  expect(examplePerDestination(copies).map(({ snapshot: { snapshotId } }) => snapshotId)).toEqual(['snap-2', 'snap-3']);
});

describe('rules that select nothing', () => {
  it('are named together, but for those that are about other Regions', () => {
    const copies = selectedCopies([NIGHTLY], RULES, HOME);
    const findings = checkSelected({ value: copies }, RULES, PERIOD);
    expect(findings.map(({ status, found, rules: names = [] }) => [status, found, ...names])).toEqual([
      ['ok', '1 is selected'],
      ['hint', 'none is selected', 'weekly'],
    ]);
  });

  it('are no matter if all select something', () => {
    const copies = selectedCopies([NIGHTLY, NEWER, WEEKLY], RULES, HOME);
    expect(briefs(checkSelected({ value: copies }, RULES, PERIOD))).toEqual(['ok: 3 are selected']);
  });

  it('are all that there is to say of an account without snapshots', () => {
    expect(briefs(checkSelected({ value: [] }, RULES, PERIOD))).toEqual([
      'hint: none is selected\nsnapshot-copier plan --since 30d',
    ]);
  });

  it('cannot be told if nobody may list snapshots', () => {
    const fact = { unknown: 'no', lacks: ['ec2:DescribeSnapshots'] };
    expect(checkSelected(fact, RULES, PERIOD)[0]?.status).toBe('unchecked');
  });
});

describe('the keys of sources', () => {
  it('are each looked at once, as EC2 of all Regions concerned may use them', () => {
    expect(sourceKeys(selectedCopies([NIGHTLY, NEWER, WEEKLY], RULES, HOME), 'eu-west-1')).toEqual([
      {
        name: KEY,
        region: 'eu-west-1',
        as: 'source',
        rules: ['nightly', 'weekly'],
        usedFrom: ['eu-west-1', 'eu-central-1', 'us-east-1'],
      },
    ]);
  });

  it('belong to accounts whose keys the role may use', () => {
    let companions: readonly string[] = [];
    const key = { name: KEY, region: 'eu-west-1', as: 'source', rules: ['shared'], usedFrom: [] } as const;
    const check = (name: string, select: object) =>
      briefs(checkSourceKeyOwner({ ...key, name }, rules({ name: 'shared', select }), companions, HOME));
    expect(check(KEY, { tags: { Backup: true } })).toEqual([]);
    expect(check('1111aaaa-22bb-33cc-44dd-5555eeee6666', { tags: { Backup: true } })).toEqual([]);
    expect(check(THIRD, {})).toEqual([]);
    expect(check(THIRD, { owners: ['999999999999'] })).toEqual([]);
    expect(check(THIRD, { owners: ['self', PARTNER] })).toEqual([
      `problem: it belongs to account 999999999999, whose keys the role of the service may not use\nrules:\n  - name: shared\n    select:\n      owners: [self, "${PARTNER}", "999999999999"]`,
    ]);
    expect(check(THIRD, { tags: { Backup: true } })[0]).toContain('owners: [self, "999999999999"]');
    expect(check(KEY, { owners: [PARTNER] })[0]).toContain(`it belongs to account ${HOME}`);
    companions = ['999999999999'];
    expect(check(THIRD, { tags: { Backup: true } })).toEqual([]);
    expect(check(THIRD, { tags: { Backup: true }, owners: ['self'] })).toHaveLength(1);
  });
});
