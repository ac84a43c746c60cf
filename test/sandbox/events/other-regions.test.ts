import { describe, expect, it } from 'vitest';
import type { Rule } from '../../../sandbox/events/rule.ts';
import { parsePolicy } from '../../../sandbox/iam/policy-document.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, queueForEvents } from '../fixture-package.ts';

const SECOND = 1000;

const ROLE = 'arn:aws:iam::000000000000:role/forwards';

/** Sends all events on the default bus of one Region to that of another one. */
function forwarding(from: string, to: string): Rule {
  return {
    arn: `arn:aws:events:${from}:000000000000:rule/to-${to}`,
    enabled: true,
    shown: { description: undefined, pattern: {}, targets: [] },
    matches: () => true,
    targets: [
      {
        arn: `arn:aws:events:${to}:000000000000:event-bus/default`,
        roleArn: ROLE,
        maximumRetryAttempts: 185,
        maximumEventAgeSeconds: 86_400,
      },
    ],
  };
}

/** A queue at home that gets all events of copies there, and a rule in Frankfurt that sends them there. */
async function forwardingFromFrankfurt(): Promise<Sandbox> {
  const Rule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'fixture-rule',
      EventPattern: { source: ['aws.ec2'], detail: { event: ['copySnapshot'] } },
      Targets: [{ Id: 'heard', Arn: { 'Fn::GetAtt': ['Heard', 'Arn'] } }],
    },
  };
  const sandbox = await fixtureSandbox({ resources: { Rule, ...queueForEvents('Heard') } });
  sandbox.iam.addRole({
    arn: ROLE,
    account: '000000000000',
    stack: 'by-hand',
    logicalId: 'Forwards',
    trust: parsePolicy(
      'trust',
      {
        Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      'trust',
    ),
    policies: [
      parsePolicy(
        'identity',
        { Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: '*' }] },
        'policy',
      ),
    ],
  });
  sandbox.bus.addRule(forwarding('eu-central-1', 'eu-west-1'));
  return sandbox;
}

function happen(
  sandbox: Sandbox,
  number: number,
  where: { readonly account?: string; readonly region?: string } = { region: 'eu-central-1' },
): unknown {
  const event = sandbox.bus.fill({
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    detail: { event: 'copySnapshot', number },
    ...where,
  });
  sandbox.bus.put(event);
  return event;
}

/** When the queue got which events. */
async function heard(sandbox: Sandbox): Promise<string[]> {
  const messages = await sandbox.messages('Heard');
  return messages.map(({ time, body }) => `${time.slice(14, 19)} ${JSON.parse(body).detail.number}`);
}

describe('a rule on the bus of another Region', () => {
  it('sends events on to the bus at home as they are, and they are remembered once', async () => {
    const sandbox = await forwardingFromFrankfurt();
    const event = happen(sandbox, 1);
    await sandbox.advance(60 * SECOND);
    const [message, ...more] = await sandbox.messages('Heard');
    expect(more).toEqual([]);
    expect(message?.time).toBe('2026-01-05T09:00:01.000Z');
    expect(JSON.parse(message?.body ?? '')).toEqual(event);
    expect(event).toMatchObject({ region: 'eu-central-1', account: '000000000000' });
    expect(sandbox.bus.events()).toEqual([event]);
  });

  it('gets nothing of other Regions and accounts', async () => {
    const sandbox = await forwardingFromFrankfurt();
    happen(sandbox, 1, { region: 'us-east-1' });
    happen(sandbox, 2, { region: 'eu-central-1', account: '111122223333' });
    happen(sandbox, 3, { region: 'eu-west-1' });
    await sandbox.advance(60 * SECOND);
    expect(await heard(sandbox)).toEqual(['00:00 3']);
  });

  it('does not make an event go round: it goes on from one bus only', async () => {
    const sandbox = await forwardingFromFrankfurt();
    sandbox.bus.addRule(forwarding('eu-west-1', 'eu-central-1'));
    happen(sandbox, 1);
    await sandbox.advance(3600 * SECOND);
    expect(await heard(sandbox)).toEqual(['00:01 1']);
    expect(sandbox.bus.dropped()).toMatchObject([
      {
        ruleArn: 'arn:aws:events:eu-west-1:000000000000:rule/to-eu-central-1',
        why: expect.stringContaining('THIRD_REGION_HOP_DETECTED'),
      },
    ]);
  });

  it.each([
    ['twice', { kind: 'duplicate-event', seconds: 30 }, ['00:01 1', '00:01 2', '00:31 1']],
    ['not at all', { kind: 'lose-event', event: 'copySnapshot' }, ['00:01 2']],
    ['late', { kind: 'delay-event', seconds: 40 }, ['00:01 2', '00:41 1']],
    ['in the opposite order', { kind: 'reorder-events', times: 2 }, ['00:01 2', '00:01 1']],
    ['after another try', { kind: 'fail-delivery' }, ['00:01 2', '00:02 1']],
  ])('sends them on %s, if so asked', async (_, fault, expected) => {
    const sandbox = await forwardingFromFrankfurt();
    sandbox.bus.faults.add(fault);
    happen(sandbox, 1);
    happen(sandbox, 2);
    await sandbox.advance(60 * SECOND);
    expect(await heard(sandbox)).toEqual(expected);
  });

  it('leaves no fault to the events of Regions without rules', async () => {
    const sandbox = await forwardingFromFrankfurt();
    sandbox.bus.faults.add({ kind: 'lose-event' });
    happen(sandbox, 1, { region: 'us-east-1' });
    happen(sandbox, 2);
    happen(sandbox, 3);
    await sandbox.advance(60 * SECOND);
    expect(await heard(sandbox)).toEqual(['00:01 3']);
  });
});
