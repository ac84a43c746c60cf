import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { DeleteSnapshotCommand, ModifySnapshotAttributeCommand, ModifySnapshotTierCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { printRows, printTotals, size } from '../../cli/plan/plan-text.ts';
import { drawTable } from '../../cli/table.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { NO_OWN_PRICES } from '../../core/copy-cost.ts';
import { makePlan, type PlanRow } from '../../core/plan.ts';
import type { CopyRule } from '../../core/rules.ts';
import { FRANKFURT, newWorld, PARTNER, SOURCE_REGION, VIRGINIA, type World } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';
import { copy, copyTags, destination, HOME, INSTALL, snapshot } from '../support/examples.ts';

const planned = z.object({
  sinceSeconds: z.number().nullable(),
  rows: z.array(
    z.object({
      snapshotId: z.string(),
      destination: z.string(),
      destinationRegion: z.string(),
      action: z.string(),
      reason: z.string(),
      rules: z.array(z.object({ name: z.string(), line: z.string().nullable() })),
      copyId: z.string().nullable(),
      estimate: z
        .object({
          transfer: z.enum(['full', 'incremental']),
          reason: z.string(),
          gib: z.number(),
          transferUsd: z.number().nullable(),
          surchargeUsd: z.number(),
          storageUsdPerMonth: z.number().nullable(),
        })
        .nullable(),
    }),
  ),
  totals: z.object({
    together: z.object({ toCopy: z.object({ copies: z.number(), full: z.number(), gib: z.number() }) }),
  }),
  notVisible: z.array(z.string()),
});

async function planOf(world: World, ...args: readonly string[]): Promise<z.infer<typeof planned>> {
  const { code, stdout, stderr } = await runCli(world.sandbox, ['plan', ...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return planned.parse(JSON.parse(stdout));
}

/** A snapshot of which the service does not hear. */
async function unheard(world: World, volumeId: string, backup = 'nightly'): Promise<string> {
  world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
  return world.snapshot({ Backup: backup }, { volumeId });
}

function rulesFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'plan-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'new-rules.yml');
  writeFileSync(file, text);
  return file;
}

describe('snapshot-copier plan', () => {
  it('foresees of each copy whether EC2 makes it full or incremental, and how much it moves; and changes nothing', async () => {
    const world = await newWorld();
    const { sandbox } = world;
    const volumes = { fresh: await world.volume(100), going: await world.volume(40), archived: await world.volume(30) };
    const [thinned, moved] = [await world.volume(20), await world.volume(10)];
    await world.snapshot({ Backup: 'nightly' }, { volumeId: volumes.going });
    const toArchive = await world.snapshot({ Backup: 'nightly' }, { volumeId: volumes.archived });
    await world.snapshot({ Backup: 'nightly' }, { volumeId: thinned });
    const toLose = await world.snapshot({ Backup: 'nightly' }, { volumeId: thinned });
    await world.pass('1 h');
    const copyInFrankfurt = (snapshotId: string) => world.copies(snapshotId, FRANKFURT)[0]?.snapshotId;
    const there = world.ec2(FRANKFURT);
    await there.send(new ModifySnapshotTierCommand({ SnapshotId: copyInFrankfurt(toArchive), StorageTier: 'archive' }));
    await there.send(new DeleteSnapshotCommand({ SnapshotId: copyInFrankfurt(toLose) }));
    await world.pass('10 min');
    const { fresh, going, archived } = volumes;
    for (const volumeId of [fresh, fresh, fresh, going, going, archived, archived, thinned]) {
      await unheard(world, volumeId);
    }
    await unheard(world, moved, 're-encrypt');

    const callsBefore = sandbox.ec2.calls.length;
    const readsBefore = sandbox.dynamodb.calls.length;
    const { rows, totals } = await planOf(world);
    const calls = sandbox.ec2.calls.slice(callsBefore).map(({ action }) => action);
    expect(new Set(calls)).toEqual(
      new Set(['DescribeSnapshots', 'GetEbsEncryptionByDefault', 'GetEbsDefaultKmsKeyId']),
    );
    const reads = sandbox.dynamodb.calls.slice(readsBefore).map(({ action }) => action);
    expect(new Set(reads)).toEqual(new Set(['Scan', 'BatchGetItem']));
    expect(world.executions()).toHaveLength(8);

    // Eight to two Regions, one within its Region, and the copy that was deleted.
    const toCopy = rows.filter(({ action }) => action === 'copy');
    expect(toCopy).toHaveLength(18);
    expect(totals.together.toCopy).toMatchObject({ copies: 18, full: 5 });

    const asked = await runCli(sandbox, ['backfill', '--since', '7d', '--yes']);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    await world.pass('6 h');
    const made = toCopy.map(({ snapshotId, destinationRegion }) => {
      const { incremental, gibMoved } = world.copies(snapshotId, destinationRegion).at(-1)?.copy ?? {};
      return { snapshotId, destinationRegion, transfer: incremental === true ? 'incremental' : 'full', gib: gibMoved };
    });
    const foreseen = toCopy.map(({ snapshotId, destinationRegion, estimate }) => {
      const gib: unknown = expect.closeTo(estimate?.gib ?? -1);
      return { snapshotId, destinationRegion, transfer: estimate?.transfer, gib };
    });
    expect(made).toEqual(foreseen);
    expect((await planOf(world)).rows.filter(({ action }) => action === 'copy')).toEqual([]);
  });

  it('says for people what is done, why, by which line of the rules, and for how much', async () => {
    const world = await newWorld({ slots: 1, copyTakes: '2 h' });
    const volumeId = await world.volume(100);
    const running = await world.snapshot({ Backup: 'nightly' }, { volumeId });
    const waiting = await world.snapshot({ Backup: 'nightly' }, { volumeId });
    const missing = await unheard(world, volumeId);
    for (const _ of [1, 2]) await world.snapshot({ Backup: 'none' });
    await world.pass('30 min');

    const rules = rulesFile(TWO_PLACES);
    const { code, stdout, stderr } = await runCli(world.sandbox, ['plan', '--rules', rules, '--change-rate', '5%']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [frankfurt, virginia] = [FRANKFURT, VIRGINIA].map((region) => world.copies(running, region)[0]?.snapshotId);
    expect(stdout).toBe(`\
What ${rules} would do with 5 snapshots of the last 7d in eu-west-1:

WHAT     SNAPSHOT                TO            GIB  HOW          WHY
copy     ${running}  sa-east-1     100  full         tag Backup is 'nightly', as rule nightly wants (new-rules.yml:2); no copy of its volume is there
copy     ${waiting}  sa-east-1     5.0  incremental  tag Backup is 'nightly', as rule nightly wants (new-rules.yml:2); after the copy of ${running}
copy     ${missing}  eu-central-1  5.0  incremental  tag Backup is 'nightly', as rule nightly wants (new-rules.yml:2); after the copy of ${waiting}
copy     ${missing}  sa-east-1     5.0  incremental  tag Backup is 'nightly', as rule nightly wants (new-rules.yml:2); after the copy of ${waiting}
running  ${running}  eu-central-1  100  full         ${frankfurt} is at 28 % (new-rules.yml:2); no copy of its volume is there
running  ${running}  us-east-1     100  full         ${virginia} is at 28 %, as rule nightly asked for before; no copy of its volume is there
waiting  ${waiting}  eu-central-1  5.0  incremental  number 1 of 1 for eu-central-1 (new-rules.yml:2); after the copy of ${running}
waiting  ${waiting}  us-east-1     5.0  incremental  number 1 of 1 for us-east-1, as rule nightly asked for before; after the copy of ${running}
skipped  2 snapshots             eu-central-1                    tag Backup is 'none', rule nightly wants 'nightly' (new-rules.yml:2)
skipped  2 snapshots             sa-east-1                       tag Backup is 'none', rule nightly wants 'nightly' (new-rules.yml:2)

TO            COPY  FULL  GIB   ONCE    A MONTH    UNDER WAY  FAILED  EXIST  SKIPPED
eu-central-1     1     0  5.0  $0.10      $0.27  2 (105 GiB)       0      0        2
sa-east-1        3     1  110  $3.52          ?            0       0      0        2
us-east-1        0     0    0  $0.00      $0.00  2 (105 GiB)       0      0        0
together         4     1  115  $3.62  $0.27 + ?  4 (210 GiB)       0      0        4

Assumptions, not a quotation:
  GIB: a full copy moves every block that holds data, an incremental one the 5 % that differ
  from the snapshot before (--change-rate).
  ONCE and A MONTH: US dollars, list prices as found in November 2026, per GiB:
    eu-west-1 to eu-central-1: transfer $0.02, storage $0.054 a month
    eu-west-1 to sa-east-1: transfer $0.02, time-based surcharge $0.012, storage ? a month
    eu-west-1 to us-east-1: transfer $0.02, storage $0.05 a month
  ? is a price that is not known here: give yours with --transfer-price or --storage-price.

4 copies have not been asked for: deploy these rules, then \`snapshot-copier backfill\`.
`);
  });

  it('answers for the snapshots that it is asked for, and says which of them this account does not see', async () => {
    const world = await newWorld();
    const own = await world.snapshot({ Backup: 'dry-run' });
    const shared = await world.snapshot({}, { account: PARTNER, description: 'Created by the partner' });
    const hidden = await world.snapshot({}, { account: PARTNER });
    await world.ec2(SOURCE_REGION, PARTNER).send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: shared,
        CreateVolumePermission: { Add: [{ UserId: world.sandbox.home.account }] },
      }),
    );
    await world.pass('20 min');

    const ids = [own, shared, hidden];
    const { code, stdout, stderr } = await runCli(world.sandbox, ['plan', ...ids, '--json']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Account ${world.sandbox.home.account} sees no ${hidden} in eu-west-1: deleted, in another Region, or of another account that does not share it with this one.\n`,
    );
    const { rows, notVisible, sinceSeconds } = planned.parse(JSON.parse(stdout));
    expect({ notVisible, sinceSeconds }).toEqual({ notVisible: [hidden], sinceSeconds: null });
    const inFrankfurt = rows.filter(({ destination }) => destination === FRANKFURT);
    expect(inFrankfurt).toMatchObject([
      { snapshotId: own, action: 'dry-run', rules: [{ name: 'dry-run', line: 'copy-rules.yml:60' }], estimate: null },
      { snapshotId: shared, action: 'exists', rules: [{ name: 'shared-with-us', line: 'copy-rules.yml:52' }] },
    ]);
    const listed = await planOf(world, '--since', '1h');
    expect(new Set(listed.rows.map(({ snapshotId }) => snapshotId))).toEqual(new Set([own, shared]));
  });

  it('says so if there is nothing to plan, and if it may not look at keys', async () => {
    const world = await newWorld();
    const old = await unheard(world, await world.volume());
    await world.pass('2 d');
    expect(await runCli(world.sandbox, ['plan', '--since', '24h'])).toEqual({
      code: 0,
      stdout: 'No snapshot of the last 1d in eu-west-1.\n',
      stderr: '',
    });

    const denied = {
      kind: 'error',
      action: 'GetEbsEncryptionByDefault',
      code: 'UnauthorizedOperation',
      status: 403,
      share: 1,
    };
    world.sandbox.ec2.faults.add(denied);
    const { code, stdout, stderr } = await runCli(world.sandbox, ['plan', '--since', '3d', '--storage-price', '1']);
    expect(code).toBe(0);
    expect(stderr).toContain('The plan takes keys to be the same as before, without these:\n  EC2 refuses a call');
    expect(stdout).toMatch(new RegExp(`^copy +${old} +eu-central-1 +8\\.0 +full `, 'm'));
    expect(stdout).toContain('eu-west-1 to us-east-1: transfer $0.02, storage $1 a month');
  });

  it.each([
    [
      ['--since', '7x'],
      "option '--since <age>' argument '7x' is invalid. It takes an age of at most 3650d, for example 7d or 24h.",
    ],
    [['--since', '0d'], "argument '0d' is invalid"],
    [['--change-rate', '300%'], 'It takes a percentage from 0% to 100%, for example 3%.'],
    [['--storage-price', 'Frankfurt=1'], 'It takes US dollars, for example 0.02, or eu-west-1=0.02 for one Region.'],
    [['--transfer-price', 'cheap'], 'It takes US dollars, for example 0.02.'],
    [
      ['vol-0123456789abcdef0'],
      'vol-0123456789abcdef0 is no snapshot id. It takes ids such as snap-0a1b2c3d4e5f60718.',
    ],
    [['snap-0a1b2c3d4e5f60718', '--since', '7d'], 'There are snapshot ids and --since 7d: give one of them.'],
  ])('says what is wrong with %j, and does nothing', async (args, said) => {
    const { code, stdout, stderr } = await runCliAlone(['plan', ...args], { env: { AWS_REGION: 'eu-west-1' } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('says what is wrong with a rules file, and where', async () => {
    const wrong = rulesFile('rules:\n  - name: nightly\n    destinations: [{ region: Frankfurt }]\n');
    const [bad, none] = await Promise.all([
      runCliAlone(['plan', '--rules', wrong], { env: { AWS_REGION: 'eu-west-1' } }),
      runCliAlone(['plan', '--rules', 'missing.yml'], { env: { AWS_REGION: 'eu-west-1' } }),
    ]);
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toMatch(/new-rules\.yml is wrong\. .*rules\[0\]\.destinations\[0\]\.region \(line 3\)/s);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('Cannot read the rules file missing.yml');
  });
});

it.each([
  [0, '0'],
  [0.03, '<0.1'],
  [0.24, '0.2'],
  [9.96, '10.0'],
  [1234.5, '1,235'],
])('%d GiB are told as %s', (gib, told) => {
  expect(size(gib)).toBe(told);
});

describe('the rows of a plan on a terminal of 100 columns', () => {
  const rule: CopyRule = { name: 'all', select: {}, destinations: [destination()], dryRun: false };
  /** So many snapshots, of which every second one was copied. */
  function plan(number: number): readonly PlanRow[] {
    const sources = Array.from({ length: number }, (_, index) => {
      const snapshotId = `snap-${String(index).padStart(17, '0')}`;
      return snapshot({ snapshotId, startTime: new Date(Date.UTC(2026, 2, 2, 0, index)).toISOString() });
    });
    const copies = sources
      .filter((_, index) => index % 2 === 1)
      .map(({ snapshotId }) =>
        copy({ snapshotId: `${snapshotId}c`, tags: copyTags({ [COPIER_TAG.sourceSnapshot]: snapshotId }) }),
      );
    return makePlan(sources, {
      install: { account: HOME, name: INSTALL },
      rules: [rule],
      requests: [],
      waiting: [],
      copies,
      keys: new Map(),
      awsKeys: new Set(),
      assumptions: { changeRate: 0.03, prices: NO_OWN_PRICES },
    });
  }

  function printed(
    rows: readonly PlanRow[],
    options: { readonly all: boolean; readonly isLive?: boolean; readonly width?: number; readonly totals?: boolean },
  ): readonly string[] {
    const { all, isLive = true, width = 100, totals = false } = options;
    const lines: string[] = [];
    const print = (text: string): void => {
      lines.push(...stripVTControlCharacters(text).split('\n'));
    };
    const draw: Terminal['drawTable'] = (head, body, align = []) =>
      drawTable(head, body, align, isLive ? width : undefined);
    const unused = (): never => {
      throw new Error('rows need nothing but a table');
    };
    const terminal: Terminal = {
      print,
      table: (...table) => print(draw(...table)),
      drawTable: draw,
      tell: unused,
      json: unused,
      progress: unused,
      confirm: unused,
      width,
      height: 40,
      isLive,
    };
    printRows(terminal, rows, () => 'copy-rules.yml:12', { all });
    if (totals) printTotals(terminal, rows, { changeRate: 0.03, prices: NO_OWN_PRICES });
    return lines;
  }

  it('are no wider than that, and no more than can be looked at, unless all are asked for', () => {
    const few = printed(plan(30), { all: false });
    expect(few.filter((line) => /^(copy|exists) /.test(line))).toHaveLength(30);
    expect(Math.max(...few.map((line) => line.length))).toBeLessThanOrEqual(100);

    const many = printed(plan(60), { all: false });
    expect(many.filter((line) => /^(copy|exists) /.test(line))).toHaveLength(16);
    expect(many.at(-1)).toBe('… and more: 22 × copy, 22 × exists. --all shows them, --json has everything.');
    expect(printed(plan(60), { all: true }).filter((line) => /^(copy|exists) /.test(line))).toHaveLength(60);
  });

  it('have their reasons below them where there is no room beside, and nothing is wider than the terminal', () => {
    const lines = printed(plan(2), { all: false, width: 76, totals: true });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(76);
    expect(lines.slice(0, 3)).toEqual([
      'WHAT    SNAPSHOT                TO            GIB  HOW',
      'copy    snap-00000000000000000  eu-central-1  3.0  incremental',
      '    rule all wants every snapshot (copy-rules.yml:12); after',
    ]);
    expect(lines.filter((line) => line.startsWith('TO '))).toEqual([
      'TO            COPY  FULL  GIB   ONCE  A MONTH',
      'TO            UNDER WAY  FAILED  EXIST  SKIPPED',
    ]);
  });

  it('are all there, a line each, where nobody looks', () => {
    const lines = printed(plan(60), { all: false, isLive: false });
    expect(lines).toHaveLength(61);
  });
});

const TWO_PLACES = `rules:
  - name: nightly
    select: { tags: { Backup: [nightly] } }
    destinations:
      - region: eu-central-1
      - region: sa-east-1
        completionDuration: 4h
`;
