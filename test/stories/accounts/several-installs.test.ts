import { describe, expect, it } from 'vitest';
import type { SnapshotRecord } from '../../../sandbox/ec2/snapshot-record.ts';
import { packagedService } from '../../support/packaged.ts';
import { FRANKFURT, SOURCE_REGION, VIRGINIA } from '../world.ts';
import { type Accounts, HOME, newAccounts, ORDERS, PARTNER, PAYROLL, RULES } from './world.ts';

/** Of the second install: other rules, and another stage, `ebs-snapshot-copier-second`. */
const SECOND_RULES = 'test/support/second-install-rules.yml';
const AWS_KEY = 'alias/aws/ebs';
/** What its rules say, and so have the companions to. */
const EXTERNAL_ID = { ExternalId: 'second/2026' };
/** As seldom as can be: they are not what this is about. */
const SWEEPS = { parameters: { SweepMinutes: '10' } };

/** A world with the second install, in an account, and a key for its copies in each of its Regions. */
async function withSecond(account: string, companion: Readonly<Record<string, string>> = {}) {
  const { dir } = await packagedService('second', SECOND_RULES);
  const first = await newAccounts({
    companion,
    schedules: 'on',
    ...SWEEPS,
    installs: [{ packageDir: dir, account, ...SWEEPS }],
  });
  const [second] = first.others();
  if (second === undefined) throw new Error('There is no second install.');
  for (const region of account === HOME ? [] : [SOURCE_REGION, FRANKFURT]) second.key(region, 'alias/dr-copies');
  return { first, second };
}

/** Where copies are, and in which state, by Region. */
function places(copies: readonly SnapshotRecord[]): readonly string[] {
  return copies.map(({ region, state }) => `${region} ${state}`).toSorted();
}

/** The sources of all copies of an account. */
function sourcesOfCopies(world: Accounts, account: string): ReadonlySet<string> {
  const copies = world.sandbox.ec2.snapshots({ account }).filter(({ copy, description }) => {
    return copy !== undefined && !description.startsWith('snapshot-copier intermediate of ');
  });
  return new Set(copies.map(({ tags }) => tags['snapshot-copier:source-snapshot'] ?? 'unknown'));
}

/** Nobody was told anything, and nothing went wrong that nobody was told of. */
async function expectQuiet(world: Accounts): Promise<void> {
  expect(await world.alerts()).toEqual([]);
  expect(await world.stuckEvents()).toEqual([]);
  expect(world.counted('EventsRefused')).toBe(0);
  for (const name of ['onSnapshotEvent', 'healLostEvents', 'releaseSource']) {
    expect(world.log(name), name).not.toMatch(/"level":"ERROR"|cannot be assumed/);
  }
}

describe('two installs in two Regions of one account', () => {
  it('copy the snapshots of their Region each, once, and end their own shares alone', async () => {
    const { dir } = await packagedService('test', RULES);
    const companion = { Regions: `${SOURCE_REGION},${FRANKFURT}` };
    const ireland = await newAccounts({
      companion,
      copyTakes: '66 min',
      schedules: 'on',
      ...SWEEPS,
      installs: [{ packageDir: dir, region: FRANKFURT, ...SWEEPS }],
    });
    ireland.deployCompanion({ account: ORDERS, region: FRANKFURT, parameters: companion });
    const [frankfurt] = ireland.others();
    if (frankfurt === undefined) throw new Error('There is no second install.');
    const ofIreland = await ireland.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    const ofFrankfurt = await frankfurt.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    expect(frankfurt.record(ofFrankfurt).region).toBe(FRANKFURT);

    // Both have looked by then for what they left behind.
    await ireland.pass('63 min');
    for (const source of [ofIreland, ofFrankfurt]) expect(ireland.sharedWith(source)).toEqual([HOME]);
    await ireland.pass('40 min');
    for (const [world, source] of [
      [ireland, ofIreland],
      [frankfurt, ofFrankfurt],
    ] as const) {
      expect(places(world.copiesOf(source))).toEqual([`${FRANKFURT} completed`, `${VIRGINIA} completed`]);
      expect(world.executions()).toHaveLength(2);
      await expectQuiet(world);
    }
    expect(sourcesOfCopies(ireland, HOME)).toEqual(new Set([ofIreland, ofFrankfurt]));
    expect(ireland.held()).toEqual([]);
  });
});

describe('two stages with a source account in common', () => {
  it('claim the share each: what one does not need any more it does not take from the other', async () => {
    const { first, second } = await withSecond(HOME);
    second.deployCompanion({ account: ORDERS, parameters: EXTERNAL_ID });
    first.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: 4500, destinationRegion: FRANKFURT });
    const source = await first.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await first.pass('3 min');
    const claims = Object.keys(first.record(source).tags).filter((key) => key.includes(':share:'));
    // The copy of the second to eu-west-1 waits: of a volume there is one at a time, whoever makes it.
    expect(claims.toSorted()).toEqual([
      `snapshot-copier:share:ebs-snapshot-copier-second-for-${HOME}/${FRANKFURT}`,
      `snapshot-copier:share:ebs-snapshot-copier-test-for-${HOME}/${SOURCE_REGION}`,
    ]);
    // By the clock, too, both have looked then for what they left behind.
    await first.pass('62 min');
    expect(places(first.copiesOf(source))).toEqual([`${SOURCE_REGION} completed`]);
    expect(places(second.copiesOf(source))).toEqual([`${FRANKFURT} pending`, `${SOURCE_REGION} completed`]);
    expect(first.held().toSorted()).toEqual([
      `${source} has the tag snapshot-copier:share:ebs-snapshot-copier-second-for-${HOME}/${FRANKFURT}=${source}-${FRANKFURT}-1`,
      `${source} has the tag snapshot-copier:share:ebs-snapshot-copier-second-for-${HOME}/over=${source}-${SOURCE_REGION}-1`,
      `${source} has the tag snapshot-copier:share:ebs-snapshot-copier-test-for-${HOME}/over=${source}-${SOURCE_REGION}-1`,
      `${source} is shared with ${HOME}`,
    ]);
    await first.pass('30 min');
    expect(places(second.copiesOf(source))).toEqual([`${FRANKFURT} completed`, `${SOURCE_REGION} completed`]);
    expect(first.held()).toEqual([]);
    expect(sourcesOfCopies(first, HOME)).toEqual(new Set([source]));
    for (const world of [first, second]) await expectQuiet(world);
  });

  it('make intermediate copies of their own, and never copy those of the other, whether or not they see their tags', async () => {
    const { first, second } = await withSecond(HOME, { Reencrypt: 'on' });
    // The second has a companion with ORDERS, and none with PAYROLL, whose snapshots one of its rules selects by owner.
    second.deployCompanion({ account: ORDERS, parameters: { ...EXTERNAL_ID, Reencrypt: 'on' } });
    const sources: string[] = [];
    for (const account of [ORDERS, PAYROLL]) {
      const volumeId = await first.volumeUnder(AWS_KEY, account);
      sources.push(await first.snapshot({ Backup: 'sensitive' }, { account, volumeId }));
    }
    const [ofOrders = '', ofPayroll = ''] = sources;
    await first.pass('75 min');
    for (const source of sources) {
      expect(places(first.copiesOf(source))).toEqual([`${FRANKFURT} completed`, `${VIRGINIA} completed`]);
    }
    expect(places(second.copiesOf(ofOrders))).toEqual([`${FRANKFURT} completed`, `${SOURCE_REGION} completed`]);
    expect(second.copiesOf(ofPayroll)).toEqual([]);
    expect(first.intermediates(ORDERS).map(({ copy }) => copy?.sourceSnapshotId)).toEqual([ofOrders, ofOrders]);
    expect(first.intermediates(PAYROLL).map(({ copy }) => copy?.sourceSnapshotId)).toEqual([ofPayroll]);
    expect(second.log('onSnapshotEvent')).toContain('it is made on the way to a copy');
    expect(sourcesOfCopies(first, HOME)).toEqual(new Set(sources));
    expect(first.held()).toEqual([]);
    for (const world of [first, second]) await expectQuiet(world);
  });

  it('let in events of those accounts alone that they list, where no organisation is named', async () => {
    const { first, second } = await withSecond(HOME);
    second.deployCompanion({ account: PARTNER });
    await second.snapshot({ Backup: 'in-place' }, { account: PARTNER });
    expect(first.sandbox.bus.dropped()).toMatchObject([
      { event: { account: PARTNER }, why: expect.stringContaining('NO_PERMISSIONS') },
    ]);
    expect(second.log('onSnapshotEvent')).toBe('');
  });
});

describe('a target account that is a source account of another install', () => {
  it('has copies of its own and of others’ snapshots, and no copies of copies, in whatever direction', async () => {
    const { first, second } = await withSecond(PAYROLL);
    for (const account of [HOME, ORDERS]) second.deployCompanion({ account, parameters: EXTERNAL_ID });
    const tags = { Backup: 'in-place' };
    const ofHome = await first.snapshot(tags);
    const ofOrders = await first.snapshot(tags, { account: ORDERS });
    const ofPayroll = await first.snapshot(tags, { account: PAYROLL });
    const sources = [ofHome, ofOrders, ofPayroll];
    // Long enough for each to look back at what no event told of.
    await first.pass('75 min');
    expect(sources.map((source) => places(first.copiesOf(source)))).toEqual([
      [`${SOURCE_REGION} completed`],
      [`${SOURCE_REGION} completed`],
      [`${SOURCE_REGION} completed`],
    ]);
    expect(sources.map((source) => places(second.copiesOf(source)))).toEqual([
      [`${SOURCE_REGION} completed`],
      [`${FRANKFURT} completed`, `${SOURCE_REGION} completed`],
      [`${FRANKFURT} completed`, `${SOURCE_REGION} completed`],
    ]);
    for (const account of [HOME, PAYROLL]) expect(sourcesOfCopies(first, account)).toEqual(new Set(sources));
    // Their copies have the tag that their rules select by.
    for (const copy of first.copiesOf(ofHome)) expect(copy.tags).toMatchObject(tags);
    expect(first.held()).toEqual([]);
    for (const world of [first, second]) await expectQuiet(world);
  });
});
