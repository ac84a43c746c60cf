import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateVolumeCommand,
  ModifyEbsDefaultKmsKeyIdCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { busArn } from '../../sandbox/events/bus-arn.ts';
import { type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { FRANKFURT, PARTNER, SOURCE_REGION, VIRGINIA, World } from '../stories/world.ts';
import { awsCliInstalled } from '../support/aws-cli.ts';
import { runCli, runCliAlone } from '../support/cli.ts';
import { packagedService } from '../support/packaged.ts';

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const RULES = beside('doctor-rules.yml');
const SICK_RULES = beside('doctor-sick-rules.yml');

const found = z.object({
  subject: z.string(),
  check: z.string(),
  about: z.string(),
  rules: z.array(z.string()).nullable(),
  status: z.enum(['ok', 'hint', 'warning', 'problem', 'unchecked']),
  found: z.string(),
  why: z.string().nullable(),
  mend: z.array(z.strictObject({ say: z.string(), run: z.string().optional(), paste: z.string().optional() })),
});
const examined = z.strictObject({
  install: z.object({ name: z.string(), account: z.string(), region: z.string() }),
  deployed: z.boolean(),
  rules: z.object({ from: z.enum(['deployed', 'file']), file: z.string() }),
  findings: z.array(found),
  totals: z.record(z.string(), z.number()),
});
type Found = z.infer<typeof found>;

/** The service with nothing to complain of: keys, a companion in each destination Region, somebody who hears alerts. */
async function healthyWorld(options: Partial<SandboxOptions> = {}): Promise<World> {
  const { dir } = await packagedService('doctor', RULES);
  const sandbox = await startSandbox({
    packageDir: dir,
    time: { mode: 'jumping' },
    schedules: 'off',
    parameters: { AlertEmail: 'oncall@example.com' },
    companions: [FRANKFURT, VIRGINIA].map((region) => ({
      template: 'companions/destination-region.yml',
      region,
      parameters: { HomeRegion: SOURCE_REGION },
    })),
    ...options,
  });
  onTestFinished(() => sandbox.stop());
  const world = new World(sandbox);
  await sandbox.messaging.confirmSubscriptions('oncall@example.com');
  world.key(FRANKFURT, 'alias/dr-copies');
  for (const region of [VIRGINIA, SOURCE_REGION]) {
    world.key(region, 'alias/ebs-default');
    await world.ec2(region).send(new ModifyEbsDefaultKmsKeyIdCommand({ KmsKeyId: 'alias/ebs-default' }));
  }
  const command = new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: 8, Encrypted: true });
  const { VolumeId: volumeId = '' } = await world.ec2(SOURCE_REGION).send(command);
  await world.snapshot({ Backup: 'nightly' }, { volumeId });
  await world.pass('1 h');
  return world;
}

async function examine(
  world: World,
  ...args: readonly string[]
): Promise<{ code: number | null; findings: readonly Found[] }> {
  const { code, stdout, stderr } = await runCli(world.sandbox, ['doctor', '--json', ...args], { cwd: emptyFolder() });
  expect(stderr).toBe('');
  return { code, findings: examined.parse(JSON.parse(stdout)).findings };
}

/** Whatever is not well, as `status about: found`. */
function complaints(findings: readonly Found[]): readonly string[] {
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ status, about, found: what }) => `${status} ${about}: ${what}`);
}

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('a healthy set-up', () => {
  it('has nothing to complain of, and nothing is changed by looking', async () => {
    const world = await healthyWorld();
    const before = world.sandbox.ec2.snapshots().length;
    const { code, stdout } = await runCli(world.sandbox, ['doctor', '--json'], { cwd: dirname(RULES) });
    const { findings, totals } = examined.parse(JSON.parse(stdout));
    expect(complaints(findings)).toEqual([]);
    expect(code).toBe(0);
    expect(totals).toEqual({ ok: findings.length, hint: 0, warning: 0, problem: 0, unchecked: 0 });
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set(
        'stack function rules-deployed region key key-policy selected event-rule companion topic stuck-events slots free-slots dry-run'.split(
          ' ',
        ),
      ),
    );
    expect(findings.find(({ check }) => check === 'rules-deployed')?.about).toBe(
      'doctor-rules.yml and the rules that are deployed',
    );
    expect(world.sandbox.ec2.snapshots()).toHaveLength(before);
  });

  it('is told by subject, each in a line', async () => {
    const world = await healthyWorld();
    const { code, stdout, stderr } = await runCli(world.sandbox, ['doctor', '--rule', 'nightly'], {
      cwd: emptyFolder(),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ebs-snapshot-copier-doctor in account 000000000000, eu-west-1, by its deployed rules\n\nINSTALL\n {2}ok {10}stack /,
    );
    expect(stdout).toContain(
      '\nSLOTS\n  ok          slots of eu-central-1: 18 of 20 at most (by Service Quotas), which leaves 2',
    );
    expect(stdout).toMatch(/\n\n\d\d ok\n$/);
  });

  it('is not the same as one that nobody may look at', async () => {
    const world = await healthyWorld();
    const { sandbox } = world;
    for (const service of ['kms', 'events', 'lambda', 'sns', 'servicequotas']) {
      sandbox.api(service).faults.add({ kind: 'error', code: 'AccessDeniedException', status: 400, times: 1000 });
    }
    for (const action of ['DescribeRegions', 'DescribeSnapshots', 'GetEbsDefaultKmsKeyId']) {
      sandbox.ec2.faults.add({ kind: 'error', action, code: 'UnauthorizedOperation', status: 403, times: 1000 });
    }
    const { code, findings } = await examine(world);
    expect(code).toBe(0);
    const ofStatus = (status: Found['status']) =>
      new Set(findings.filter((each) => each.status === status).map(({ check }) => check));
    expect(ofStatus('ok')).toEqual(new Set(['stack', 'stuck-events', 'slots']));
    expect(ofStatus('unchecked')).toEqual(
      new Set(
        'function region key encryption-by-default selected event-rule companion topic slots free-slots dry-run'.split(
          ' ',
        ),
      ),
    );
    const [region] = findings.filter(({ check }) => check === 'region');
    expect(region?.mend[0]?.paste).toBe('{ "Effect": "Allow", "Action": ["ec2:DescribeRegions"], "Resource": "*" }');
  });
});

describe('source snapshots of another account', () => {
  it('whose key does not let this account in are told of, with what to ask for, and whom', async () => {
    const world = await healthyWorld();
    const { keys, home } = world.sandbox;
    const key = keys.create({ account: PARTNER, region: SOURCE_REGION });
    const theirs = world.ec2(SOURCE_REGION, PARTNER);
    const { VolumeId: volumeId = '' } = await theirs.send(
      new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: 8, Encrypted: true, KmsKeyId: key.arn }),
    );
    const snapshotId = await world.snapshot({}, { volumeId, account: PARTNER, description: 'nightly' });
    await theirs.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        CreateVolumePermission: { Add: [{ UserId: home.account }] },
      }),
    );
    const file = join(emptyFolder(), 'shared.yml');
    writeFileSync(
      file,
      `rules: [{ name: shared, select: { owners: ["${PARTNER}"] }, destinations: [{ region: eu-central-1, encryption: { kmsKey: alias/dr-copies }, slots: 18 }] }]`,
    );
    const { code, findings } = await examine(world, '--rules', file);
    const [finding] = findings.filter(({ about }) => about === `source key ${key.arn}`);
    expect(finding?.status).toBe('warning');
    expect(finding?.found).toContain('its policy does not let you see it');
    expect(finding?.mend).toHaveLength(1);
    expect(finding?.mend[0]?.say).toContain(`administrator of account ${PARTNER}`);
    expect(finding?.mend[0]?.run).toContain(`--key-id ${key.arn}`);
    expect(finding?.mend[0]?.paste).toContain(`"Principal": { "AWS": "arn:aws:iam::${home.account}:root" }`);
    expect(code).toBe(0);
  });
});

/** A set-up with many things wrong at once. */
async function sickWorld(): Promise<World> {
  const world = await healthyWorld({ companions: [], parameters: {} });
  const { sandbox } = world;
  const { keys, home, bus } = sandbox;
  const { account } = home;
  const key = (region: string, alias: string, over: object = {}) => {
    const made = keys.create({ account, region, ...over });
    keys.createAlias(alias, made);
    return made;
  };
  keys.disable(key(FRANKFURT, 'alias/disabled'));
  key(VIRGINIA, 'alias/in-virginia');
  key(FRANKFURT, 'alias/asymmetric', { keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' });
  const admins = { Sid: 'Admins', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:role/admin` } };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ ...admins, Action: 'kms:*', Resource: '*' }] });
  key(FRANKFURT, 'alias/closed', { policy });
  for (const rule of bus.rules(busArn(home))) {
    if (rule.arn.endsWith('onSnapshotEvent-rule-1')) bus.setEnabled(rule, false);
  }
  const { endpoint } = sandbox;
  const credentials = { accessKeyId: account, secretAccessKey: 'secret' };
  const sqs = new SQSClient({ endpoint, region: SOURCE_REGION, credentials, maxAttempts: 1 });
  const QueueUrl = sandbox.outputs['StuckEventsQueueUrl'];
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"detail-type":"EBS Snapshot Notification"}' }));
  return world;
}

/** Runs a command as it is printed, in bash, with the real `aws`. */
function paste(
  world: World,
  command: string,
  options: { readonly cwd: string; readonly editor?: string },
): Promise<void> {
  const { endpoint, home } = world.sandbox;
  return new Promise((resolve, reject) => {
    const env = {
      PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
      HOME: options.cwd,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: home.account,
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      ...(options.editor !== undefined && { EDITOR: options.editor }),
    };
    // Version 1 of the command line knows the endpoint of SQS by this option only.
    const script = `aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n${command}`;
    execFile('bash', ['-e', '-c', script], { env, cwd: options.cwd }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${command}\n${stderr}`));
    });
  });
}

/** An editor that does what people are told: it puts statements behind the last of the policy. */
function editorThatAdds(statements: string, folder: string): string {
  const script = join(folder, 'editor.mjs');
  writeFileSync(
    script,
    `import { readFileSync, writeFileSync } from 'node:fs';
     const file = process.argv[2];
     const policy = JSON.parse(readFileSync(file, 'utf8'));
     policy.Statement.push(...${JSON.stringify(JSON.parse(`[${statements}]`))});
     writeFileSync(file, JSON.stringify(policy));`,
  );
  return `node ${script}`;
}

const SICK = [
  'warning doctor-sick-rules.yml and the rules that are deployed: not deployed yet: added disabled, virginia, asymmetric, closed, no-alias, bahrain, oregon; removed nightly',
  'problem Region me-south-1 (destination): not enabled for account 000000000000',
  'problem key alias/disabled in eu-central-1: disabled',
  'problem key alias/in-virginia in eu-central-1: there is none; one of that name is in us-east-1',
  'problem key alias/asymmetric in eu-central-1: RSA_2048 for SIGN_VERIFY; EBS takes symmetric encryption keys only',
  'problem policy of key alias/closed in eu-central-1: neither it nor a grant lets the role, or its account, use the key at all',
  'problem key alias/nobody-made in us-east-1: there is none',
  'hint snapshots of the last 3 days in eu-west-1: none is selected',
  'problem event rule ebs-snapshot-copier-doctor-onSnapshotEvent-rule-1 (createSnapshot): disabled',
  'problem us-west-2, which rules select snapshots of: the service is not deployed there: us-west-2 has no stack ebs-snapshot-copier-doctor',
  'hint ends of copies in eu-central-1, us-east-1, forwarded to eu-west-1: they are not, which is optional',
  expect.stringMatching(/^problem dead-letter topic \S+: nobody subscribes to it$/),
  'problem queue of events that nobody could process: 1 event waits there',
  'warning slots of eu-central-1: rules take up to 30, and EC2 runs 20 copies at once (by Service Quotas)',
  'unchecked dry run of copies to eu-central-1, eu-west-1, us-east-1: there is nothing to try it with: no snapshot of the last 3 days is selected for there',
];

describe('a set-up with many things wrong', () => {
  it('is told all of them at once, each with why it matters and what mends it', async () => {
    const world = await sickWorld();
    const cwd = dirname(SICK_RULES);
    const run = await runCli(world.sandbox, ['doctor', '--json', '--rules', 'doctor-sick-rules.yml'], { cwd });
    const { findings } = examined.parse(JSON.parse(run.stdout));
    expect(complaints(findings)).toEqual(SICK);
    expect(run.code).toBe(1);
    for (const finding of findings.filter(({ status }) => status !== 'ok')) {
      expect(finding.why).toMatch(/\.$/);
      expect(finding.mend.length).toBeGreaterThan(0);
    }

    const { stdout } = await runCli(world.sandbox, ['doctor', '--rules', 'doctor-sick-rules.yml'], { cwd });
    expect(stdout).toContain(`
  PROBLEM     key alias/nobody-made in us-east-1: there is none (rule no-alias)
              Why: A key serves its own Region alone. EC2 accepts such a copy and ends it in error some time
              later, so each would end in an alert.
              - Give the alias to a new key of us-east-1, or instead to one that is there:
                  aws kms create-alias --region us-east-1 --alias-name alias/nobody-made \\
                    --target-key-id "$(aws kms create-key --region us-east-1 --description 'Copies of EBS snapshots' --query KeyMetadata.KeyId --output text)"
`);
    expect(stdout).toMatch(/\n10 problems, 2 warnings, 1 not checked, 2 hints, \d+ ok\n$/);
  });

  it.skipIf(!awsCliInstalled())('is well again where the commands were pasted that it printed', async () => {
    const world = await sickWorld();
    const cwd = emptyFolder();
    const before = await examine(world, '--rules', SICK_RULES);
    const mend = async (about: RegExp) => {
      const finding = before.findings.find((each) => each.status === 'problem' && about.test(each.about));
      if (finding === undefined) throw new Error(`Nothing is found about ${about}.`);
      const statements = finding.mend.find((step) => step.paste !== undefined)?.paste;
      const editor = statements === undefined ? {} : { editor: editorThatAdds(statements, cwd) };
      for (const { run } of finding.mend) {
        if (run !== undefined && !run.startsWith('snapshot-copier')) await paste(world, run, { cwd, ...editor });
      }
    };
    for (const about of [
      /alias.disabled/,
      /alias.nobody-made/,
      /^policy of key alias.closed/,
      /^event rule/,
      /^queue/,
      /^dead-letter/,
    ]) {
      await mend(about);
    }
    const after = await examine(world, '--rules', SICK_RULES);
    const left = complaints(after.findings).filter((text) => text.startsWith('problem'));
    expect(left).toEqual([
      'problem Region me-south-1 (destination): not enabled for account 000000000000',
      expect.stringContaining('key alias/in-virginia in eu-central-1'),
      expect.stringContaining('key alias/asymmetric in eu-central-1'),
      expect.stringContaining('us-west-2'),
      expect.stringContaining('email oncall@example.com has not confirmed the subscription'),
    ]);
    await world.sandbox.messaging.confirmSubscriptions('oncall@example.com');
    const { findings } = await examine(world, '--rules', SICK_RULES, '--rule', 'closed', '--rule', 'no-alias');
    expect(complaints(findings).filter((text) => text.startsWith('problem'))).toEqual([]);
  });
});

describe('before the first deployment', () => {
  const BEFORE = ['--rules', 'doctor-rules.yml', '--region', 'us-east-2'];

  it('rules of a file are held against what is there, and what only a deployment makes is not judged', async () => {
    const world = await healthyWorld();
    const { sandbox } = world;
    const cwd = dirname(RULES);
    const json = await runCli(sandbox, ['doctor', '--json', ...BEFORE], { cwd });
    const { deployed, install, findings } = examined.parse(JSON.parse(json.stdout));
    expect({ deployed, install, code: json.code }).toEqual({
      deployed: false,
      install: { name: 'ebs-snapshot-copier-dev', account: '000000000000', region: 'us-east-2' },
      code: 0,
    });
    expect(complaints(findings)).toEqual([
      'unchecked stack ebs-snapshot-copier-dev in account 000000000000, us-east-2: not deployed yet, so there are no role, functions, event rules, topic and queue to look at',
      'hint snapshots of the last 3 days in us-east-2: none is selected',
      'hint ends of copies in eu-central-1, us-east-1, forwarded to us-east-2: they are not, which is optional',
      'unchecked dry run of copies to eu-central-1, us-east-1: there is nothing to try it with: no snapshot of the last 3 days is selected for there',
    ]);
    expect(findings.filter(({ check }) => check === 'key-policy').map(({ found: what }) => what)).toEqual([
      'it leaves that to IAM, so it needs no change for the role of the service',
      'it leaves that to IAM, so it needs no change for the role of the service',
    ]);

    const { stdout } = await runCli(sandbox, ['doctor', ...BEFORE], { cwd });
    expect(stdout).toContain(', us-east-2, by doctor-rules.yml, before the first deployment\n');
    expect(stdout).toContain('COPY_RULES=doctor-rules.yml npx serverless deploy --region us-east-2 --stage dev');
  });

  it('a stage is named by its stack, here and in other Regions; any other stack that is not there is a mistake', async () => {
    const { sandbox } = await healthyWorld();
    const run = (...args: readonly string[]) => runCli(sandbox, ['doctor', ...args], { cwd: dirname(SICK_RULES) });
    const rules = ['--rules', 'doctor-sick-rules.yml', '--rule', 'oregon'];
    const prod = await run('--json', ...rules, '--stack', 'ebs-snapshot-copier-prod');
    const { findings } = examined.parse(JSON.parse(prod.stdout));
    const deploys = findings.filter(({ check }) => check === 'stack' || check === 'source-region');
    expect(deploys.map(({ status, rules: of, mend }) => [status, of, mend[0]?.run?.split('\n')[0]])).toEqual([
      ['unchecked', null, 'COPY_RULES=doctor-sick-rules.yml npx serverless deploy --region eu-west-1 --stage prod \\'],
      [
        'unchecked',
        ['oregon'],
        'COPY_RULES=doctor-sick-rules.yml npx serverless deploy --region us-west-2 --stage prod \\',
      ],
    ]);
    const typo = await run(...rules, '--stack', 'snapshots');
    expect(typo).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^There is no stack snapshots in /),
    });
    const noRules = await run('--region', 'us-east-2');
    expect(noRules.stderr).toContain('To check rules before that: snapshot-copier doctor --rules copy-rules.yml\n');
  });
});

it('hints that are alike have their reason and their advice once', async () => {
  const { sandbox } = await healthyWorld();
  const cwd = emptyFolder();
  const region = (name: string) => `{ region: ${name}, encryption: { kmsKey: alias/aws/ebs } }`;
  writeFileSync(
    join(cwd, 'two.yml'),
    `rules: [{ name: two, destinations: [${region('eu-west-2')}, ${region('eu-west-3')}] }]`,
  );
  const { stdout } = await runCli(sandbox, ['doctor', '--rules', 'two.yml'], { cwd });
  expect(stdout).toContain(`
  hint        key alias/aws/ebs in eu-west-2: AWS's own key for EBS (rule two)
  hint        key alias/aws/ebs in eu-west-3: AWS's own key for EBS (rule two)
              Why: Copies under it`);
  expect(stdout.match(/encryption: \{ kmsKey: alias\/dr-copies \}/g)).toHaveLength(1);
  expect(stdout.match(/Leave some to others, and deploy:/g)).toHaveLength(1);
  expect(stdout.match(/- region: eu-west-[23]\n +slots: 18/g)).toHaveLength(2);
  expect(stdout).toContain('\nRun what deploys in the folder of the service, where serverless.yml is.\n\n');
});

describe('wrong usage', () => {
  it('is told in one line: a rule that is not there', async () => {
    const world = await healthyWorld();
    expect(await runCli(world.sandbox, ['doctor', '--rule', 'nigthly'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'There is no rule nigthly. Did you mean nightly?\n',
    });
  });

  it('has help with examples', async () => {
    const { code, stdout } = await runCliAlone(['doctor', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('snapshot-copier doctor --rules copy-rules.yml');
  });
});
