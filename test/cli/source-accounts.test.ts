import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { keyStatements } from '../../core/key-statements.ts';
import { clientEnvironment, runProcess } from '../../sandbox/client-process.ts';
import {
  type Accounts,
  HOME,
  INSTALL,
  newAccounts,
  ORDERS,
  PARTNER,
  PAYROLL,
  RULES,
} from '../stories/accounts/world.ts';
import { FRANKFURT, SOURCE_REGION, tagged, VIRGINIA } from '../stories/world.ts';
import { awsCliInstalled } from '../support/aws-cli.ts';
import { recordCalls } from '../support/call-recorder.ts';
import { runCli } from '../support/cli.ts';
import { documentedNeeds } from '../support/documented-needs.ts';

const intermediate = z.object({ account: z.string(), is: z.string(), gib: z.number() });
const planned = z.object({
  rows: z.array(
    z.object({
      snapshotId: z.string(),
      ownerId: z.string(),
      destination: z.string(),
      action: z.string(),
      reason: z.string(),
      estimate: z.object({ intermediate: intermediate.nullable() }).nullable(),
    }),
  ),
  totals: z.object({ together: z.object({ toCopy: z.object({ intermediates: z.object({ copies: z.number() }) }) }) }),
  notVisible: z.array(z.string()),
  unseenAccounts: z.array(z.object({ account: z.string(), why: z.string() })),
});
const examined = z.object({
  findings: z.array(
    z.object({
      subject: z.string(),
      check: z.string(),
      about: z.string(),
      status: z.string(),
      found: z.string(),
      mend: z.array(z.object({ say: z.string(), run: z.string().optional(), paste: z.string().optional() })),
    }),
  ),
});
const audited = z.object({
  verdict: z.string(),
  headline: z.string(),
  unseenAccounts: z.array(z.object({ account: z.string() })),
  copies: z.array(z.object({ snapshotId: z.string(), verdict: z.string() })),
  orphans: z.array(z.object({ copyId: z.string(), reason: z.string() })),
  findings: z.array(z.object({ kind: z.string(), commands: z.array(z.string()) })),
});

/** Runs a command that only looks; what it calls must be in docs/cli.md. */
async function look(world: Accounts, command: string, ...args: readonly string[]) {
  const recorder = await recordCalls(world.sandbox.endpoint);
  const { code, stdout, stderr } = await runCli(world.sandbox, [command, ...args, '--json'], {
    env: { AWS_ENDPOINT_URL: recorder.endpoint },
  });
  const { always, sometimes } = documentedNeeds(command);
  const allowed = [...documentedNeeds('every command').always, ...always, ...sometimes];
  expect(recorder.actions().filter((action) => !allowed.includes(action))).toEqual([]);
  return { code, stderr, json: JSON.parse(stdout) as unknown };
}

async function planOf(world: Accounts, ...args: readonly string[]) {
  const { code, stderr, json } = await look(world, 'plan', ...args);
  return { code, stderr, ...planned.parse(json) };
}

/** The findings about source accounts, as `check status about: found`. */
async function examine(world: Accounts, ...args: readonly string[]) {
  const { json } = await look(world, 'doctor', ...args);
  const all = examined.parse(json).findings;
  const findings = all.filter(({ subject }) => subject === 'source accounts');
  return {
    findings,
    ofKeys: all
      .filter(({ subject }) => subject === 'source keys')
      .map(({ status, about, found }) => `${status} ${about}: ${found}`),
    inShort: findings.map(({ check, status, about, found }) => `${check} ${status} ${about}: ${found}`),
  };
}

/** A rules file with this text. */
function written(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'rules-')), 'rules.yml');
  onTestFinished(() => rmSync(dirname(file), { recursive: true }));
  writeFileSync(file, text);
  return file;
}

/** The rules that are deployed, in a file that two accounts have which copy to each other: it lists this one as well. */
function rulesOfBoth(): string {
  return written(readFileSync(RULES, 'utf8').replace('accounts: [', `accounts: ["${HOME}", `));
}

/** A snapshot of which the service does not hear. */
async function unheard(world: Accounts, ...[tags, options]: Parameters<Accounts['snapshot']>): Promise<string> {
  world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
  return world.snapshot(tags, options);
}

describe('source accounts', () => {
  it('that nobody can look into are named by every command, with what mends them; then all is planned, asked for and proved', async () => {
    const world = await newAccounts({ schedules: 'off', companion: 'none' });
    const own = await world.snapshot({ Backup: 'nightly' });
    const underAwsKey = await world.volumeUnder('alias/aws/ebs', ORDERS);
    const sensitive = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId: underAwsKey });
    const hopeless = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS, volumeId: underAwsKey });
    const nightly = await world.snapshot({ Backup: 'nightly', Team: 'payroll' }, { account: PAYROLL });
    await world.pass('30 min');

    const blind = await planOf(world);
    expect(blind.code).toBe(1);
    expect(new Set(blind.rows.map(({ snapshotId }) => snapshotId))).toEqual(new Set([own]));
    expect(blind.unseenAccounts.map(({ account }) => account)).toEqual([ORDERS, PAYROLL]);
    expect(blind.stderr).toContain(
      `Source account ${ORDERS} could not be looked into. Nothing of it is in here; \`snapshot-copier doctor\` says what mends it: The role of the companion in account ${ORDERS} cannot be assumed`,
    );
    const before = await look(world, 'audit');
    expect(before.code).toBe(1);
    expect(audited.parse(before.json)).toMatchObject({
      verdict: 'unprotected',
      headline: 'Nothing is known of 2 source accounts',
      findings: [{ kind: 'unseen-account', commands: ['snapshot-copier doctor'] }],
    });
    const nothing = await runCli(world.sandbox, ['backfill', '--since', '1d', '--yes']);
    expect({ code: nothing.code, stdout: nothing.stdout.split('\n')[0] }).toEqual({
      code: 1,
      stdout: 'No copy is missing of 1 snapshot of the last 1d in eu-west-1.',
    });
    const sick = await examine(world);
    expect(sick.inShort).toEqual([
      ...[ORDERS, PAYROLL].map((account): unknown =>
        expect.stringContaining(
          `source-role problem role arn:aws:iam::${account}:role/snapshot-copier/${INSTALL}-for-${HOME}: the service may not look into the account: `,
        ),
      ),
      `source-bus ok event bus ${INSTALL} of account ${HOME} in eu-west-1: it lets the accounts of organisation o-a1b2c3d4e5 in`,
      'refused-events unchecked events on the bus that were refused: this command does not ask CloudWatch',
    ]);

    for (const account of [ORDERS, PAYROLL]) world.deployCompanion({ account, parameters: { Reencrypt: 'on' } });
    const seen = await planOf(world);
    expect({ code: seen.code, stderr: seen.stderr }).toEqual({ code: 0, stderr: '' });
    const rowsOf = (id: string) =>
      seen.rows.filter(({ snapshotId, action }) => snapshotId === id && action !== 'skipped');
    expect(rowsOf(nightly).map(({ action, destination }) => [action, destination])).toEqual([
      ['copy', FRANKFURT],
      ['copy', VIRGINIA],
    ]);
    expect(rowsOf(sensitive).map(({ estimate }) => estimate?.intermediate)).toEqual([
      { account: ORDERS, is: 'toMake', gib: 8 },
      { account: ORDERS, is: 'shared', gib: 0 },
    ]);
    expect(rowsOf(hopeless).map(({ action }) => action)).toEqual(['unshareable', 'unshareable']);
    expect(seen.totals.together.toCopy.intermediates.copies).toBe(1);

    const asked = await runCli(world.sandbox, ['backfill', '--since', '1d', '--yes']);
    expect(asked.code).toBe(0);
    expect(asked.stdout).toContain(
      `Made first, for what is to be copied: 1 full copy under a shareable key in account ${ORDERS}, 8.0 GiB, $0.40 a month there while it is kept.`,
    );
    expect(asked.stdout).toContain(
      `2 copies cannot be made, as account ${ORDERS} cannot share what is under aws/ebs: \`reencrypt: true\` in rule nightly, `,
    );
    expect(asked.stdout).toContain('\n4 copies asked for.');
    await world.pass('2 h');
    expect(world.copiesOf(sensitive).map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(world.copiesOf(nightly)[0]?.tags).toMatchObject({ Team: 'payroll' });
    expect(world.copiesOf(hopeless)).toEqual([]);
    await world.remove(hopeless);

    const after = await look(world, 'audit', '--rules', rulesOfBoth());
    const { copies, ...audit } = audited.parse(after.json);
    expect(after.code).toBe(0);
    expect(audit).toEqual({
      verdict: 'protected',
      headline: 'All 3 volumes protected',
      unseenAccounts: [],
      orphans: [],
      findings: [],
    });
    expect(new Set(copies.map(({ snapshotId }) => snapshotId))).toEqual(new Set([own, sensitive, nightly]));
  });

  it('are looked into for single snapshots, whoever sees them', async () => {
    const world = await newAccounts({ schedules: 'off' });
    const theirs = await world.snapshot({ Backup: 'none' }, { account: ORDERS });
    const given = await world.snapshot({}, { account: PARTNER, description: 'for the vault: disk 1' });
    await world.share(given);
    const hidden = await world.snapshot({}, { account: PARTNER });
    await world.pass('20 min');
    const ids = [theirs, given, hidden];
    const { code, rows, notVisible, unseenAccounts, stderr } = await planOf(world, '--rules', rulesOfBoth(), ...ids);
    expect({ code, notVisible, unseenAccounts }).toEqual({ code: 1, notVisible: [hidden], unseenAccounts: [] });
    expect(stderr).toBe(
      `Account ${HOME} sees no ${hidden} in eu-west-1, nor has source account ${ORDERS} or ${PAYROLL} one: deleted, in another Region, or of another account that does not share it with this one.\n`,
    );
    const reasons = rows.filter(({ snapshotId, destination }) => snapshotId === theirs && destination === VIRGINIA);
    expect(reasons[0]?.reason).toContain("tag Backup is 'none', rule nightly wants 'nightly'");
    expect(rows.find(({ snapshotId, action }) => snapshotId === given && action !== 'skipped')?.action).toBe('exists');

    const copy = (id: string) =>
      runCli(
        world.sandbox,
        [
          'copy-snapshot',
          '--source-region',
          SOURCE_REGION,
          '--source-snapshot-id',
          id,
          '--region',
          FRANKFURT,
          '--wait',
        ],
        { pumpSeconds: 5 },
      );
    expect((await copy(theirs)).code).toBe(0);
    expect(world.copiesOf(theirs).map(({ state, region }) => [state, region])).toEqual([['completed', FRANKFURT]]);
    expect(world.held().filter((each) => each.includes(theirs))).toEqual([]);
    expect(await copy(hidden)).toEqual({
      code: 255,
      stdout: '',
      stderr: `\nAn error occurred (InvalidSnapshot.NotFound) when calling the CopySnapshot operation: The snapshot '${hidden}' does not exist.\n`,
    });
  });
});

describe('a doctor of source accounts', () => {
  it('tells what is left behind, what is switched off and whose events do not arrive, and is content when it is mended', async () => {
    const world = await newAccounts({ schedules: 'off', companion: { Reencrypt: 'on' } });
    const regions = [SOURCE_REGION, FRANKFURT, VIRGINIA];
    const install = { name: INSTALL, account: HOME, region: SOURCE_REGION };
    const root = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ORDERS}:root` }, Action: 'kms:*', Resource: '*' };
    const policyWith = (statements: string) =>
      `{"Version":"2012-10-17","Statement":[${JSON.stringify(root)},${statements}]}`;
    const incomplete = keyStatements(install, regions, ['kms:DescribeKey', 'kms:Decrypt']);
    const key = world.sandbox.keys.create({
      account: ORDERS,
      region: SOURCE_REGION,
      policy: policyWith(incomplete),
    });
    const volumeId = await world.volumeUnder(key.arn, ORDERS);
    const locked = await unheard(world, { Backup: 'nightly' }, { account: ORDERS, volumeId });
    const heard = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await unheard(world, { Backup: 'nightly' }, { account: PAYROLL });
    await world.pass('3 h');
    // As if nobody had heard the end of this one.
    await world.share(heard);
    const claim = `snapshot-copier:share:${INSTALL}-for-${HOME}/${FRANKFURT}`;
    const { Tags } = tagged({ [claim]: `${heard}-${FRANKFURT}-1` })[0] ?? {};
    await world.ec2(SOURCE_REGION, ORDERS).send(new CreateTagsCommand({ Resources: [heard], Tags }));
    const [rule] = world.sandbox.bus.rules(`arn:aws:events:eu-west-1:${HOME}:event-bus/${INSTALL}`);
    if (rule === undefined) throw new Error('There is a rule on the bus.');
    world.sandbox.bus.setEnabled(rule, false);

    const { json, code } = await look(world, 'doctor');
    expect(code).toBe(1);
    const all = examined.parse(json).findings;
    const ofKey = all.filter(({ about }) => about.endsWith(`source key ${key.arn}`));
    expect(ofKey.map(({ check, status, found }) => `${check} ${status} ${found}`)).toEqual([
      'key ok enabled, symmetric, customer managed',
      'key-policy problem neither it nor a grant lets the role, or its account, do kms:CreateGrant',
    ]);
    const [toAdd] = ofKey[1]?.mend ?? [];
    expect(toAdd?.run).toContain(`--key-id ${key.arn} > key-policy.json`);
    world.sandbox.keys.putPolicy(key, policyWith(`${incomplete},${toAdd?.paste}`));

    const findings = all.filter(({ subject }) => /source accounts|events/.test(subject));
    const sick = findings.filter(({ status }) => status === 'warning' || status === 'problem');
    expect(sick.map(({ check, status, found }) => `${check} ${status} ${found}`)).toEqual([
      `source-shares warning ${heard} still shared for ${heard}-${FRANKFURT}-1, which is over`,
      expect.stringMatching(/^source-events problem nobody asked for a copy of snap-\w+, which is complete for 3 h$/),
      'event-rule problem disabled',
    ]);
    const about = (account: string) => findings.filter((each) => each.status === 'ok' && each.about.includes(account));
    expect(about(ORDERS).map(({ check }) => check)).toEqual([
      'source-role',
      'source-permissions',
      'shareable-key',
      'source-events',
    ]);
    expect(sick[2]?.mend[0]?.run).toBe(
      `aws events enable-rule --region eu-west-1 --event-bus-name ${INSTALL} --name ${INSTALL}-source-accounts`,
    );

    const select = `{ tags: { Backup: [nightly] }, owners: ["${ORDERS}", "${PARTNER}", "444444444444"] }`;
    const others = written(
      `sourceAccounts: { accounts: ["${PARTNER}", "${HOME}"] }\nrules: [{ name: new, select: ${select}, destinations: [{ region: ${FRANKFURT} }] }]`,
    );
    const whatIf = await examine(world, '--rules', others);
    expect(whatIf.inShort).toEqual([
      `unseen-tags warning snapshots of account ${ORDERS}, 444444444444, by tags: none is selected: tags of another account are seen through its companion alone`,
      `source-role unchecked role arn:aws:iam::${PARTNER}:role/snapshot-copier/${INSTALL}-for-${HOME}: only the service may take it, and what is deployed does not list the account`,
    ]);

    const command = sick[0]?.mend[0]?.run ?? '';
    if (awsCliInstalled()) {
      const env = { ...clientEnvironment(world.sandbox), PATH: process.env['PATH'] ?? '' };
      // As in a terminal, /dev/stdout is no socket.
      expect(await runProcess('bash', ['-o', 'pipefail', '-c', `${command} | cat`], { env })).toMatchObject({
        code: 0,
      });
    } else {
      await world.lookEverywhere();
    }
    world.sandbox.bus.setEnabled(rule, true);
    await runCli(world.sandbox, ['backfill', '--since', '1d', '--yes']);
    await world.snapshot({ Backup: 'nightly' }, { account: PAYROLL });
    await world.pass('30 min');
    expect(world.copiesOf(locked).map(({ state }) => state)).toEqual(['completed', 'completed']);
    const well = await examine(world);
    expect(well.ofKeys).toContain(
      `ok policy of source key ${key.arn}: it leaves that to IAM, and the role gets the permission from the rules that are deployed`,
    );
    expect(well.findings.filter(({ status }) => status !== 'ok').map(({ check }) => check)).toEqual(['refused-events']);
    expect(world.held()).toEqual([]);
  });
});
