import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { type FixtureFunction, fixtureSandbox, variable } from '../fixture-package.ts';

const SECOND = 1000;
const MACHINE = 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-express';

/** Answers what it was given. */
const worker: FixtureFunction = { code: 'export const handler = async (input) => input;' };

function machine(type: 'STANDARD' | 'EXPRESS', definition: Readonly<Record<string, unknown>>): unknown {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      StateMachineName: `fixture-${type.toLowerCase()}`,
      StateMachineType: type,
      DefinitionString: {
        'Fn::Sub': [JSON.stringify(definition), { Fn: { 'Fn::GetAtt': ['workerLambdaFunction', 'Arn'] } }],
      },
      RoleArn: 'arn:aws:iam::000000000000:role/fixture',
    },
  };
}

function expressOf(definition: Readonly<Record<string, unknown>>): Promise<Sandbox> {
  return fixtureSandbox({ functions: { worker }, resources: { Machine: machine('EXPRESS', definition) } });
}

/** Waits for as many seconds as the input says. */
const waiting = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', SecondsPath: '$.seconds', End: true } } };

function start(sandbox: Sandbox, seconds: number, name?: string): string {
  const input = JSON.stringify({ seconds });
  return sandbox.stepFunctions.start({ stateMachineArn: MACHINE, input, ...(name === undefined ? {} : { name }) }).arn;
}

/** How each execution went: status, and seconds from start to end. */
function ends(sandbox: Sandbox): string[] {
  return sandbox.stepFunctions
    .expressExecutions()
    .map(({ status, startDate, stopDate = Number.NaN }) => `${status} ${(stopDate - startDate) / SECOND}`);
}

describe('an Express execution', () => {
  it('takes a name that another one has, and then runs beside it', async () => {
    const sandbox = await expressOf(waiting);
    const arns = [start(sandbox, 60, 'heartbeat'), start(sandbox, 60, 'heartbeat')];
    expect(new Set(arns).size).toBe(2);
    for (const arn of arns) {
      expect(arn).toMatch(
        /^arn:aws:states:eu-west-1:000000000000:express:fixture-express:heartbeat:[\da-f]{8}-[\da-f-]{27}$/,
      );
    }
    await sandbox.advance(60 * SECOND);
    expect(ends(sandbox)).toEqual(['SUCCEEDED 60', 'SUCCEEDED 60']);
    expect(start(sandbox, 60)).toMatch(/:express:fixture-express:[\da-f-]{36}:[\da-f-]{36}$/);
  });

  it('is ended after five minutes', async () => {
    const sandbox = await expressOf({ ...waiting, TimeoutSeconds: 3600 });
    start(sandbox, 299);
    start(sandbox, 301);
    await sandbox.advance(3600 * SECOND);
    expect(ends(sandbox)).toEqual(['SUCCEEDED 299', 'TIMED_OUT 300']);
  });

  it('is ended earlier if its definition says so', async () => {
    const sandbox = await expressOf({ ...waiting, TimeoutSeconds: 30 });
    start(sandbox, 31);
    await sandbox.advance(3600 * SECOND);
    expect(ends(sandbox)).toEqual(['TIMED_OUT 30']);
  });

  it('tells EventBridge nothing, and is not among those whose transitions are billed', async () => {
    const sandbox = await expressOf(waiting);
    start(sandbox, 60);
    await sandbox.advance(60 * SECOND);
    expect(ends(sandbox)).toEqual(['SUCCEEDED 60']);
    expect(sandbox.bus.events()).toEqual([]);
    expect(sandbox.stepFunctions.executions()).toEqual([]);
  });

  it('shows its end, with its words', async () => {
    const sandbox = await expressOf({
      StartAt: 'Stop',
      States: { Stop: { Type: 'Fail', Error: 'Own', Cause: 'why' } },
    });
    start(sandbox, 0);
    await sandbox.advance(SECOND);
    expect(sandbox.stepFunctions.expressExecutions()).toMatchObject([
      { status: 'FAILED', stateMachineArn: MACHINE, input: '{"seconds":0}', error: 'Own', cause: 'why' },
    ]);
  });

  it('is remembered until 1,000 others were started, and counted for ever', async () => {
    const sandbox = await expressOf(waiting);
    for (let number = 1; number <= 2005; number += 1) start(sandbox, 0, `n${number}`);
    await sandbox.advance(SECOND);
    const names = sandbox.stepFunctions.expressExecutions().map(({ name }) => name);
    expect([names.length, names[0], names.at(-1)]).toEqual([1000, 'n1006', 'n2005']);
    expect(sandbox.stepFunctions.expressTotals().get('fixture-express')).toMatchObject({
      started: 2005,
      ended: { SUCCEEDED: 2005 },
    });
  });
});

it('Express executions add up to their number, their time, and the time that is billed', async () => {
  const sandbox = await expressOf({
    StartAt: 'Wait',
    States: { Wait: { Type: 'Wait', TimestampPath: '$.until', End: true } },
  });
  const run = (input: unknown) =>
    sandbox.stepFunctions.start({ stateMachineArn: MACHINE, input: JSON.stringify(input) });
  expect(sandbox.stepFunctions.expressTotals()).toEqual(new Map());
  run({ until: '2026-01-05T09:00:01.234Z' });
  run({ until: '2026-01-05T09:00:02.000Z' });
  run({ until: '2026-01-05T10:00:00.000Z' });
  run({});
  await sandbox.advance(290 * SECOND);
  expect(sandbox.stepFunctions.expressTotals().get('fixture-express')).toEqual({
    started: 4,
    running: 1,
    ended: { SUCCEEDED: 2, FAILED: 1, TIMED_OUT: 0, ABORTED: 0 },
    runMs: 3234,
    billedMs: 3300,
  });
  await sandbox.advance(10 * SECOND);
  expect(sandbox.stepFunctions.expressTotals().get('fixture-express')).toEqual({
    started: 4,
    running: 0,
    ended: { SUCCEEDED: 2, FAILED: 1, TIMED_OUT: 1, ABORTED: 0 },
    runMs: 303_234,
    billedMs: 303_300,
  });
});

describe.each(['STANDARD', 'EXPRESS'] as const)('a task of a state machine of type %s', (type) => {
  it('can be told by the context object which execution asks, and since when it runs', async () => {
    const told = {
      Type: 'Task',
      Resource: variable('Fn'),
      Parameters: { 'id.$': '$$.Execution.Id', 'startTime.$': '$$.Execution.StartTime', 'input.$': '$' },
      End: true,
    };
    const sandbox = await fixtureSandbox({
      functions: { worker },
      resources: {
        Machine: machine(type, {
          StartAt: 'Wait',
          States: { Wait: { Type: 'Wait', Seconds: 90, Next: 'Told' }, Told: told },
        }),
      },
    });
    await sandbox.advance(30 * SECOND);
    const stateMachineArn = sandbox.physicalIds.get('Machine') ?? '';
    const { arn } = sandbox.stepFunctions.start({ stateMachineArn, input: '{"region":"eu-central-1"}' });
    await sandbox.advance(90 * SECOND);
    const { stepFunctions } = sandbox;
    const [ended] = type === 'EXPRESS' ? stepFunctions.expressExecutions() : stepFunctions.executions();
    expect(JSON.parse(ended?.output ?? 'null')).toEqual({
      id: arn,
      startTime: '2026-01-05T09:00:30.000Z',
      input: { region: 'eu-central-1' },
    });
  });
});

describe('the API', () => {
  it('starts an Express execution and then knows nothing of it, as AWS does', async () => {
    const sandbox = await expressOf(waiting);
    const client = new SFNClient({
      endpoint: sandbox.endpoint,
      region: 'eu-west-1',
      maxAttempts: 1,
      credentials: { accessKeyId: '000000000000', secretAccessKey: 'none' },
    });
    const { executionArn, startDate } = await client.send(
      new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'beat', input: '{"seconds":60}' }),
    );
    expect(executionArn).toContain(':express:fixture-express:beat:');
    expect(startDate).toEqual(new Date('2026-01-05T09:00:00Z'));
    expect(ends(sandbox)).toEqual(['RUNNING NaN']);

    await expect(client.send(new ListExecutionsCommand({ stateMachineArn: MACHINE }))).rejects.toMatchObject({
      name: 'StateMachineTypeNotSupported',
      message: 'This operation is not supported by this type of state machine',
    });
    const notByArn = {
      name: 'InvalidArn',
      message: "Invalid Arn: 'Resource type not valid in this context: express'",
    };
    await expect(client.send(new DescribeExecutionCommand({ executionArn }))).rejects.toMatchObject(notByArn);
    await expect(client.send(new GetExecutionHistoryCommand({ executionArn }))).rejects.toMatchObject(notByArn);
    await expect(client.send(new StopExecutionCommand({ executionArn }))).rejects.toMatchObject(notByArn);

    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));
    const { type } = await client.send(new DescribeStateMachineCommand({ stateMachineArn: MACHINE }));
    expect([stateMachines?.map((each) => each.type), type]).toEqual([['EXPRESS'], 'EXPRESS']);
  });
});
