import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { deleteQueue, fixtureSandbox, queueForEvents } from '../fixture-package.ts';

const SECOND = 1000;
const RULE_ARN = 'arn:aws:events:eu-west-1:000000000000:rule/fixture-rule';
const FUNCTION_ARN = 'arn:aws:lambda:eu-west-1:000000000000:function:fixture-dev-listener';

/** Writes down which events it was given. */
const listener = { code: 'export const handler = async (event) => { console.log(event.detail.number ?? event); };' };

const permission = {
  Type: 'AWS::Lambda::Permission',
  Properties: {
    FunctionName: { 'Fn::GetAtt': ['listenerLambdaFunction', 'Arn'] },
    Action: 'lambda:InvokeFunction',
    Principal: 'events.amazonaws.com',
    SourceArn: { 'Fn::GetAtt': ['Rule', 'Arn'] },
  },
};

function rule(target: Readonly<Record<string, unknown>>): unknown {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'fixture-rule',
      EventPattern: { source: ['aws.ec2'], detail: { event: ['createSnapshot'] } },
      Targets: [{ Id: 'target', Arn: { 'Fn::GetAtt': ['listenerLambdaFunction', 'Arn'] }, ...target }],
    },
  };
}

const withDeadLetters = { DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Stuck', 'Arn'] } } };

function happen(
  sandbox: Sandbox,
  number: number,
  where: { readonly account?: string; readonly region?: string } = {},
): void {
  const event = {
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    detail: { event: 'createSnapshot', number },
  };
  sandbox.bus.put(sandbox.bus.fill({ ...event, ...where }));
}

function heard(sandbox: Sandbox): string[] {
  return sandbox.logs().map((line) => `${line.time.slice(14, 19)} ${line.text}`);
}

describe('a rule with a function as its target', () => {
  const service = {
    functions: { listener },
    resources: { Rule: rule(withDeadLetters), Permission: permission, ...queueForEvents('Stuck') },
  };

  it('gives it the events of its own account and Region that match', async () => {
    const sandbox = await fixtureSandbox(service);
    happen(sandbox, 1);
    happen(sandbox, 2, { region: 'eu-central-1' });
    happen(sandbox, 3, { account: '111122223333' });
    sandbox.bus.put(sandbox.bus.fill({ source: 'aws.ec2', 'detail-type': 'x', detail: { event: 'copySnapshot' } }));
    await sandbox.advance(10 * SECOND);
    expect(heard(sandbox)).toEqual(['00:00 1']);
    expect(sandbox.bus.events()).toHaveLength(4);
  });

  it.each([
    ['twice, if so asked', { kind: 'duplicate-event', seconds: 30 }, ['00:00 1', '00:00 2', '00:30 1']],
    ['not at all', { kind: 'lose-event' }, ['00:00 2']],
    ['late', { kind: 'delay-event', seconds: 40 }, ['00:00 2', '00:40 1']],
    ['in the opposite order', { kind: 'reorder-events', times: 2 }, ['00:00 2', '00:00 1']],
    ['not at all, if the fault is for such events', { kind: 'lose-event', event: 'createSnapshot' }, ['00:00 2']],
    ['as ever, if the fault is for others', { kind: 'lose-event', detailType: 'Other' }, ['00:00 1', '00:00 2']],
  ])('delivers %s', async (_, fault, expected) => {
    const sandbox = await fixtureSandbox(service);
    sandbox.bus.faults.add(fault);
    happen(sandbox, 1);
    happen(sandbox, 2);
    await sandbox.advance(60 * SECOND);
    expect(heard(sandbox)).toEqual(expected);
  });

  it('delivers what was kept back for its order after a while, even if nothing more comes', async () => {
    const sandbox = await fixtureSandbox(service);
    sandbox.bus.faults.add({ kind: 'reorder-events', times: 3, seconds: 45 });
    happen(sandbox, 1);
    happen(sandbox, 2);
    await sandbox.advance(60 * SECOND);
    expect(heard(sandbox)).toEqual(['00:45 2', '00:45 1']);
  });

  it('tries again when a delivery fails, and gives the event up to the dead-letter queue in the end', async () => {
    const impatient = { ...withDeadLetters, RetryPolicy: { MaximumRetryAttempts: 3 } };
    const sandbox = await fixtureSandbox({ ...service, resources: { ...service.resources, Rule: rule(impatient) } });
    sandbox.bus.faults.add({ kind: 'fail-delivery', times: 3 });
    happen(sandbox, 1);
    await sandbox.advance(60 * SECOND);
    expect(heard(sandbox)).toEqual(['00:07 1']);

    sandbox.bus.faults.add({ kind: 'fail-delivery', times: 4 });
    happen(sandbox, 2);
    await sandbox.advance(60 * SECOND);
    expect(heard(sandbox)).toHaveLength(1);
    expect((await sandbox.messages('Stuck')).map(({ attributes }) => attributes)).toEqual([
      {
        RULE_ARN,
        TARGET_ARN: FUNCTION_ARN,
        ERROR_CODE: 'INTERNAL_ERROR',
        ERROR_MESSAGE: 'The sandbox was asked to fail this delivery',
        RETRY_ATTEMPTS: '3',
        EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      },
    ]);
  });
});

describe('a delivery that keeps failing', () => {
  const resources = { Permission: permission, ...queueForEvents('Stuck') };

  it('is tried again after pauses that grow to ten minutes', async () => {
    const sandbox = await fixtureSandbox({
      functions: { listener },
      resources: { Rule: rule(withDeadLetters), ...resources },
    });
    sandbox.bus.faults.add({ kind: 'fail-delivery', times: 12 });
    happen(sandbox, 1);
    await sandbox.advance(3600 * SECOND);
    // 1 + 2 + 4 … + 512 s, then twice 600 s
    expect(heard(sandbox)).toEqual(['37:03 1']);
  });

  it('is given up when the event would be too old for another try', async () => {
    const target = { ...withDeadLetters, RetryPolicy: { MaximumEventAgeInSeconds: 60 } };
    const sandbox = await fixtureSandbox({ functions: { listener }, resources: { Rule: rule(target), ...resources } });
    sandbox.bus.faults.add({ kind: 'fail-delivery', times: 6 });
    happen(sandbox, 1);
    await sandbox.advance(3600 * SECOND);
    expect(heard(sandbox)).toEqual([]);
    // The tries came after 0, 1, 3, 7, 15 and 31 s; the next one would have come after 63 s.
    expect(await sandbox.messages('Stuck')).toMatchObject([
      {
        time: '2026-01-05T09:00:31.500Z',
        attributes: { RETRY_ATTEMPTS: '5', EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds' },
      },
    ]);
  });
});

describe('a rule whose target was deleted', () => {
  it('sends the event to the dead-letter queue at once, and does not try again', async () => {
    const target = { ...withDeadLetters, Arn: { 'Fn::GetAtt': ['Gone', 'Arn'] } };
    const sandbox = await fixtureSandbox({
      resources: { Rule: rule(target), ...queueForEvents('Gone'), ...queueForEvents('Stuck') },
    });
    await deleteQueue(sandbox, 'Gone');
    happen(sandbox, 1);
    await sandbox.advance(3600 * SECOND);
    const [message, ...more] = await sandbox.messages('Stuck');
    expect(more).toEqual([]);
    expect(message).toMatchObject({
      time: '2026-01-05T09:00:00.500Z',
      attributes: { ERROR_CODE: 'ERROR_FROM_TARGET', RETRY_ATTEMPTS: '0' },
    });
    expect(message?.attributes).not.toHaveProperty('EXHAUSTED_RETRY_CONDITION');
    expect(sandbox.bus.dropped()).toEqual([]);
  });
});

describe('a rule whose function does not let EventBridge in', () => {
  it('sends the event to the dead-letter queue at once, with the reason', async () => {
    const sandbox = await fixtureSandbox({
      functions: { listener },
      resources: { Rule: rule(withDeadLetters), ...queueForEvents('Stuck') },
    });
    happen(sandbox, 1);
    await sandbox.advance(SECOND);
    const [message, ...more] = await sandbox.messages('Stuck');
    expect(more).toEqual([]);
    expect(message?.attributes).toEqual({
      RULE_ARN,
      TARGET_ARN: FUNCTION_ARN,
      ERROR_CODE: 'NO_PERMISSIONS',
      ERROR_MESSAGE: `User: events.amazonaws.com is not authorized to perform: lambda:InvokeFunction on resource: ${FUNCTION_ARN}`,
      RETRY_ATTEMPTS: '0',
    });
    expect(JSON.parse(message?.body ?? '')).toEqual(sandbox.bus.events()[0]);
  });

  it('does not count a permission for another rule', async () => {
    const other = { ...permission, Properties: { ...permission.Properties, SourceArn: `${RULE_ARN}-2` } };
    const sandbox = await fixtureSandbox({
      functions: { listener },
      resources: { Rule: rule(withDeadLetters), Permission: other, ...queueForEvents('Stuck') },
    });
    happen(sandbox, 1);
    await sandbox.advance(SECOND);
    expect(await sandbox.messages('Stuck')).toHaveLength(1);
  });

  it('loses the event if the dead-letter queue does not let it in either', async () => {
    const { Stuck } = queueForEvents('Stuck');
    const sandbox = await fixtureSandbox({
      functions: { listener },
      resources: { Rule: rule(withDeadLetters), Stuck },
    });
    happen(sandbox, 1);
    await sandbox.advance(SECOND);
    expect(await sandbox.messages('Stuck')).toEqual([]);
    expect(sandbox.bus.dropped()).toMatchObject([{ ruleArn: RULE_ARN, why: expect.stringContaining('the policy of') }]);
  });
});

describe('a rule with a topic as its target', () => {
  it('publishes what its input transformer makes of the event', async () => {
    const target = {
      Arn: { Ref: 'Alerts' },
      InputTransformer: {
        InputPathsMap: { event: '$.detail.event', n: '$.detail.number', gone: '$.detail.gone' },
        InputTemplate: '{"text": "<event> of \\"<n>\\"", "number": <n>, "event": <event>, "gone": <gone>}',
      },
    };
    const policy = {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [{ Ref: 'Alerts' }],
        PolicyDocument: {
          Statement: {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sns:Publish',
            Resource: { Ref: 'Alerts' },
          },
        },
      },
    };
    const Alerts = { Type: 'AWS::SNS::Topic', Properties: {} };
    const sandbox = await fixtureSandbox({
      functions: { listener },
      resources: { Rule: rule(target), Alerts, Policy: policy },
    });
    happen(sandbox, 7);
    await sandbox.advance(SECOND);
    const [message] = await sandbox.messages('Alerts');
    expect(message?.body).toBe(
      '{"text": "createSnapshot of \\"7\\"", "number": 7, "event": "createSnapshot", "gone": null}',
    );
  });
});

describe('events that were put', () => {
  it('are remembered as far back as was asked', async () => {
    const sandbox = await fixtureSandbox({}, { eventsKept: 3 });
    for (let number = 1; number <= 10; number += 1) happen(sandbox, number);
    expect(sandbox.bus.events().map(({ detail }) => detail['number'])).toEqual([8, 9, 10]);
  });
});
