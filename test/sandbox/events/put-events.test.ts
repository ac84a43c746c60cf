import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, queueForEvents, variable } from '../fixture-package.ts';

const PARTNER = '111122223333';
const STRANGER = '222233334444';
const MINE = 'arn:aws:events:eu-west-1:000000000000:event-bus/mine';

function ruleOn(EventBusName: unknown, name: string): unknown {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: name,
      EventBusName,
      EventPattern: { source: [{ prefix: '' }] },
      Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Inbox', 'Arn'] } }],
    },
  };
}

const service = {
  resources: {
    Bus: {
      Type: 'AWS::Events::EventBus',
      Properties: {
        Name: 'mine',
        Policy: {
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: `arn:aws:iam::${PARTNER}:root` },
              Action: 'events:PutEvents',
              Resource: {
                'Fn::Sub': `arn:aws:events:${variable('AWS::Region')}:${variable('AWS::AccountId')}:event-bus/mine`,
              },
              Condition: { 'ForAllValues:StringEquals': { 'events:source': 'shop' } },
            },
          ],
        },
      },
    },
    OnMine: ruleOn({ Ref: 'Bus' }, 'on-mine'),
    OnDefault: ruleOn('default', 'on-default'),
    ...queueForEvents('Inbox'),
  },
};

const ORDER: PutEventsRequestEntry = { Source: 'shop', DetailType: 'order', Detail: '{"number":1}' };

async function put({ endpoint }: Sandbox, account: string, ...entries: readonly PutEventsRequestEntry[]) {
  const credentials = { accessKeyId: account, secretAccessKey: 'none' };
  const client = new EventBridgeClient({ endpoint, region: 'eu-west-1', maxAttempts: 1, credentials });
  const { FailedEntryCount, Entries } = await client.send(new PutEventsCommand({ Entries: [...entries] }));
  return { failed: FailedEntryCount, entries: Entries ?? [] };
}

async function heard(sandbox: Sandbox): Promise<readonly Record<string, unknown>[]> {
  await sandbox.advance(1000);
  return (await sandbox.messages('Inbox')).map(({ body }) => JSON.parse(body));
}

describe('PutEvents', () => {
  it('puts events on a bus of the caller, with its account and Region', async () => {
    const sandbox = await fixtureSandbox(service);
    const Time = new Date('2026-01-04T08:07:06Z');
    const { failed, entries } = await put(sandbox, '000000000000', ORDER, { ...ORDER, EventBusName: 'mine', Time });
    expect(failed).toBe(0);
    const event = {
      source: 'shop',
      'detail-type': 'order',
      detail: { number: 1 },
      account: '000000000000',
      region: 'eu-west-1',
    };
    expect(await heard(sandbox)).toEqual([
      expect.objectContaining({ ...event, id: entries[0]?.EventId, time: '2026-01-05T09:00:00Z' }),
      expect.objectContaining({ ...event, id: entries[1]?.EventId, time: '2026-01-04T08:07:06Z' }),
    ]);
  });

  it('takes none that says it comes from AWS, nor one that is not whole, and all others', async () => {
    const sandbox = await fixtureSandbox(service);
    const { failed, entries } = await put(
      sandbox,
      '000000000000',
      { ...ORDER, Source: 'aws.ec2' },
      ORDER,
      { ...ORDER, DetailType: undefined },
      { ...ORDER, Detail: '[]' },
    );
    expect([failed, ...entries.map(({ ErrorCode }) => ErrorCode)]).toEqual([
      3,
      'NotAuthorizedForSourceException',
      undefined,
      'InvalidArgument',
      'MalformedDetail',
    ]);
    expect(await heard(sandbox)).toHaveLength(1);
  });

  it("puts another account's events on a bus whose policy lets them in, and says whose they are", async () => {
    const sandbox = await fixtureSandbox(service);
    await put(sandbox, PARTNER, { ...ORDER, EventBusName: MINE });
    expect(await heard(sandbox)).toMatchObject([{ account: PARTNER, region: 'eu-west-1', source: 'shop' }]);
  });

  it.each([
    ['an account that the policy does not name', STRANGER, { ...ORDER, EventBusName: MINE }],
    ['an event that the policy does not allow', PARTNER, { ...ORDER, Source: 'bank', EventBusName: MINE }],
    ['a bus without a policy', PARTNER, { ...ORDER, EventBusName: MINE.replace('mine', 'default') }],
    ['a bus that is not there', PARTNER, { ...ORDER, EventBusName: MINE.replace('mine', 'gone') }],
  ])('is refused for %s', async (_, account, entry) => {
    const sandbox = await fixtureSandbox(service);
    await expect(put(sandbox, account, ORDER, entry)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        `User: arn:aws:iam::${account}:root is not authorized to perform: events:PutEvents on resource: ` +
        `${entry.EventBusName} because no resource-based policy allows the events:PutEvents action`,
    });
    expect(await heard(sandbox)).toEqual([]);
  });
});
