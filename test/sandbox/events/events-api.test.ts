import {
  DescribeEventBusCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, queueForEvents } from '../fixture-package.ts';

const SECOND = 1000;
const ARN = 'arn:aws:events:eu-west-1:000000000000:rule/fixture-heard';

function ruleTo(queue: string, properties: Readonly<Record<string, unknown>>): unknown {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['aws.ec2'] },
      Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': [queue, 'Arn'] }, RetryPolicy: { MaximumRetryAttempts: 3 } }],
      ...properties,
    },
  };
}

const service = {
  resources: {
    Heard: ruleTo('Inbox', { Name: 'fixture-heard', Description: 'Hears' }),
    Deaf: ruleTo('Inbox', { Name: 'fixture-deaf', State: 'DISABLED' }),
    Other: ruleTo('Inbox', { Name: 'other', EventPattern: { source: ['nobody'] } }),
    ...queueForEvents('Inbox'),
  },
};

function eventBridge({ endpoint }: Sandbox, { account = '000000000000', region = 'eu-west-1' } = {}) {
  const credentials = { accessKeyId: account, secretAccessKey: 'none' };
  return new EventBridgeClient({ endpoint, region, maxAttempts: 1, credentials });
}

/** How many events have come through in all, after one more. */
async function heardAfterOneMore(sandbox: Sandbox): Promise<number> {
  sandbox.bus.put(sandbox.bus.fill({ source: 'aws.ec2', 'detail-type': 'x', detail: {} }));
  await sandbox.advance(SECOND);
  return (await sandbox.messages('Inbox')).length;
}

describe('the API of EventBridge', () => {
  it('lists rules by the beginning of their name, page by page', async () => {
    const events = eventBridge(await fixtureSandbox(service));
    const { Rules } = await events.send(new ListRulesCommand({ NamePrefix: 'fixture-' }));
    expect(Rules?.map(({ Name, State }) => [Name, State])).toEqual([
      ['fixture-heard', 'ENABLED'],
      ['fixture-deaf', 'DISABLED'],
    ]);
    const first = await events.send(new ListRulesCommand({ Limit: 2 }));
    const second = await events.send(new ListRulesCommand({ Limit: 2, NextToken: first.NextToken }));
    expect([first.Rules?.length, second.Rules?.map(({ Name }) => Name), second.NextToken]).toEqual([
      2,
      ['other'],
      undefined,
    ]);
  });

  it('describes a rule and its targets', async () => {
    const events = eventBridge(await fixtureSandbox(service));
    const { EventPattern = '', ...rule } = await events.send(new DescribeRuleCommand({ Name: 'fixture-heard' }));
    expect(rule).toMatchObject({ Arn: ARN, State: 'ENABLED', Description: 'Hears', EventBusName: 'default' });
    expect(JSON.parse(EventPattern)).toEqual({ source: ['aws.ec2'] });
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: 'fixture-heard' }));
    expect(Targets).toEqual([
      {
        Id: 'queue',
        Arn: 'arn:aws:sqs:eu-west-1:000000000000:fixture-Inbox',
        RetryPolicy: { MaximumRetryAttempts: 3 },
      },
    ]);
  });

  it('disables and enables a rule, which then sees no event, or sees them again', async () => {
    const sandbox = await fixtureSandbox(service);
    const events = eventBridge(sandbox);
    expect(await heardAfterOneMore(sandbox)).toBe(1);
    await events.send(new DisableRuleCommand({ Name: 'fixture-heard' }));
    expect(await heardAfterOneMore(sandbox)).toBe(1);
    expect((await events.send(new DescribeRuleCommand({ Name: 'fixture-heard' }))).State).toBe('DISABLED');
    await events.send(new EnableRuleCommand({ Name: 'fixture-heard' }));
    expect(await heardAfterOneMore(sandbox)).toBe(2);
  });

  it('shows the rules of the Region that is asked, and of the account that asks', async () => {
    const companion = { template: 'companions/destination-region.yml', region: 'eu-central-1' };
    const sandbox = await fixtureSandbox(service, {
      companions: [{ ...companion, parameters: { HomeRegion: 'eu-west-1' } }],
    });
    const names = async (where: { account?: string; region?: string }) =>
      (await eventBridge(sandbox, where).send(new ListRulesCommand({}))).Rules?.map(({ Name }) => Name);
    expect(await names({ region: 'eu-central-1' })).toEqual(['ebs-snapshot-copier-copies-eu-west-1']);
    expect(await names({ region: 'us-east-1' })).toEqual([]);
    expect(await names({ account: '111122223333' })).toEqual([]);
  });

  it('shows the buses of an account and Region with their policies, and the rules that are on each', async () => {
    const letsIn = { Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'events:PutEvents', Resource: '*' };
    const Bus = { Type: 'AWS::Events::EventBus', Properties: { Name: 'mine', Policy: { Statement: letsIn } } };
    const More = {
      Type: 'AWS::Events::EventBusPolicy',
      Properties: { EventBusName: { Ref: 'Bus' }, StatementId: 'More', Statement: { ...letsIn, Principal: '*' } },
    };
    const OnMine = ruleTo('Inbox', { Name: 'on-mine', EventBusName: { Ref: 'Bus' } });
    const events = eventBridge(await fixtureSandbox({ resources: { ...service.resources, Bus, More, OnMine } }));

    const { EventBuses } = await events.send(new ListEventBusesCommand());
    expect(EventBuses?.map(({ Name, Policy }) => [Name, Policy === undefined])).toEqual([
      ['default', true],
      ['mine', false],
    ]);
    const { Arn: EventBusName, Policy = '' } = await events.send(new DescribeEventBusCommand({ Name: 'mine' }));
    expect(EventBusName).toBe('arn:aws:events:eu-west-1:000000000000:event-bus/mine');
    expect(JSON.parse(Policy).Statement).toEqual([letsIn, { ...letsIn, Principal: '*', Sid: 'More' }]);
    const { Rules } = await events.send(new ListRulesCommand({ EventBusName }));
    expect(Rules).toMatchObject([
      { Name: 'on-mine', Arn: 'arn:aws:events:eu-west-1:000000000000:rule/mine/on-mine', EventBusName: 'mine' },
    ]);
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: 'on-mine', EventBusName: 'mine' }));
    expect(Targets).toHaveLength(1);
    await expect(events.send(new ListTargetsByRuleCommand({ Rule: 'other', EventBusName: 'mine' }))).rejects.toThrow(
      'Rule other does not exist on EventBus mine.',
    );
  });

  it('says what is not there, in AWS words, and what is not in the sandbox', async () => {
    const events = eventBridge(await fixtureSandbox(service));
    const notFound = { name: 'ResourceNotFoundException', message: 'Rule x does not exist on EventBus default.' };
    await expect(events.send(new DescribeRuleCommand({ Name: 'x' }))).rejects.toMatchObject(notFound);
    await expect(events.send(new ListTargetsByRuleCommand({ Rule: 'x' }))).rejects.toMatchObject(notFound);
    await expect(events.send(new DisableRuleCommand({ Name: 'x' }))).rejects.toMatchObject(notFound);
    await expect(events.send(new ListRulesCommand({ EventBusName: 'mine' }))).rejects.toMatchObject({
      message: 'Event bus mine does not exist.',
    });
    await expect(events.send(new ListArchivesCommand())).rejects.toThrow('ListArchives is not in the sandbox');
  });
});
