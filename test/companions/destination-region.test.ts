import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AttachVolumeCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  EC2Client,
  LockSnapshotCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { readCloudFormationYaml } from '../../sandbox/cloudformation-yaml.ts';
import { type Companion, deployCompanion } from '../../sandbox/companions.ts';
import type { Rule } from '../../sandbox/events/rule.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { Resolver } from '../../sandbox/stack/intrinsics.ts';
import { parseTemplate } from '../../sandbox/stack/template.ts';
import { fixtureSandbox, queueForEvents } from '../sandbox/fixture-package.ts';
import { accountServices } from '../support/account-services.ts';
import { cfnLint, installedCfnLint } from '../support/cfn-lint.ts';
import { templateProblems } from '../support/cfn-schema.ts';
import { Ec2Sandbox, SOURCE, TARGET } from '../support/ec2-sandbox.ts';
import { policyProblems } from '../support/packaged-policies.ts';
import { planted } from '../support/planted.ts';

const HOME = 'eu-west-1';
const HERE = 'eu-central-1';
const FILE = fileURLToPath(new URL('../../companions/destination-region.yml', import.meta.url));
const text = readFileSync(FILE, 'utf8');
const template = z.looseObject({ Rules: z.unknown() }).parse(readCloudFormationYaml(text));
const { Rules: _, ...withoutRules } = template;

const SECOND = 1000;

/** The rules that the template makes in the account of `SOURCE`. */
function rulesIn(region: string, parameters: Companion['parameters'] = { HomeRegion: HOME }): readonly Rule[] {
  const services = accountServices();
  const place = { account: SOURCE, region };
  deployCompanion({ template: FILE, region, parameters }, { place, stackName: 'copies', seed: 1 }, services);
  return services.rules();
}

describe('the template', () => {
  it("is what CloudFormation's schemas know", async () => {
    expect(await templateProblems(withoutRules)).toEqual([]);
  });

  it('would be found wrong if it were', async () => {
    const wrong = planted(withoutRules, 'Resources.CopyEndedRule.Properties.Targets.0.Role', 'x');
    expect(await templateProblems(wrong)).toEqual([expect.stringContaining('Targets[0].Role is not a property')]);
  });

  it('has nothing that a StackSet, or `aws cloudformation deploy` with CAPABILITY_IAM alone, cannot have', () => {
    expect(Object.keys(template).toSorted()).toEqual([
      'AWSTemplateFormatVersion',
      'Description',
      'Outputs',
      'Parameters',
      'Resources',
      'Rules',
    ]);
    expect(text).not.toMatch(/RoleName|ManagedPolicyName|AWS::CloudFormation::/);
    expect(text.length).toBeLessThan(51_200);
  });
});

const version = installedCfnLint('companions/destination-region.yml');

describe.skipIf(version === undefined)(`cfn-lint (${version ?? 'not installed'})`, () => {
  it('finds no error and gives no warning', { timeout: 120_000 }, async () => {
    expect(await cfnLint(FILE, [HERE, 'us-east-1', 'us-west-2', 'ap-northeast-1'])).toEqual([]);
  });

  it('would find an error in the section Rules as well', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'companion-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const wrong = join(folder, 'wrong.yml');
    writeFileSync(wrong, text.replace('!Equals [!Ref HomeRegion,', '!Equals [!Ref HomeRegions,'));
    expect(await cfnLint(wrong, [HERE])).toEqual([expect.stringContaining('HomeRegions')]);
  });
});

describe('its rule', () => {
  it('matches the ends of copies in its own account and Region, good or bad, and nothing else that EBS tells', async () => {
    const sandbox = new Ec2Sandbox({ copyTakesSeconds: () => 600 });
    const here = sandbox.as(SOURCE, HERE);
    const source = await sandbox.snapshot(HOME);
    await sandbox.share(source, HOME);
    const copy = (more: { Region?: string; account?: string; id?: string; minutes?: number } = {}) =>
      sandbox.as(more.account ?? SOURCE, more.Region ?? HERE).send(
        new CopySnapshotCommand({
          SourceRegion: HOME,
          SourceSnapshotId: more.id ?? source,
          ...(more.minutes === undefined ? {} : { CompletionDurationMinutes: more.minutes }),
        }),
      );
    // Matched: a copy, one that fails, and the end of one that is late, which is told twice.
    await copy();
    await copy({ id: 'snap-0123456789abcdef0' });
    sandbox.seconds(600);
    sandbox.service.faults.add({ kind: 'slow-copy', seconds: 2000 });
    await copy({ minutes: 15 });
    sandbox.seconds(2000);
    // Not matched: copies elsewhere and of others, and everything else that happens to snapshots here.
    await copy({ Region: 'us-east-1' });
    await copy({ account: TARGET });
    sandbox.seconds(600);
    const own = await sandbox.snapshot(HERE);
    await sandbox.share(own, HERE);
    const InstanceId = 'i-0123456789abcdef0';
    const volume = await sandbox.volume(HERE);
    await here.send(new AttachVolumeCommand({ VolumeId: volume, InstanceId, Device: '/dev/sdb' }));
    const pending = await here.send(new CreateSnapshotCommand({ VolumeId: volume }));
    await here.send(
      new LockSnapshotCommand({ SnapshotId: pending.SnapshotId, LockMode: 'governance', LockDuration: 1 }),
    );
    await here.send(new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId } }));
    sandbox.seconds(600);

    const [rule, ...others] = rulesIn(HERE);
    expect(others).toEqual([]);
    const told = sandbox.events.map(
      ({ 'detail-type': type, account, region, detail }) =>
        `${type.replace('EBS ', '')}, ${texts(detail['event'], detail['result'])}, ${account} ${region}`,
    );
    const matched = told.filter((_, index) => rule?.matches(sandbox.events[index]));
    expect(matched).toEqual([
      `Snapshot Notification, copySnapshot failed, ${SOURCE} ${HERE}`,
      `Snapshot Notification, copySnapshot succeeded, ${SOURCE} ${HERE}`,
      `Snapshot Notification, copySnapshot succeeded, ${SOURCE} ${HERE}`,
    ]);
    expect(new Set(told.filter((each) => !matched.includes(each)))).toEqual(
      new Set([
        `Snapshot Notification, createSnapshot succeeded, ${SOURCE} ${HOME}`,
        `Snapshot Notification, shareSnapshot succeeded, ${TARGET} ${HOME}`,
        `Copy Snapshot Missed Completion Duration, copySnapshot, ${SOURCE} ${HERE}`,
        `Snapshot Notification, copySnapshot succeeded, ${SOURCE} us-east-1`,
        `Snapshot Notification, copySnapshot succeeded, ${TARGET} ${HERE}`,
        `Snapshot Notification, createSnapshot succeeded, ${SOURCE} ${HERE}`,
        `Snapshot Notification, shareSnapshot succeeded, ${TARGET} ${HERE}`,
        `Snapshot Notification, lockSnapshot succeeded, ${SOURCE} ${HERE}`,
        `Multi-Volume Snapshots Completion Status, createSnapshots succeeded, ${SOURCE} ${HERE}`,
      ]),
    );
  });

  it('sends them to the default bus of HomeRegion, and for five minutes at most', () => {
    const [rule] = rulesIn(HERE);
    expect(rule?.arn).toContain(`:${HERE}:`);
    expect(rule?.targets).toEqual([
      {
        arn: `arn:aws:events:${HOME}:${SOURCE}:event-bus/default`,
        roleArn: expect.stringContaining(':role/copies-ForwardingRole-'),
        maximumEventAgeSeconds: 300,
        maximumRetryAttempts: 185,
      },
    ]);
  });

  it('has a name of its own for each install and HomeRegion, never longer than the 64 characters of AWS', () => {
    const nameOf = (parameters: Companion['parameters']) => rulesIn(HERE, parameters)[0]?.arn.split('/')[1];
    expect(nameOf({ HomeRegion: HOME })).toBe('ebs-snapshot-copier-copies-eu-west-1');
    expect(nameOf({ HomeRegion: 'us-east-1' })).toBe('ebs-snapshot-copier-copies-us-east-1');
    expect(nameOf({ HomeRegion: 'ap-southeast-1', Install: 'x'.repeat(40) })).toHaveLength(62);
    expect(() => nameOf({ HomeRegion: HOME, Install: 'x'.repeat(41) })).toThrow('must be at most 40 letters');
  });
});

function texts(...values: readonly unknown[]): string {
  return values.filter((value) => typeof value === 'string').join(' ');
}

describe('its role', () => {
  it('has only actions, resources and condition keys that IAM knows', async () => {
    expect(await policyProblems(withoutRules)).toEqual([]);
  });

  it('can be used by EventBridge for this rule only, to put events on that one bus only', () => {
    const [rule] = rulesIn(HERE);
    const resolver = new Resolver({
      template: parseTemplate(withoutRules),
      pseudo: { 'AWS::AccountId': SOURCE, 'AWS::Region': HERE, 'AWS::Partition': 'aws' },
      parameters: { HomeRegion: HOME },
      identify: () => ({ attributes: {} }),
    });
    const { Properties } = resolver.template.Resources['ForwardingRole'] ?? {};
    expect(resolver.resolve(Properties, 'ForwardingRole')).toEqual({
      Description: expect.any(String),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyForTheRule',
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: {
              StringEquals: { 'aws:SourceAccount': SOURCE },
              ArnEquals: { 'aws:SourceArn': rule?.arn },
            },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'put-events',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Sid: 'TellHomeRegion',
                Effect: 'Allow',
                Action: 'events:PutEvents',
                Resource: rule?.targets[0]?.arn,
              },
            ],
          },
        },
      ],
    });
  });
});

describe('a deployment', () => {
  it.each([
    ['to HomeRegion itself', HOME, { HomeRegion: HOME }, 'Rules.NotInHomeRegion: HomeRegion is the Region that'],
    ['without HomeRegion', HERE, {}, 'Parameters.HomeRegion: has no default and was not given'],
    ['for a Region that is none', HERE, { HomeRegion: 'Ireland' }, '"Ireland": must be the id of a Region'],
    ['with a parameter that there is not', HERE, { HomeRegion: HOME, Home: HOME }, 'there is no parameter Home'],
  ])('%s is refused, and says why', (_, region, parameters, message) => {
    expect(() => rulesIn(region, parameters)).toThrow(message);
  });

  it('is refused by the whole sandbox as well', async () => {
    const companion = { template: 'companions/destination-region.yml', region: HOME, parameters: { HomeRegion: HOME } };
    await expect(fixtureSandbox({}, { companions: [companion] })).rejects.toThrow('Rules.NotInHomeRegion');
  });

  it('to two Regions makes the service hear of copies there, good and bad, a second after their end', async () => {
    const companions = [HERE, 'us-east-1'].map((region) => ({
      template: 'companions/destination-region.yml',
      region,
      parameters: { HomeRegion: HOME },
    }));
    const sandbox = await fixtureSandbox(
      { resources: { Rule: copiesToQueue, ...queueForEvents('Heard') } },
      { companions, ec2: { copyTakesSeconds: () => 600 } },
    );
    const source = await snapshotAtHome(sandbox);
    for (const [region, id] of [
      [HERE, source],
      ['us-east-1', 'snap-0123456789abcdef0'],
      ['eu-north-1', source],
    ] as const) {
      await ec2(sandbox, region).send(new CopySnapshotCommand({ SourceRegion: HOME, SourceSnapshotId: id }));
    }
    await sandbox.advance(3600 * SECOND);
    const heard = (await sandbox.messages('Heard')).map(({ time, body }) => {
      const { region, account, source: from, detail } = heardEvent.parse(JSON.parse(body));
      const seconds = (Date.parse(time) - Date.parse(detail.endTime)) / SECOND;
      return `${seconds} s: ${detail.event} ${detail.result}, ${from} ${account} ${region}`;
    });
    expect(heard).toEqual([
      '1 s: copySnapshot failed, aws.ec2 000000000000 us-east-1',
      '1 s: copySnapshot succeeded, aws.ec2 000000000000 eu-central-1',
    ]);
  });
});

const heardEvent = z.object({
  region: z.string(),
  account: z.string(),
  source: z.string(),
  detail: z.object({ event: z.string(), result: z.string(), endTime: z.string() }),
});

/** At home: all ends of copies, wherever they were. */
const copiesToQueue = {
  Type: 'AWS::Events::Rule',
  Properties: {
    EventPattern: { source: ['aws.ec2'], detail: { event: ['copySnapshot'] } },
    Targets: [{ Id: 'heard', Arn: { 'Fn::GetAtt': ['Heard', 'Arn'] } }],
  },
};

function ec2({ endpoint }: Sandbox, region: string): EC2Client {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
  return new EC2Client({ endpoint, region, maxAttempts: 1, credentials });
}

async function snapshotAtHome(sandbox: Sandbox): Promise<string> {
  const client = ec2(sandbox, HOME);
  const { VolumeId } = await client.send(new CreateVolumeCommand({ AvailabilityZone: `${HOME}a`, Size: 8 }));
  const { SnapshotId = '' } = await client.send(new CreateSnapshotCommand({ VolumeId }));
  await sandbox.advance(60 * SECOND);
  return SnapshotId;
}
