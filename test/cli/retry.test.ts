import { DeleteSnapshotCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { LedgerView } from '../stories/ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, type World } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';

const MACHINE = 'arn:aws:states:eu-west-1:000000000000:stateMachine:ebs-snapshot-copier-test';

function keyOf({ sandbox }: World) {
  const key = sandbox.keys.find({ account: sandbox.home.account, region: SOURCE_REGION }, 'alias/dr-copies');
  if (key === undefined) throw new Error('The world has no key.');
  return key;
}

/** A world with a copy that failed because its key was disabled, which it is no more. */
async function worldWithFailure() {
  const world = await newWorld();
  world.sandbox.keys.disable(keyOf(world));
  const source = await world.snapshot({ Backup: 're-encrypt' });
  await world.pass('1 h');
  expect(await world.reasons()).toEqual(['KeyNotAccessible']);
  world.sandbox.keys.enable(keyOf(world));
  return { world, source, execution: `${source}-${SOURCE_REGION}-1` };
}

const retry = (world: World, ...args: readonly string[]) => runCli(world.sandbox, ['retry', ...args]);

const GOOD = { state: 'completed', tags: { 'snapshot-copier:state': 'copied' } };

describe('snapshot-copier retry', () => {
  it('has a failed copy made, once, however often it is called', async () => {
    const { world, source } = await worldWithFailure();
    const first = await retry(world, source);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(
      `${source} to eu-west-1: waits for its turn again (it failed: key not accessible)\n`,
    );
    expect(first.stdout).toContain('1 request waits for a slot now. To follow: snapshot-copier status --watch');
    const second = await retry(world, source);
    expect(second.stdout).toMatch(/^snap-\w+ to eu-west-1: (waits|runs) already, nothing to do\n$/);
    expect(second.code).toBe(0);

    await world.pass('1 h');
    const [copy] = world.copies(source);
    expect(world.copies(source)).toMatchObject([GOOD]);
    const third = await retry(world, source);
    expect(third.stdout).toBe(
      `${source} to eu-west-1: is copied as ${copy?.snapshotId}, and the copy is there: nothing to do\n`,
    );
    await world.pass('1 h');
    expect(world.copies(source)).toHaveLength(1);
    expect(await world.reasons()).toEqual(['KeyNotAccessible']);
  });

  it('takes what an alert names, and the ARN of it', async () => {
    const { world, source, execution } = await worldWithFailure();
    const [alert] = await world.alerts();
    const [, words = ''] = /npx snapshot-copier (.*? --stack \S+)/s.exec(alert?.body ?? '') ?? [];
    const command = words.split(/[\s\\]+/);
    expect(command).toEqual(['retry', execution, '--region', 'eu-west-1', '--stack', 'ebs-snapshot-copier-test']);
    expect((await runCli(world.sandbox, command)).stdout).toContain(`${source} to eu-west-1: waits for its turn again`);
    const arn = `${MACHINE.replace(':stateMachine:', ':execution:')}:${execution}`;
    expect((await retry(world, arn)).stdout).toMatch(/(waits|runs) already/);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([GOOD]);
  });

  it('has a copy made anew that somebody deleted, and only that one', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    const [frankfurt] = world.copies(source, FRANKFURT);
    await world.ec2(FRANKFURT).send(new DeleteSnapshotCommand({ SnapshotId: frankfurt?.snapshotId }));
    const { code, stdout } = await retry(world, source);
    expect(stdout).toContain(
      `${source} to eu-central-1: waits for its turn again (its copy ${frankfurt?.snapshotId} is gone from EC2)\n`,
    );
    expect(stdout).toMatch(/ to us-east-1: is copied as snap-\w+, and the copy is there: nothing to do\n/);
    expect(code).toBe(0);
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toMatchObject([GOOD]);
    expect(world.copies(source)).toHaveLength(2);
    expect(await new LedgerView(world).request(source)).toMatchObject({
      status: 'copied',
      attempt: 2,
      copyId: world.copies(source, FRANKFURT)[0]?.snapshotId,
    });
  });

  it('adopts a copy that is there although its request failed', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'error', action: 'CreateTags', code: 'UnauthorizedOperation', status: 403 });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    expect(await world.reasons()).toEqual(['NotAllowed']);
    expect((await retry(world, source)).code).toBe(0);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([GOOD]);
    expect(world.calls('CopySnapshot')).toBe(1);
  });

  it('takes the settings that the rule has by now, and says which differ; those of before if it is told to', async () => {
    const { world, source, execution } = await worldWithFailure();
    await world.startAgain(execution, (request) => ({
      ...request,
      destination: { ...request.destination, encryption: { kind: 'key', kmsKey: 'alias/gone' } },
    }));
    await world.pass('1 h');
    expect(await world.reasons()).toEqual(['KeyNotAccessible', 'KeyNotAccessible']);

    const before = await retry(world, source, '--as-before');
    expect(before.stdout).not.toContain('alias/gone');
    await world.pass('1 h');
    expect(world.copies(source)).toEqual([]);

    const today = await retry(world, source);
    expect(today.stdout).toContain(
      'With the settings of rule re-encrypt for eu-west-1 that are deployed now: encryption: alias/gone, now alias/dr-copies\n',
    );
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([GOOD]);
  });

  it('follows a copy until it is there, with time going on', async () => {
    const { world, source } = await worldWithFailure();
    await retry(world, source);
    const { stdout } = await runCli(world.sandbox, ['status', '--watch', '--interval', '1s'], {
      pumpSeconds: 30,
      watch: (seen, child) => {
        if (seen.stdout.includes(`${source} to eu-west-1 is copied as`)) child.kill('SIGINT');
      },
    });
    expect(stdout).toContain('is copied as');
    expect(world.copies(source)).toMatchObject([GOOD]);
  });
});

describe('snapshot-copier retry --all-failed', () => {
  async function worldWithThree() {
    const world = await newWorld();
    world.sandbox.keys.disable(keyOf(world));
    const sources = [];
    for (let index = 0; index < 3; index++) sources.push(await world.snapshot({ Backup: 're-encrypt' }));
    const good = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('1 h');
    world.sandbox.keys.enable(keyOf(world));
    return { world, sources, good };
  }

  it('shows what failed, and starts nothing unless somebody says yes', async () => {
    const { world, sources, good } = await worldWithThree();
    const { code, stdout, stderr } = await retry(world, '--all-failed');
    for (const source of sources)
      expect(stdout).toMatch(new RegExp(`${source} +re-encrypt +eu-west-1 +8 +1 h.* key not accessible`));
    expect(stdout).not.toContain(good);
    expect(stderr).toContain('Start these 3 copies of 24 GiB again? Nobody can answer here: give --yes.');
    expect(code).toBe(2);
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 3, copied: 1 });
  });

  it('starts them all, and tells machines what became of each', async () => {
    const { world, sources } = await worldWithThree();
    const { code, stdout } = await retry(world, '--all-failed', '--yes', '--json');
    expect(JSON.parse(stdout)).toEqual({
      requests: sources.map((snapshotId) => ({
        snapshotId,
        destination: 'eu-west-1',
        region: 'eu-west-1',
        rule: 're-encrypt',
        before: {
          status: 'failed',
          reason: expect.stringContaining('key not accessible'),
          changedAt: expect.stringMatching(/^2026-01-05T/),
        },
        changes: [],
        keptBecause: null,
        accepted: true,
        status: 'waiting',
        reason: expect.stringMatching(/^asked for again by hand after it failed/),
        copyId: null,
        refused: null,
      })),
    });
    expect(code).toBe(0);
    await world.pass('1 h');
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 4 });
  });

  it('can be narrowed to a rule, a destination and a time', async () => {
    const { world } = await worldWithThree();
    const started = async (...args: readonly string[]) => {
      const { stdout } = await retry(world, '--all-failed', '--yes', '--json', ...args);
      return JSON.parse(stdout).requests.length;
    };
    expect(await started('--rule', 'nightly')).toBe(0);
    expect(await started('--destination', 'eu-central-1')).toBe(0);
    expect(await started('--since', '30m')).toBe(0);
    expect(await started('--since', '2h', '--rule', 're-encrypt', '--destination', 'eu-west-1')).toBe(3);
    expect((await retry(world, '--all-failed')).stdout).toContain('Nothing to start again');
  });
});

describe('what cannot be started again', () => {
  it('is named, with where it was looked for, and then nothing is started', async () => {
    const { world, source } = await worldWithFailure();
    const none = 'snap-0123456789abcdef0';
    const { code, stdout, stderr } = await retry(world, source, none, 'by-hand');
    expect(stderr).toContain(`Nobody has asked for a copy of ${none}`);
    expect(stderr).toMatch(/looked for at eu-central-1, eu-central-1-ham-1a, .*us-west-2\)/);
    expect(stderr).toContain(`There is no execution by-hand of ${MACHINE}`);
    expect(stderr).toContain('Nothing was started.');
    expect([code, stdout]).toEqual([1, '']);
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 1 });

    const elsewhere = await retry(world, source, '--rule', 'nightly');
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('is known, but not for rule nightly') });
  });

  it('is a dry run, and how to rehearse again is said', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'dry-run' });
    await world.pass('10 min');
    const { code, stderr } = await retry(world, `${source}-${FRANKFURT}-0`);
    expect(stderr).toContain(`${source}-${FRANKFURT}-0 was a dry run of rule dry-run: it copies nothing`);
    expect(stderr).toContain('aws stepfunctions start-execution');
    expect(code).toBe(1);
  });

  it('is what the service refuses: a request for a Region that no rule has any more', async () => {
    const { world, source } = await worldWithFailure();
    const name = 'by-hand';
    const { input } = world.execution(`${source}-${SOURCE_REGION}-1`);
    await world.startByHand(
      name,
      input.replaceAll('"region":"eu-west-1","encryption"', '"region":"ap-south-1","encryption"'),
    );
    await world.pass('1 h');
    const { code, stdout } = await retry(world, name);
    expect(stdout).toContain('to ap-south-1: not started: destination.region is ap-south-1, and no rule copies there');
    expect(code).toBe(1);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['nothing', [], /Say what to start again/],
    ['a word that is none', ['two words'], /neither the id of a snapshot nor the name or ARN/],
    ['ids beside --all-failed', ['snap-0a1b2c3d', '--all-failed'], /give one of them/],
    ['a time without --all-failed', ['snap-0a1b2c3d', '--since', '1d'], /--since goes with --all-failed/],
    ['JSON where it would have to ask', ['--all-failed', '--json'], /--json does not ask: give --yes/],
    ['a yes that nobody asked for', ['snap-0a1b2c3d', '--yes'], /--yes goes with --all-failed/],
  ])('is %s, and that is wrong usage', async (_, args, words) => {
    const needsInstall = args[0] === 'two words';
    const run = needsInstall ? await retry(await newWorld(), ...args) : await runCliAlone(['retry', ...args]);
    expect(run.stderr).toMatch(words);
    expect(run.code).toBe(2);
  });
});
