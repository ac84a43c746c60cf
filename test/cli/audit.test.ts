import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CopySnapshotCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  ModifySnapshotTierCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { FRANKFURT, SOURCE_REGION, tagged, VIRGINIA, World } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';
import { packagedService } from '../support/packaged.ts';

const OREGON = 'us-west-2';

const auditJson = z.object({
  verdict: z.string(),
  headline: z.string(),
  auditedAt: z.string(),
  since: z.string(),
  rpoSeconds: z.number(),
  install: z.object({ name: z.string(), account: z.string(), region: z.string() }),
  rules: z.object({ from: z.string(), file: z.string() }),
  totals: z.object({ volumes: z.record(z.string(), z.number()), copies: z.record(z.string(), z.number()) }),
  destinations: z.array(z.looseObject({ destination: z.string(), otherInstalls: z.record(z.string(), z.number()) })),
  volumes: z.array(
    z.object({
      volumeId: z.string(),
      state: z.string(),
      status: z.string(),
      hasStopped: z.boolean(),
      destinations: z.array(z.object({ destination: z.string(), rpo: z.string(), ageSeconds: z.number().nullable() })),
    }),
  ),
  copies: z.array(
    z.object({
      snapshotId: z.string(),
      destination: z.string(),
      verdict: z.string(),
      reason: z.string(),
      ruleLine: z.string(),
      copyIds: z.array(z.string()),
      transfer: z.string().nullable(),
    }),
  ),
  orphans: z.array(z.object({ copyId: z.string(), destination: z.string(), kind: z.string(), reason: z.string() })),
  findings: z.array(
    z.object({
      severity: z.string(),
      kind: z.string(),
      destination: z.string().nullable(),
      title: z.string(),
      commands: z.array(z.string()),
      items: z.array(z.object({ snapshotId: z.string().nullable(), copyIds: z.array(z.string()) })),
    }),
  ),
  troubles: z.array(z.string()),
});
type AuditJson = z.infer<typeof auditJson>;

/** One of everything, over two days. */
interface Scene {
  readonly world: World;
  /** Volumes, by what becomes of their copies. */
  readonly volumes: Readonly<Record<string, string>>;
  /** First snapshots of these volumes. */
  readonly first: Readonly<Record<string, string>>;
  /** Second ones, as far as there are any. */
  readonly second: Readonly<Record<string, string>>;
  /** A copy that was made by hand, with the tags of the service's. */
  readonly twin: string;
}

const EVIL = '=HYPERLINK("http://x") <img src=x onerror=alert(1)>';

async function playScene(world: World): Promise<Scene> {
  const home = world.ec2(SOURCE_REGION);
  const there = world.ec2(FRANKFURT);
  const volumes: Record<string, string> = {};
  const snapshotOf = async (name: string, backup: string | undefined, size = 8): Promise<string> => {
    volumes[name] ??= await world.volume(size);
    const tags = { Name: name === 'calm' ? EVIL : name, ...(backup !== undefined && { Backup: backup }) };
    return world.snapshot(tags, { volumeId: volumes[name] });
  };
  const copyIn = (snapshotId: string, region: string): string => world.copies(snapshotId, region)[0]?.snapshotId ?? '';
  const copyByHand = async (of: string, change: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { tags } = world.record(copyIn(of, FRANKFURT));
    const { SnapshotId = '' } = await there.send(
      new CopySnapshotCommand({
        SourceRegion: SOURCE_REGION,
        SourceSnapshotId: of,
        TagSpecifications: tagged({ ...tags, ...change }),
      }),
    );
    return SnapshotId;
  };

  const first: Record<string, string> = { forgotten: await snapshotOf('forgotten', undefined) };
  for (const name of ['calm', 'stopped', 'retired', 'lost', 'twice', 'gone', 'unselected', 'archived']) {
    first[name] = await snapshotOf(name, 'nightly');
  }
  await world.pass('1 h');
  await home.send(new DeleteVolumeCommand({ VolumeId: volumes['retired'] }));
  await there.send(new ModifySnapshotTierCommand({ SnapshotId: copyIn(first['archived'] ?? '', FRANKFURT) }));
  const twin = await copyByHand(first['twice'] ?? '');
  await copyByHand(first['calm'] ?? '', { [COPIER_TAG.managed]: 'another-install' });
  await world.ec2(VIRGINIA).send(new DeleteSnapshotCommand({ SnapshotId: copyIn(first['lost'] ?? '', VIRGINIA) }));

  await world.pass('20 h');
  first['slow'] = await snapshotOf('slow', 'three-at-once', 500);
  await world.pass('26 h');
  const second: Record<string, string> = {};
  for (const name of ['calm', 'lost', 'twice', 'gone', 'unselected', 'archived']) {
    second[name] = await snapshotOf(name, 'nightly');
  }
  first['failed'] = await snapshotOf('failed', 'key-by-arn');
  await world.pass('1 h');
  const fromNow = { Resources: [first['forgotten'] ?? ''], Tags: [{ Key: 'Backup', Value: 'nightly' }] };
  await home.send(new CreateTagsCommand(fromNow));
  await home.send(new DeleteSnapshotCommand({ SnapshotId: first['gone'] }));
  await home.send(new DeleteTagsCommand({ Resources: [first['unselected'] ?? ''], Tags: [{ Key: 'Backup' }] }));
  for (const name of ['running-1', 'running-2', 'waiting']) first[name] = await snapshotOf(name, 'three-at-once', 500);
  await world.pass('5 min');
  return { world, volumes, first, second, twin };
}

let scene: Scene;
let folder: string;
/** What the command said of the scene, before anything was mended. */
let said: { readonly code: number | null; readonly text: string; readonly stderr: string };
let found: AuditJson;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
  const { dir } = await packagedService();
  const sandbox = await startSandbox({
    packageDir: dir,
    time: { mode: 'jumping' },
    // Two days of looking after nothing take their time.
    schedules: 'off',
    ec2: { copyTakesSeconds: ({ gib }) => (gib >= 500 ? 40 * 3600 : 600) },
  });
  const world = new World(sandbox);
  world.key(VIRGINIA, 'alias/dr-copies');
  scene = await playScene(world);
  const { code, stdout, stderr } = await run(
    '--html',
    join(folder, 'report.html'),
    '--csv',
    join(folder, 'report.csv'),
  );
  said = { code, text: stdout, stderr };
  found = await auditedAs('--region', SOURCE_REGION);
});

afterAll(async () => {
  await scene.world.sandbox.stop();
  rmSync(folder, { recursive: true });
});

function run(...args: readonly string[]) {
  return runCli(scene.world.sandbox, ['audit', ...args]);
}

async function auditedAs(...args: readonly string[]): Promise<AuditJson> {
  const { stdout, stderr } = await run('--json', ...args);
  expect(stderr).toBe('');
  return auditJson.parse(JSON.parse(stdout));
}

describe('an audit of two days in which everything happened once', () => {
  it('says of each selected snapshot at each destination what became of it', () => {
    const { first, second } = scene;
    const expected: Record<string, string> = {};
    for (const name of ['calm', 'stopped', 'retired', 'lost', 'twice', 'archived']) {
      for (const region of [FRANKFURT, VIRGINIA]) expected[`${first[name]} ${region}`] = 'protected';
    }
    for (const snapshotId of Object.values(second)) {
      for (const region of [FRANKFURT, VIRGINIA]) expected[`${snapshotId} ${region}`] = 'protected';
    }
    expected[`${first['lost']} ${VIRGINIA}`] = 'missing';
    expected[`${first['twice']} ${FRANKFURT}`] = 'duplicate';
    expected[`${first['forgotten']} ${FRANKFURT}`] = 'missing';
    expected[`${first['forgotten']} ${VIRGINIA}`] = 'missing';
    expected[`${first['failed']} ${OREGON}`] = 'failed';
    expected[`${first['slow']} ${FRANKFURT}`] = 'late';
    for (const name of ['running-1', 'running-2', 'waiting']) expected[`${first[name]} ${FRANKFURT}`] = 'under-way';
    const verdicts = found.copies.map(({ snapshotId, destination, verdict }) => [
      `${snapshotId} ${destination}`,
      verdict,
    ]);
    expect(Object.fromEntries(verdicts)).toEqual(expected);

    const reasonOf = (snapshotId: string | undefined, region: string): string =>
      found.copies.find((copy) => copy.snapshotId === snapshotId && copy.destination === region)?.reason ?? '';
    expect(reasonOf(first['lost'], VIRGINIA)).toMatch(
      /^it was copied as snap-\w+, and EC2 shows no such copy any more/,
    );
    expect(reasonOf(first['forgotten'], VIRGINIA)).toBe('nobody asked for it');
    expect(reasonOf(first['failed'], OREGON)).toContain('key not accessible');
    expect(reasonOf(first['slow'], FRANKFURT)).toMatch(/ is at 6\d %$/);
    expect(reasonOf(first['waiting'], FRANKFURT)).toMatch(/^it waits for a copy slot since 2026-01-07 09:\d\dZ/);
  });

  it('tells volumes apart, by the age of their data and not of their copies', () => {
    const { volumes, world } = scene;
    const names = new Map(Object.entries(volumes).map(([name, id]) => [id, name]));
    const inShort = found.volumes.map(({ volumeId, status, state, hasStopped, destinations }) => [
      names.get(volumeId),
      `${status}, ${state}${hasStopped ? ', stopped' : ''}: ${destinations.map(({ rpo }) => rpo).join(' ')}`,
    ]);
    expect(Object.fromEntries(inShort)).toEqual({
      forgotten: 'unprotected, exists, stopped: broken broken',
      slow: 'unprotected, exists, stopped: broken',
      stopped: 'unprotected, exists, stopped: broken broken',
      failed: 'gaps, exists: starting',
      lost: 'gaps, exists: kept kept',
      archived: 'protected, exists: kept kept',
      calm: 'protected, exists: kept kept',
      gone: 'protected, exists: kept kept',
      retired: 'protected, deleted: ended ended',
      'running-1': 'protected, exists: starting',
      'running-2': 'protected, exists: starting',
      twice: 'protected, exists: kept kept',
      unselected: 'protected, exists: kept kept',
      waiting: 'protected, exists: starting',
    });
    const taken = world.record(scene.first['stopped'] ?? '').startedAt;
    const age = found.volumes.find(({ volumeId }) => volumeId === volumes['stopped'])?.destinations[0]?.ageSeconds;
    expect(age).toBe(Math.floor((Date.parse(found.auditedAt) - taken) / 1000));
    expect(found).toMatchObject({
      verdict: 'unprotected',
      headline: '5 of 14 volumes are not protected',
      rpoSeconds: 86_400,
      install: { name: 'ebs-snapshot-copier-test', account: world.sandbox.home.account, region: SOURCE_REGION },
      rules: { from: 'deployed', file: 'copy-rules.yml' },
      totals: { volumes: { total: 14, protected: 9, gaps: 2, unprotected: 3 } },
      troubles: [],
    });
  });

  it('names what is too much: orphans with the reason, the duplicate to delete, copies of others', () => {
    const { first, twin } = scene;
    const orphans = found.orphans
      .map(({ kind, destination, reason }) => ({ kind, destination, reason }))
      .toSorted((a, b) => a.kind.localeCompare(b.kind));
    const unwanted = "tag Backup is not there, rule nightly wants 'nightly' or 'weekly'";
    expect(orphans).toMatchObject([
      { kind: 'not-selected', destination: FRANKFURT, reason: expect.stringContaining(unwanted) },
      { kind: 'not-selected', destination: VIRGINIA, reason: unwanted },
      {
        kind: 'source-gone',
        destination: FRANKFURT,
        reason: `its source ${first['gone']} is not in ${SOURCE_REGION} any more`,
      },
      { kind: 'source-gone', destination: VIRGINIA },
    ]);
    expect(found.findings.find(({ kind }) => kind === 'duplicate')).toMatchObject({
      severity: 'notice',
      commands: [`aws ec2 delete-snapshot --region ${FRANKFURT} --snapshot-id ${twin}`],
    });
    expect(found.destinations.find(({ destination }) => destination === FRANKFURT)?.otherInstalls).toEqual({
      'another-install': 1,
    });
  });

  it('computes of each copy whether it was full as EC2 decided it, and finds the one that should not have been', () => {
    const { world, second } = scene;
    const computed = found.copies.flatMap(({ copyIds: [copyId], transfer }) =>
      copyId === undefined || transfer === null ? [] : [{ copyId, isFull: transfer !== 'incremental' }],
    );
    const decided = computed.map(({ copyId }) => ({
      copyId,
      isFull: world.record(copyId).copy?.incremental === false,
    }));
    expect(computed).toEqual(decided);
    // Six second snapshots at two places, but for the one after the archived copy and the one after the deleted copy.
    expect(computed.filter(({ isFull }) => !isFull)).toHaveLength(10);

    const copyIds = world.copies(second['archived'] ?? '', FRANKFURT).map(({ snapshotId }) => snapshotId);
    expect(found.findings.filter(({ kind }) => kind === 'full-copies')).toMatchObject([
      { severity: 'notice', destination: FRANKFURT, items: [{ copyIds }] },
    ]);
  });

  it('gives commands that mend it', async () => {
    const { first, world } = scene;
    const commands = (kind: string) =>
      found.findings.filter((each) => each.kind === kind).flatMap((each) => each.commands);
    expect(commands('failed')).toEqual([
      `snapshot-copier retry ${first['failed']} --destination us-west-2 --region eu-west-1`,
    ]);
    expect(commands('late')).toEqual(['snapshot-copier status --region eu-west-1']);
    const lost = `snapshot-copier retry ${first['lost']} --destination us-east-1 --region eu-west-1`;
    const forgotten = 'snapshot-copier backfill --since 3d --destination us-east-1 --region eu-west-1';
    expect(commands('missing')).toEqual(expect.arrayContaining([lost, forgotten]));

    for (const line of [lost, `${forgotten} --yes`]) {
      const { code, stderr } = await runCli(world.sandbox, line.split(' ').slice(1));
      expect(code, stderr).toBe(0);
    }
    await world.pass('30 min');
    const after = await auditedAs();
    const verdictOf = (id: string | undefined) =>
      after.copies.find(({ snapshotId, destination }) => snapshotId === id && destination === VIRGINIA)?.verdict;
    expect([verdictOf(first['lost']), verdictOf(first['forgotten'])]).toEqual(['protected', 'protected']);
  });

  it('begins with the verdict for people, and ends with 1', () => {
    const { code, text } = said;
    const lines = text.split('\n');
    expect(code).toBe(1);
    expect(lines[0]).toBe(
      '5 of 14 volumes are not protected. 3 have no good copy of data younger than 24 h at a destination. 2 keep the RPO, but a snapshot of each lacks its copy.',
    );
    expect(lines[1]).toBe(
      `ebs-snapshot-copier-test, account ${scene.world.sandbox.home.account}, eu-west-1, at 2026-01-07 09:25Z; RPO 24 h; snapshots of the last 30 d; rules: copy-rules.yml, as deployed`,
    );
    const frankfurt = lines.find((line) => line.startsWith('eu-central-1 '))?.split(/ {2,}/);
    expect(frankfurt?.slice(0, 11)).toEqual(['eu-central-1', '17', '11', '3', '1', '1', '0', '0', '1', '2', '1']);
    expect(text).toContain(`PROBLEM: 1 snapshot could not be copied to us-west-2`);
    expect(text).toContain('\n    snapshot-copier status\n');
    expect(text).toContain('NOTICE: 1 copy at us-east-1 has outlived its source snapshot\n');
  });

  it('writes a row for each snapshot and destination, in which nothing is a formula', () => {
    const text = readFileSync(join(folder, 'report.csv'), 'utf8');
    const [header, ...rows] = text.trimEnd().split('\r\n');
    expect(header).toBe(
      '\uFEFFsnapshot_id,snapshot_region,snapshot_owner,snapshot_taken,size_gib,volume_id,volume_name,volume_state,volume_status,rule,rule_line,destination,verdict,reason,copy_id,copy_count,copy_completed,copy_transfer,volume_rpo,volume_newest_copy_id,volume_newest_copy_data',
    );
    expect(rows).toHaveLength(found.copies.length);
    const calm = rows.find((row) => row.startsWith(`${scene.second['calm']},`)) ?? '';
    expect(calm).toContain(`,"'=HYPERLINK(""http://x"") <img src=x onerror=alert(1)>",exists,protected,nightly,`);
    expect(text).not.toMatch(/(^|,)"?[=+@-]/m);
  });

  it('says where it wrote, leaves nothing else there, and tells so on stderr alone', () => {
    expect(said.stderr).toBe(`Wrote ${join(folder, 'report.html')}\nWrote ${join(folder, 'report.csv')}\n`);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['report.csv', 'report.html']));
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('writes a page that a browser shows as it is meant', () => {
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(page).toContain('<h1 id="verdict">5 of 14 volumes are not protected</h1>');
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });
});

describe('snapshot-copier audit', () => {
  it('ends with 0 where everything is protected: by other rules, and for shorter', async () => {
    const rules = join(folder, 'calm-rules.yml');
    const only = `select: { tags: { Backup: [nightly] }, volumes: [${scene.volumes['calm']}] }`;
    writeFileSync(rules, `rules:\n  - name: nightly\n    ${only}\n    destinations: [{ region: eu-central-1 }]\n`);
    const { code, stdout } = await run('--rules', rules, '--since', '30h', '--rpo', '5h');
    expect(stdout).toMatch(/^The only volume is protected\. EC2 has 1 of 1 copy that the rules ask for\.\n/);
    expect(stdout).toContain(`RPO 5 h; snapshots of the last 1 d 6 h; rules: ${rules}\n`);
    expect(code).toBe(0);
    const nothing = await run('--rules', rules, '--since', '5m', '--rpo', '4m');
    expect(nothing.stdout).toMatch(/^There is nothing to protect\. No rule selects any snapshot of the last 5 min\./);
  });

  it.each([
    [['--rpo', 'soon'], "option '--rpo <duration>' argument 'soon' is invalid. It takes a duration, for example 24h"],
    [
      ['--since', '12h'],
      '--since 12 h is not longer than --rpo 1 d: what is older than the RPO would not be looked at.',
    ],
    [['--since', '0d'], "option '--since <age>' argument '0d' is invalid"],
    [['--html', 'x', '--csv', 'x'], '--html and --csv both name x: give each its own file.'],
    [['eu-west-1'], 'too many arguments'],
  ])('takes no %j', async (args, said) => {
    const { code, stdout, stderr } = await runCliAlone(['audit', ...args], { env: { AWS_REGION: 'eu-west-1' } });
    expect(stderr).toContain(said);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('tells what it found even if it cannot write it', async () => {
    const nowhere = join(folder, 'nowhere', 'report.html');
    mkdirSync(join(folder, 'a-folder'), { recursive: true });
    const { code, stdout, stderr } = await run('--html', nowhere, '--csv', join(folder, 'a-folder'));
    expect(stdout).toContain(' volumes are not protected. ');
    expect(stderr).toContain(`Cannot write ${nowhere}: ENOENT`);
    expect(stderr).toContain(`Cannot write ${join(folder, 'a-folder')}: EISDIR`);
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(1);
  });

  it('goes on where it may not ask for volumes or the ledger, and says what that means', async () => {
    const audited = await refused(
      { ec2: { action: 'DescribeVolumes' }, dynamodb: { action: 'BatchGetItem', code: 'AccessDeniedException' } },
      async () => {
        const { code, stdout, stderr } = await run('--json');
        const { troubles, ...rest } = auditJson.parse(JSON.parse(stdout));
        expect(stderr.trim().split('\n')).toEqual(troubles);
        return { code, troubles, ...rest };
      },
    );
    expect(audited.code).toBe(1);
    expect(audited.troubles).toEqual([
      expect.stringMatching(
        /^What waits or failed is not known, .*dynamodb:BatchGetItem .* to whoever runs this command/,
      ),
      expect.stringMatching(/^Which volumes were deleted is not known, .*DescribeVolumes in eu-west-1/),
    ]);
    expect(new Set(audited.volumes.map(({ state }) => state))).toEqual(new Set(['unknown']));
    expect(audited.copies.map(({ verdict }) => verdict)).not.toContain('missing');
  });

  it('proves nothing where it may not list the copies', async () => {
    await refused({ ec2: { action: 'DescribeSnapshots', region: FRANKFURT } }, async () => {
      const { code, stdout, stderr } = await run();
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/DescribeSnapshots .* in eu-central-1/);
      expect(stderr).not.toContain('    at ');
    });
  });
});

/** Calls are refused as long as `work` is going on. */
async function refused<Result>(
  what: { readonly ec2: object; readonly dynamodb?: object },
  work: () => Promise<Result>,
) {
  const { ec2, dynamodb } = scene.world.sandbox;
  ec2.faults.add({ kind: 'error', code: 'UnauthorizedOperation', status: 403, times: 1000, ...what.ec2 });
  if (what.dynamodb !== undefined) dynamodb.faults.add({ kind: 'error', status: 400, times: 1000, ...what.dynamodb });
  try {
    return await work();
  } finally {
    ec2.faults.clear();
    dynamodb.faults.clear();
  }
}
