import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSnapshotCommand, CreateVolumeCommand, EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Companion } from '../../../sandbox/companions.ts';
import type { Sandbox, SandboxOptions } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, queueForEvents, role } from '../fixture-package.ts';

const SECOND = 1000;
const HOME = '000000000000';
const PARTNER = '111122223333';
const OTHER = '222233334444';
const MINE = `arn:aws:events:eu-west-1:${HOME}:event-bus/mine`;

/** A bus at home that lets these principals in, and a queue that gets everything that comes there. */
function serviceThatLetsIn(Principal: unknown, Condition?: unknown) {
  const statement = { Effect: 'Allow', Principal, Action: 'events:PutEvents', Resource: MINE };
  return {
    resources: {
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'mine' } },
      BusPolicy: {
        Type: 'AWS::Events::EventBusPolicy',
        Properties: {
          EventBusName: { Ref: 'Bus' },
          StatementId: 'LetsIn',
          Statement: Condition === undefined ? statement : { ...statement, Condition },
        },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          Name: 'heard',
          EventBusName: { Ref: 'Bus' },
          EventPattern: { source: [{ prefix: '' }] },
          Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Heard', 'Arn'] } }],
        },
      },
      ...queueForEvents('Heard'),
    },
  };
}

/** A stack of another account with a rule that sends all events of EBS on to a bus. */
function forwarding(
  account: string,
  {
    region = 'eu-west-1',
    to = MINE,
    onlyTo = to,
    service = 'events',
  }: { region?: string; to?: string; onlyTo?: string; service?: string } = {},
): Companion {
  const folder = mkdtempSync(join(tmpdir(), 'companion-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const template = join(folder, 'companion.yml');
  const Rule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'on',
      EventPattern: { source: ['aws.ec2'] },
      Targets: [{ Id: 'bus', Arn: to, RoleArn: { 'Fn::GetAtt': ['Forwards', 'Arn'] } }],
    },
  };
  const Forwards = role(service, 'events:PutEvents', onlyTo, `forwards-${region}`);
  writeFileSync(template, JSON.stringify({ Resources: { Rule, Forwards } }));
  return { template, account, region };
}

function sandboxWith(
  companion: Companion,
  service = serviceThatLetsIn({ AWS: PARTNER }),
  more: Partial<SandboxOptions> = {},
) {
  return fixtureSandbox(service, { companions: [companion], ...more });
}

function happen(sandbox: Sandbox, number: number, account: string, region = 'eu-west-1'): void {
  const about = { source: 'aws.ec2', 'detail-type': 'x', detail: { number } };
  sandbox.bus.put(sandbox.bus.fill({ ...about, account, region }));
}

async function heard(sandbox: Sandbox): Promise<readonly string[]> {
  await sandbox.advance(10 * SECOND);
  const events = (await sandbox.messages('Heard')).map(({ body }) => JSON.parse(body));
  return events.map(({ account, region, source, detail }) => `${source} ${detail.number}, ${account} ${region}`);
}

describe('a rule in another account', () => {
  it('sends events on to a bus that lets the account in; they stay what they were', async () => {
    const sandbox = await sandboxWith(forwarding(PARTNER));
    happen(sandbox, 1, PARTNER);
    happen(sandbox, 2, HOME);
    happen(sandbox, 3, OTHER);
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${PARTNER} eu-west-1`]);
  });

  it('hears what EBS tells its own account, and sends it on a second after it happened', async () => {
    const sandbox = await sandboxWith(forwarding(PARTNER));
    const credentials = { accessKeyId: PARTNER, secretAccessKey: 'none' };
    const ec2 = new EC2Client({ endpoint: sandbox.endpoint, region: 'eu-west-1', maxAttempts: 1, credentials });
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8 }));
    const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    await sandbox.advance(60 * SECOND);
    const [message, ...more] = await sandbox.messages('Heard');
    expect(more).toEqual([]);
    const { account, detail } = JSON.parse(message?.body ?? '');
    expect([account, detail.event, detail.snapshot_id.split('/').at(-1)]).toEqual([
      PARTNER,
      'createSnapshot',
      SnapshotId,
    ]);
    expect(Date.parse(message?.time ?? '') - Date.parse(detail.endTime)).toBe(SECOND);
  });

  it('reaches a bus in another Region, too', async () => {
    const sandbox = await sandboxWith(forwarding(PARTNER, { region: 'us-east-1' }));
    happen(sandbox, 1, PARTNER, 'us-east-1');
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${PARTNER} us-east-1`]);
  });

  it('reaches a bus that lets its whole organisation in, if its account belongs to it', async () => {
    const service = serviceThatLetsIn('*', { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } });
    const companions = [forwarding(PARTNER), forwarding(OTHER)];
    const organizations = { 'o-a1b2c3d4e5': [HOME, PARTNER], 'o-f6g7h8i9j0': [OTHER] };
    const sandbox = await fixtureSandbox(service, { companions, organizations });
    happen(sandbox, 1, PARTNER);
    happen(sandbox, 2, OTHER);
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${PARTNER} eu-west-1`]);
    expect(sandbox.bus.dropped()).toMatchObject([{ ruleArn: `arn:aws:events:eu-west-1:${OTHER}:rule/on` }]);
  });

  it.each([
    [
      'the policy of the bus lets others in only',
      () => forwarding(OTHER),
      'because no resource-based policy allows the events:PutEvents action',
    ],
    [
      'the role may not put events there',
      () => forwarding(PARTNER, { onlyTo: MINE.replace('mine', 'other') }),
      'because no identity-based policy allows the events:PutEvents action',
    ],
    ['EventBridge may not take the role on', () => forwarding(PARTNER, { service: 'lambda' }), 'Lack of permissions'],
    [
      'there is no such bus',
      () => forwarding(PARTNER, { to: MINE.replace('mine', 'gone') }),
      'because no resource-based policy allows the events:PutEvents action',
    ],
  ])('reaches nobody, at once and for good, where %s', async (_, companionOf, why) => {
    const companion = companionOf();
    const sandbox = await sandboxWith(companion);
    happen(sandbox, 1, companion.account ?? '');
    await sandbox.advance(3600 * SECOND);
    expect(await sandbox.messages('Heard')).toEqual([]);
    expect(sandbox.bus.dropped()).toMatchObject([{ why: expect.stringMatching(`^NO_PERMISSIONS: .*${why}`) }]);
  });

  it('sends nothing on that came from another account itself', async () => {
    const between = forwarding(OTHER, { to: `arn:aws:events:eu-west-1:${PARTNER}:event-bus/default` });
    const letsIn = { Effect: 'Allow', Principal: { AWS: OTHER }, Action: 'events:PutEvents', Resource: '*' };
    const sandbox = await sandboxWith(forwarding(PARTNER));
    sandbox.deployCompanion(between);
    sandbox.bus.buses.putStatement(`arn:aws:events:eu-west-1:${PARTNER}:event-bus/default`, {
      ...letsIn,
      Sid: 'Other',
    });
    happen(sandbox, 1, OTHER);
    expect(await heard(sandbox)).toEqual([]);
    expect(sandbox.bus.dropped()).toMatchObject([
      {
        ruleArn: `arn:aws:events:eu-west-1:${PARTNER}:rule/on`,
        why: expect.stringContaining('THIRD_ACCOUNT_HOP_DETECTED'),
      },
    ]);
  });

  it.each([
    ['twice', { kind: 'duplicate-event', seconds: 2 }, [1, 2, 1]],
    ['not at all', { kind: 'lose-event' }, [2]],
    ['after another try', { kind: 'fail-delivery' }, [2, 1]],
  ])('sends an event on %s, if so asked', async (_, fault, expected) => {
    const sandbox = await sandboxWith(forwarding(PARTNER));
    sandbox.bus.faults.add(fault);
    happen(sandbox, 1, PARTNER);
    happen(sandbox, 2, PARTNER);
    expect(await heard(sandbox)).toEqual(expected.map((number) => `aws.ec2 ${number}, ${PARTNER} eu-west-1`));
  });

  it('is gone with its stack, and back with a new one', async () => {
    const sandbox = await fixtureSandbox(serviceThatLetsIn({ AWS: PARTNER }));
    const companion = { ...forwarding(PARTNER), stackName: 'forwards' };
    const stack = sandbox.deployCompanion(companion);
    expect(() => sandbox.deployCompanion(companion)).toThrow(
      `Account ${PARTNER} has a stack forwards in eu-west-1 already.`,
    );
    happen(sandbox, 1, PARTNER);
    expect(await heard(sandbox)).toHaveLength(1);
    sandbox.removeCompanion(stack);
    expect(() => sandbox.removeCompanion(stack)).toThrow('has no companion forwards in eu-west-1');
    happen(sandbox, 2, PARTNER);
    expect(await heard(sandbox)).toHaveLength(1);
    sandbox.deployCompanion(companion);
    happen(sandbox, 3, PARTNER);
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${PARTNER} eu-west-1`, `aws.ec2 3, ${PARTNER} eu-west-1`]);
  });
});

describe('the control endpoint for events', () => {
  async function forge(sandbox: Sandbox, event: Readonly<Record<string, unknown>>): Promise<string> {
    const body = JSON.stringify({ 'detail-type': 'x', detail: { number: 1 }, ...event });
    const answer = await fetch(`${sandbox.endpoint}/_sandbox/events`, { method: 'POST', body });
    return answer.ok ? 'taken' : answer.text();
  }

  it("puts an event on any account's bus, as EBS does", async () => {
    const sandbox = await sandboxWith(forwarding(PARTNER));
    expect(await forge(sandbox, { account: PARTNER })).toBe('taken');
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${PARTNER} eu-west-1`]);
  });

  it('forges one on a bus that is named, whoever it says to come from', async () => {
    const sandbox = await fixtureSandbox(serviceThatLetsIn({ AWS: PARTNER }));
    expect(await forge(sandbox, { account: OTHER, bus: 'mine' })).toBe('taken');
    expect(await forge(sandbox, { account: HOME, region: 'us-east-1', bus: MINE })).toBe('taken');
    expect(await forge(sandbox, { bus: 'gone' })).toBe(`There is no event bus ${MINE.replace('mine', 'gone')}.\n`);
    expect(await heard(sandbox)).toEqual([`aws.ec2 1, ${OTHER} eu-west-1`, `aws.ec2 1, ${HOME} us-east-1`]);
  });
});
