import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LedgerView } from '../stories/ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, type World } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';

/** Disables the key that copies at home are made with, so that they fail. */
function disableKey({ sandbox }: World): void {
  const key = sandbox.keys.find({ account: sandbox.home.account, region: SOURCE_REGION }, 'alias/dr-copies');
  if (key === undefined) throw new Error('The world has no key.');
  sandbox.keys.disable(key);
}

/**
 * One failure of an hour ago; two copies of which one runs for 100 GiB, and behind it another one of its volume; EC2 has two
 * slots in Frankfurt.
 */
async function busyWorld() {
  const world = await newWorld({ slots: 2, copyTakes: '20 min' });
  disableKey(world);
  const failed = await world.snapshot({ Backup: 're-encrypt' });
  await world.pass('1 h');
  const volumeId = await world.volume(100);
  const older = await world.snapshot({ Backup: 'three-at-once' }, { volumeId });
  const younger = await world.snapshot({ Backup: 'three-at-once' }, { volumeId });
  const other = await world.snapshot({ Backup: 'three-at-once' });
  const last = await world.snapshot({ Backup: 'three-at-once' });
  await world.pass('6 min');
  return { world, failed, older, younger, other, last };
}

/** More than the attempts of the SDK, which takes an error for one of its clock: the sandbox has another time. */
const EACH_ATTEMPT = 10;

/** What docs/cli/status.md promises. */
const shape = z.strictObject({
  at: z.iso.datetime(),
  install: z.strictObject({ name: z.string(), account: z.string(), region: z.string() }),
  destinations: z.array(
    z.strictObject({
      destination: z.string(),
      region: z.string(),
      isInRules: z.boolean(),
      waiting: z.number(),
      running: z.number(),
      oldestWaitingSince: z.iso.datetime().nullable(),
      oldestWaitingSeconds: z.number().nullable(),
      slots: z.strictObject({
        ours: z.number(),
        others: z.number(),
        believed: z.number().nullable(),
        ofRules: z.number(),
        countedAt: z.iso.datetime().nullable(),
      }),
      emptyAt: z.iso.datetime().nullable(),
      pace: z
        .strictObject({
          destination: z.string(),
          seconds: z.number(),
          copies: z.number(),
          of: z.enum(['ended', 'running']),
        })
        .nullable(),
    }),
  ),
  running: z.array(
    z.strictObject({
      snapshotId: z.string(),
      volumeId: z.string(),
      destination: z.string(),
      region: z.string(),
      execution: z.string(),
      stage: z.enum(['starting', 'copying', 'unseen', 'finishing']),
      copyId: z.string().nullable(),
      sizeGiB: z.number().nullable(),
      progressPercent: z.number().nullable(),
      begunAt: z.iso.datetime(),
      ageSeconds: z.number(),
      expectedEnd: z.iso.datetime().nullable(),
      basis: z.enum(['progress', 'pace']).nullable(),
    }),
  ),
  waiting: z.array(
    z.strictObject({
      place: z.number(),
      snapshotId: z.string(),
      volumeId: z.string(),
      destination: z.string(),
      region: z.string(),
      sourceStartTime: z.iso.datetime(),
      waitingSince: z.iso.datetime(),
      waitingSeconds: z.number(),
      mayStart: z.boolean(),
      why: z.string(),
      expectedStart: z.iso.datetime().nullable(),
      expectedEnd: z.iso.datetime().nullable(),
    }),
  ),
  failures: z.strictObject({
    since: z.iso.datetime(),
    open: z.array(
      z.strictObject({
        execution: z.string(),
        endedAs: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
        endedAt: z.iso.datetime(),
        snapshotId: z.string().nullable(),
        destination: z.string().nullable(),
        rule: z.string().nullable(),
        isDryRun: z.boolean(),
        reason: z.string(),
        retry: z.string(),
      }),
    ),
    startedAgain: z.strictObject({
      waiting: z.number(),
      running: z.number(),
      copied: z.number(),
      skipped: z.number(),
    }),
  }),
  unreadable: z.array(z.strictObject({ region: z.string(), item: z.string(), problem: z.string() })),
  gaps: z.array(z.string()),
});

describe('snapshot-copier status', () => {
  it('shows what runs, what waits and why, and what failed', async () => {
    const { world, failed, older, younger, other, last } = await busyWorld();
    const { code, stdout, stderr } = await runCli(world.sandbox, ['status']);
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));
    const lineOf = (start: RegExp) => lines.find((line) => start.test(line)) ?? `none of ${start} in\n${stdout}`;
    expect(stderr).toBe('');
    expect(lineOf(/^eu-central-1 /)).toMatch(
      /^eu-central-1 {2}2 {2}8 min {2}2 {2}2 of 2 {2}in \d+ min {2}20 by the rules, but EC2/,
    );
    expect(lineOf(/^eu-north-1 /)).toBe('eu-north-1  0  0  0 of 18');
    expect(lineOf(new RegExp(`^${older}`))).toMatch(
      / {2}eu-central-1 {2}100 {2}█████░{5} {2}4[5-9] % {2}9 min {2}in 1[01] min$/,
    );
    expect(lineOf(new RegExp(`^${other}`))).toMatch(/ {2}eu-central-1 {2}8 {2}█/);
    expect(lineOf(new RegExp(`^ *1 {2}${younger}`))).toMatch(
      new RegExp(
        `  8 min  in 1[01] min  in 3[01] min  the copy of ${older} from vol-\\w+ to eu-central-1 is under way$`,
      ),
    );
    expect(lineOf(new RegExp(`^ *2 {2}${last}`))).toMatch(
      /in 1[23] min {2}in 3[23] min {2}all 2 slots, of \d+, since EC2 refused/,
    );
    expect(lineOf(new RegExp(`^${failed}`))).toBe(`${failed}  eu-west-1  1 h 10 min  key not accessible`);
    expect(stdout).toContain(`\nStart again: snapshot-copier retry ${failed}-eu-west-1-1\n`);
    expect(stdout).toContain('Expected times are rough');
    expect(code).toBe(1);
  });

  it('says the same to machines, in the shape that its page promises', async () => {
    const { world, failed, older, younger } = await busyWorld();
    const { code, stdout } = await runCli(world.sandbox, ['status', '--json', '--since', '7d']);
    const status = shape.parse(JSON.parse(stdout));
    expect(status).toMatchObject({
      install: { name: 'ebs-snapshot-copier-test', region: SOURCE_REGION },
      failures: {
        open: [{ snapshotId: failed, rule: 're-encrypt', retry: `snapshot-copier retry ${failed}-eu-west-1-1` }],
      },
      unreadable: [],
      gaps: [],
    });
    expect(status.destinations.find(({ destination }) => destination === FRANKFURT)).toMatchObject({
      waiting: 2,
      running: 2,
      slots: { ours: 2, others: 0, believed: 2, ofRules: 20, countedAt: status.at },
    });
    const [copy] = world.copies(older);
    expect(status.running[0]).toMatchObject({
      snapshotId: older,
      copyId: copy?.snapshotId,
      sizeGiB: 100,
      stage: 'copying',
    });
    expect(status.waiting[0]).toMatchObject({ snapshotId: younger, place: 1, mayStart: false });
    expect(code).toBe(1);
  });

  it('is cheap: one call for the queue of all Regions, and one of EC2 for each', async () => {
    const { world } = await busyWorld();
    const before = { scan: world.sandbox.dynamodb.calls.length, ec2: world.calls('DescribeSnapshots') };
    await runCli(world.sandbox, ['status']);
    const actions = world.sandbox.dynamodb.calls.slice(before.scan).map(({ action }) => action);
    // The rules of the tests have seven destinations in five Regions.
    expect(actions.toSorted()).toEqual(['BatchGetItem', ...Array(5).fill('GetItem'), 'Scan']);
    expect(world.calls('DescribeSnapshots') - before.ec2).toBe(5);
  });

  it('says what it could not look at, and shows the rest', async () => {
    const { world, younger, last } = await busyWorld();
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'DescribeSnapshots',
      region: FRANKFURT,
      code: 'UnauthorizedOperation',
      status: 403,
      times: EACH_ATTEMPT,
    });
    await new LedgerView(world).edit(last, { waitingSince: { S: 'yesterday' } });
    const { code, stdout, stderr } = await runCli(world.sandbox, ['status']);
    expect(code).toBe(1);
    expect(stderr).toContain('Progress and slots in eu-central-1 are not known: ');
    expect(stderr).toContain(
      `The ledger has an item for eu-central-1 that is left out, eu-central-1#${last}: Cannot read the item`,
    );
    expect(stdout).toContain(younger);
    expect(stdout).toMatch(/slots as counted \d+ s ago/);
    expect(stdout).toContain('not known');
  });

  it('is fine if nothing happens and nothing failed', async () => {
    const world = await newWorld();
    const { code, stdout } = await runCli(world.sandbox, ['status']);
    expect(stdout).toContain('Nothing runs, and nothing waits.');
    expect(stdout).not.toMatch(/RUNNING +VOLUME|NO\. |FAILED/);
    expect(code).toBe(0);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an interval for one look', ['--interval', '5s'], /--interval goes with --watch/],
    ['an interval that is none', ['--watch', '--interval', '0s'], /from 1s to 24h, for example 5s/],
    ['a time that is none', ['--since', 'yesterday'], /for example 7d or 24h/],
  ])('does not take %s', async (_, args, words) => {
    const { code, stderr } = await runCliAlone(['status', ...args]);
    expect(stderr).toMatch(words);
    expect(code).toBe(2);
  });
});

describe('snapshot-copier status --watch, into a pipe', () => {
  it('prints how it is, then a line for each change, and ends well when it is interrupted', async () => {
    const world = await newWorld({ slots: 1, copyTakes: '10 min' });
    const first = await world.snapshot({ Backup: 'three-at-once' });
    const second = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('2 min');
    let isKilled = false;
    const { code, stdout } = await runCli(world.sandbox, ['status', '--watch', '--interval', '1s'], {
      pumpSeconds: 5,
      watch: (seen, child) => {
        if (isKilled || !seen.stdout.includes(`${second} to eu-central-1 is copied as snap-`)) return;
        isKilled = true;
        child.kill('SIGINT');
      },
    });
    const news = stdout.split('\n').filter((line) => / to eu-central-1 /.test(line) && /^\d{4}-/.test(line));
    const [copy, next] = [first, second].map((id) => world.copies(id)[0]?.snapshotId);
    const said = news.map((line) => line.replace(/^\S+ \S+ /, ''));
    // EC2's slot is free before the service has seen the end of the first copy: either may be told first.
    expect(said.slice(0, 2).toSorted()).toEqual(
      [
        `${first} to eu-central-1 is copied as ${copy}`,
        `${second} to eu-central-1 is being copied as ${next}`,
      ].toSorted(),
    );
    expect(said.slice(2)).toEqual([`${second} to eu-central-1 is copied as ${next}`]);
    expect(stdout).toMatch(/^ebs-snapshot-copier-test in account 000000000000, eu-west-1, 2026-01-05 /);
    expect(code).toBe(0);
  });

  it('survives a DynamoDB that throttles, and says so once', async () => {
    const world = await newWorld();
    const fault = { kind: 'error', action: 'Scan', code: 'ThrottlingException', times: 8 };
    let isAdded = false;
    const { code, stdout } = await runCli(world.sandbox, ['status', '--watch', '--interval', '1s'], {
      watch: (seen, child) => {
        if (!isAdded && seen.stdout.includes('Nothing runs')) {
          isAdded = true;
          world.sandbox.dynamodb.faults.add(fault);
        }
        if (seen.stdout.includes('looks succeed again')) child.kill('SIGTERM');
      },
    });
    expect(stdout.match(/was the last look that succeeded; the next one may again: DynamoDB throttles/g)).toHaveLength(
      1,
    );
    expect(code).toBe(0);
  });

  it('ends at once if it may not look at all', async () => {
    const world = await newWorld();
    world.sandbox.dynamodb.faults.add({
      kind: 'error',
      action: 'Scan',
      code: 'AccessDeniedException',
      times: EACH_ATTEMPT,
    });
    const { code, stderr } = await runCli(world.sandbox, ['status', '--watch']);
    expect(stderr).toContain('Allow dynamodb:Scan on the table and its indexes to whoever runs this command');
    expect(code).toBe(1);
  });

  it('prints an object for each look, for machines', async () => {
    const world = await newWorld();
    const { code, stdout } = await runCli(world.sandbox, ['status', '--watch', '--json', '--interval', '1s'], {
      watch: ({ stdout: so }, child) => {
        if (so.split('\n').length > 2) child.kill('SIGINT');
      },
    });
    const looks = stdout.trim().split('\n');
    expect(looks).toHaveLength(2);
    for (const look of looks) shape.parse(JSON.parse(look));
    expect(code).toBe(0);
  });
});
