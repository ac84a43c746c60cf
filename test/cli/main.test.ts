import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Stack } from '../../aws/stacks.ts';
import { theOnlyInstall } from '../../cli/deployed.ts';
import { newWorld } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';

/** A Node in PATH that cannot run TypeScript. */
const olderNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((node) => /^v(?:1\d|20|21)\./.test(String(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout)));
if (olderNode === undefined)
  console.warn('\n*** SKIPPED: there is no older Node in PATH to start the command with ***\n');

const COMMANDS = ['copy-snapshot', 'plan', 'backfill', 'status', 'retry', 'audit', 'doctor', 'rules'];

describe('the command', () => {
  it('says what it can do, and each of its commands what it takes, with examples', async () => {
    const { code, stdout } = await runCliAlone(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));

    const pages = await Promise.all(COMMANDS.map((command) => runCliAlone([command, '--help'])));
    for (const [index, { code: ended, stdout: help }] of pages.entries()) {
      expect(ended, COMMANDS[index]).toBe(0);
      expect(help).toContain(`snapshot-copier ${COMMANDS[index]}`);
      expect(help).toContain('Examples:');
    }
  });

  it.each([
    [['plam'], "error: unknown command 'plam'\n(Did you mean plan?)"],
    [['status', '--jsn'], "error: unknown option '--jsn'\n(Did you mean --json?)"],
    [['audit', '--rpo'], "error: option '--rpo <duration>' argument missing"],
    [['plan', '--region', 'Ireland'], '--region Ireland is no Region. One is, for example, eu-west-1.'],
  ])('says in two lines what is wrong with %j, and ends with 2', async (args, said) => {
    const { code, stdout, stderr } = await runCliAlone(args);
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('    at ');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('says in a sentence that there is no Region, no credentials, nobody who answers', async () => {
    const [noRegion, noCredentials, nobody] = await Promise.all([
      runCliAlone(['status']),
      runCliAlone(['status', '--region', 'eu-west-1']),
      runCliAlone(['status'], {
        env: {
          AWS_REGION: 'eu-west-1',
          AWS_ACCESS_KEY_ID: 'a',
          AWS_SECRET_ACCESS_KEY: 'b',
          AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        },
      }),
    ]);
    expect(noRegion.stderr).toMatch(/^No Region is given\. Say where the install is with --region /);
    expect(noCredentials.stderr).toMatch(/^No credentials for AWS: .* Use --profile, /);
    expect(nobody.stderr).toMatch(/^STS, or the way to it, is in trouble\. .*ECONNREFUSED/);
    for (const { code, stderr, stdout } of [noRegion, noCredentials, nobody]) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it.skipIf(!existsSync('/dev/full'))('says in a line that there is no room for what it has to say', () => {
    const command = fileURLToPath(new URL('../../cli/snapshot-copier.mjs', import.meta.url));
    const full = openSync('/dev/full', 'w');
    const rules = ['rules', 'explain', fileURLToPath(new URL('../../copy-rules.yml', import.meta.url))];
    const { status, stderr } = spawnSync(process.execPath, [command, ...rules], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'Cannot write what was found: ENOSPC: no space left on device, write\n',
    });
  });

  it.skipIf(olderNode === undefined)('runs where a Node is in the way that is too old for it', () => {
    const command = fileURLToPath(new URL('../../cli/snapshot-copier.mjs', import.meta.url));
    const version = execFileSync(olderNode ?? '', [command, '--version'], { encoding: 'utf8' });
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('the install', () => {
  const stack = (name: string): Stack => ({
    name,
    status: 'CREATE_COMPLETE',
    outputs: new Map([['LedgerTableName', `${name}-ledger`]]),
    parameters: new Map(),
  });

  it('is the only one that there is, whatever other stacks there are', () => {
    const others = [{ ...stack('network'), outputs: new Map() }, stack('billing')];
    expect(theOnlyInstall([...others, stack('ebs-snapshot-copier-prod')], 'here')?.name).toBe(
      'ebs-snapshot-copier-prod',
    );
  });

  it('must be named where there are several, and none is taken for it where there is none', () => {
    const two = [stack('ebs-snapshot-copier-test'), stack('ebs-snapshot-copier-prod')];
    expect(() => theOnlyInstall(two, 'account 1, eu-west-1')).toThrow(
      'There are 2 installs in account 1, eu-west-1: ebs-snapshot-copier-prod, ebs-snapshot-copier-test. Say which: --stack ebs-snapshot-copier-prod',
    );
    expect(theOnlyInstall([stack('billing')], 'account 1, eu-west-1')).toBeUndefined();
  });
});

describe('in an account', () => {
  it('finds the install by itself, by --stack and by the environment, and says where it looked', async () => {
    const { sandbox } = await newWorld();
    const [alone, named, byEnvironment, wrong, elsewhere] = [
      await runCli(sandbox, ['status', '--json']),
      await runCli(sandbox, ['status', '--json', '--stack', 'ebs-snapshot-copier-test']),
      await runCli(sandbox, ['status', '--json'], { env: { SNAPSHOT_COPIER_STACK: 'ebs-snapshot-copier-test' } }),
      await runCli(sandbox, ['status', '--stack', 'ebs-snapshot-copier-tset']),
      await runCli(sandbox, ['status', '--region', 'eu-central-1']),
    ];
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toBe(alone.stdout);
    expect(byEnvironment.stdout).toBe(alone.stdout);
    const otherPlace = 'Another Region: --region; another account: --profile; another name: --stack.';
    expect(wrong).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is no stack ebs-snapshot-copier-tset in account 000000000000, eu-west-1. ${otherPlace}\n`,
    });
    expect(elsewhere).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is no stack ebs-snapshot-copier-… in account 000000000000, eu-central-1. ${otherPlace} To deploy one: npx serverless deploy\n`,
    });
  });

  it('reads credentials and Region of a profile, and --region wins', async () => {
    const { sandbox } = await newWorld();
    const home = mkdtempSync(join(tmpdir(), 'profile-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    mkdirSync(join(home, '.aws'));
    writeFileSync(
      join(home, '.aws/config'),
      '[profile backup]\nregion = eu-west-1\n[profile away]\nregion = eu-west-1\n',
    );
    writeFileSync(
      join(home, '.aws/credentials'),
      '[backup]\naws_access_key_id = 000000000000\naws_secret_access_key = x\n[away]\naws_access_key_id = 111122223333\naws_secret_access_key = x\n',
    );
    const env = { HOME: home, AWS_ENDPOINT_URL: sandbox.endpoint };
    const status = (...args: string[]) => runCliAlone(['status', '--json', ...args], { env });
    expect(await status('--profile', 'backup')).toMatchObject({ code: 0, stderr: '' });
    expect((await status('--profile', 'away')).stderr).toContain('in account 111122223333, eu-west-1.');
    expect((await status('--profile', 'backup', '--region', 'us-east-1')).stderr).toContain(', us-east-1.');
    const otherKeys = { AWS_ACCESS_KEY_ID: '111122223333', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: 'x' };
    const keysToo = await runCliAlone(['status', '--json', '--profile', 'backup'], { env: { ...env, ...otherKeys } });
    expect(keysToo).toMatchObject({ code: 0, stderr: '' });
    expect((await status('--profile', 'nobody', '--region', 'eu-west-1')).stderr).toMatch(
      /^No credentials for AWS: .* The profile nobody has none, or is not there\. Use /,
    );
    expect((await status('--profile', 'nobody')).stderr).toMatch(
      /^No Region is given, and the profile nobody has none or is not there\./,
    );
  });

  it("tells the time by AWS's clock, not by that of the machine", async () => {
    const world = await newWorld({ start: new Date('2031-05-06T07:08:00Z') });
    await world.pass('2 h');
    const { stdout } = await runCli(world.sandbox, ['status', '--json']);
    expect(stdout).toContain('"at": "2031-05-06T09:08:00.000Z"');
  });
});
