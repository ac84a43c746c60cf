import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, queueForEvents, role } from '../fixture-package.ts';

const SECOND = 1000;
const RULE_ARN = 'arn:aws:events:eu-west-1:000000000000:rule/fixture-rule';
const MACHINE = 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-express';
const RoleArn = 'arn:aws:iam::000000000000:role/starts';

const Machine = {
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    StateMachineName: 'fixture-express',
    StateMachineType: 'EXPRESS',
    Definition: { StartAt: 'Pass', States: { Pass: { Type: 'Pass', End: true } } },
    RoleArn: 'arn:aws:iam::000000000000:role/fixture',
  },
};

function withTarget(target: Readonly<Record<string, unknown>>): Promise<Sandbox> {
  const Rule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: 'fixture-rule',
      EventPattern: { source: ['aws.ec2'] },
      Targets: [
        {
          Id: 'target',
          Arn: { Ref: 'Machine' },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Stuck', 'Arn'] } },
          ...target,
        },
      ],
    },
  };
  const Starts = role('events', 'states:StartExecution', '*', 'starts');
  const Useless = role('events', 'states:StopExecution', '*', 'useless');
  const Foreign = role('lambda', 'states:StartExecution', '*', 'foreign');
  return fixtureSandbox({ resources: { Machine, Rule, Starts, Useless, Foreign, ...queueForEvents('Stuck') } });
}

function happen(sandbox: Sandbox): unknown {
  const event = sandbox.bus.fill({ source: 'aws.ec2', 'detail-type': 'x', detail: { event: 'copySnapshot' } });
  sandbox.bus.put(event);
  return event;
}

/** When executions began, and with which input. */
function started(sandbox: Sandbox): (readonly [string, unknown])[] {
  return sandbox.stepFunctions
    .expressExecutions()
    .map(({ startDate, input }) => [new Date(startDate).toISOString().slice(14, 23), JSON.parse(input)] as const);
}

describe('a rule with a state machine as its target', () => {
  it('starts an execution with the whole event as its input', async () => {
    const sandbox = await withTarget({ RoleArn });
    const event = happen(sandbox);
    await sandbox.advance(60 * SECOND);
    expect(started(sandbox)).toEqual([['00:00.500', event]]);
  });

  it('starts it with what its input transformer makes of the event', async () => {
    const sandbox = await withTarget({
      RoleArn,
      InputTransformer: { InputPathsMap: { region: '$.region' }, InputTemplate: '{"region": <region>}' },
    });
    happen(sandbox);
    await sandbox.advance(60 * SECOND);
    expect(started(sandbox)).toEqual([['00:00.500', { region: 'eu-west-1' }]]);
  });

  it('tries again when that fails, and gives the event up to the dead-letter queue in the end', async () => {
    const sandbox = await withTarget({ RoleArn, RetryPolicy: { MaximumRetryAttempts: 2 } });
    sandbox.bus.faults.add({ kind: 'fail-delivery', times: 5 });
    happen(sandbox);
    await sandbox.advance(60 * SECOND);
    expect(started(sandbox)).toEqual([]);
    expect(await sandbox.messages('Stuck')).toMatchObject([
      { attributes: { RULE_ARN, TARGET_ARN: MACHINE, RETRY_ATTEMPTS: '2' } },
    ]);
    // The second event is the one that only two attempts fail for.
    const second = happen(sandbox);
    await sandbox.advance(60 * SECOND);
    expect(started(sandbox)).toEqual([['01:03.500', second]]);
  });

  it.each([
    [
      'that is not there',
      { Arn: 'arn:aws:states:eu-west-1:000000000000:stateMachine:gone' },
      { ERROR_CODE: 'NO_RESOURCE', ERROR_MESSAGE: expect.stringContaining('State Machine Does Not Exist') },
    ],
    [
      'that does not take the input',
      { InputTransformer: { InputTemplate: '{"not": JSON}' } },
      { ERROR_CODE: 'ERROR_FROM_TARGET', ERROR_MESSAGE: expect.stringContaining('InvalidExecutionInput') },
    ],
    [
      'that its role may not start',
      { RoleArn: RoleArn.replace('starts', 'useless') },
      {
        ERROR_CODE: 'NO_PERMISSIONS',
        ERROR_MESSAGE:
          'User: arn:aws:sts::000000000000:assumed-role/useless/fixture-rule is not authorized to perform: states:StartExecution ' +
          `on resource: ${MACHINE} because no identity-based policy allows the states:StartExecution action`,
      },
    ],
    [
      'with a role that EventBridge cannot take on',
      { RoleArn: RoleArn.replace('starts', 'foreign') },
      { ERROR_CODE: 'FAILED_TO_ASSUME_ROLE' },
    ],
    [
      'with a role that there is not',
      { RoleArn: RoleArn.replace('starts', 'gone') },
      { ERROR_CODE: 'FAILED_TO_ASSUME_ROLE' },
    ],
  ])('gives the event for one %s up at once', async (_, target, attributes) => {
    const sandbox = await withTarget({ RoleArn, ...target });
    happen(sandbox);
    await sandbox.advance(3600 * SECOND);
    expect(await sandbox.messages('Stuck')).toMatchObject([
      { time: '2026-01-05T09:00:00.500Z', attributes: { RETRY_ATTEMPTS: '0', ...attributes } },
    ]);
  });
});

describe('a target is refused', () => {
  const queue = 'arn:aws:sqs:eu-west-1:000000000000:fixture-Stuck';
  it.each([
    ['without the role that starts its executions', {}, `RoleArn is required for target ${MACHINE}.`],
    [
      'without the role that puts events on its bus',
      { Arn: 'arn:aws:events:eu-central-1:000000000000:event-bus/default' },
      'RoleArn is required for target arn:aws:events:eu-central-1:000000000000:event-bus/default.',
    ],
    [
      'with a role that it would not use here',
      { Arn: queue, RoleArn },
      'roles for state machines and event buses only',
    ],
    [
      'in another Region',
      { Arn: queue.replace('eu-west-1', 'eu-central-1') },
      'rules reach other accounts and Regions by their buses only',
    ],
    [
      'in another account',
      { Arn: queue.replace('000000000000', '111122223333') },
      'rules reach other accounts and Regions by their buses only',
    ],
    [
      'if it is the bus of the rule itself',
      { Arn: 'arn:aws:events:eu-west-1:000000000000:event-bus/default', RoleArn },
      'is the bus that the rule is on',
    ],
    [
      'if an event should change on its way to a bus',
      {
        Arn: 'arn:aws:events:eu-central-1:000000000000:event-bus/default',
        RoleArn,
        InputTransformer: { InputTemplate: '{}' },
      },
      'an event goes on to a bus as it is',
    ],
  ])('%s', async (_, target, message) => {
    await expect(withTarget(target)).rejects.toThrow(message);
  });
});
