import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import type { ExecutionRecord } from '../../../sandbox/stepfunctions/step-functions.ts';
import { type FixtureFunction, fixtureSandbox, stateMachine, variable } from '../fixture-package.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Fails with the names in `errors`, one after the other, then answers how often it was called. */
const worker: FixtureFunction = {
  code: `let calls = 0; export const handler = async ({ errors = [] }) => {
    calls += 1;
    const name = errors[calls - 1];
    if (name !== undefined) { const error = new Error('call ' + calls); error.name = name; throw error; }
    return { calls };
  };`,
};
const Fn = { 'Fn::GetAtt': ['workerLambdaFunction', 'Arn'] };
const task = { Type: 'Task', Resource: variable('Fn') };
const end = { Type: 'Succeed' };

function machineOf(definition: Readonly<Record<string, unknown>>): Promise<Sandbox> {
  return fixtureSandbox({ functions: { worker }, resources: { Machine: stateMachine(definition, { Fn }) } });
}

function start(sandbox: Sandbox, input: unknown = {}): string {
  const stateMachineArn = sandbox.physicalIds.get('Machine') ?? '';
  return sandbox.stepFunctions.start({ stateMachineArn, input: JSON.stringify(input) }).arn;
}

/** Runs an execution to its end. */
async function run(sandbox: Sandbox, input: unknown = {}): Promise<ExecutionRecord> {
  const arn = start(sandbox, input);
  await sandbox.advanceUntil(() => sandbox.stepFunctions.execution(arn).status !== 'RUNNING', 1000 * HOUR);
  return sandbox.stepFunctions.execution(arn);
}

function secondsOf({ startDate, stopDate }: ExecutionRecord): number {
  return ((stopDate ?? Number.NaN) - startDate) / SECOND;
}

function outputOf({ output }: ExecutionRecord): unknown {
  return JSON.parse(output ?? 'null');
}

describe('an execution', () => {
  it('waits for days in no time', async () => {
    const sandbox = await machineOf({
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Work' }, Work: { ...task, End: true } },
    });
    const execution = await run(sandbox, { seconds: 3_000_000 });
    expect(secondsOf(execution)).toBe(3_000_000);
    expect(outputOf(execution)).toEqual({ calls: 1 });
  });

  it('puts results where ResultPath says, and nowhere else', async () => {
    const sandbox = await machineOf({
      StartAt: 'Inside',
      States: {
        Inside: { ...task, ResultPath: '$.a.b', Next: 'Nowhere' },
        Nowhere: { ...task, ResultPath: null, Next: 'Instead' },
        Instead: { ...task, ResultPath: '$', End: true },
      },
    });
    const execution = await run(sandbox, { kept: true });
    const outputs = execution.history
      .filter(({ type }) => type === 'TaskStateExited')
      .map(({ details }) => details?.['output']);
    expect(outputs).toEqual([
      '{"kept":true,"a":{"b":{"calls":1}}}',
      '{"kept":true,"a":{"b":{"calls":1}}}',
      '{"calls":3}',
    ]);
  });

  it('fails when the output of a state is larger than it may be, be it put together from parts', async () => {
    const sandbox = await machineOf({
      StartAt: 'Double',
      States: {
        Double: { Type: 'Pass', InputPath: '$.text', ResultPath: '$.again', Next: 'Work' },
        Work: { ...task, End: true },
      },
    });
    const fits = await run(sandbox, { text: 'x'.repeat(130_000) });
    expect(fits.status).toBe('SUCCEEDED');
    const execution = await run(sandbox, { text: 'x'.repeat(132_000) });
    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause: expect.stringContaining("'Double'"),
    });
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(1);
  });

  it('knows itself by its context object', async () => {
    const sandbox = await machineOf({
      StartAt: 'Wait',
      States: {
        Wait: { Type: 'Wait', Seconds: 90, Next: 'Look' },
        Look: {
          Type: 'Pass',
          Parameters: {
            'arn.$': '$$.Execution.Id',
            'name.$': '$$.Execution.Name',
            'began.$': '$$.Execution.StartTime',
            'machine.$': '$$.StateMachine.Id',
            'state.$': '$$.State.Name',
            'entered.$': '$$.State.EnteredTime',
          },
          End: true,
        },
      },
    });
    const execution = await run(sandbox);
    expect(outputOf(execution)).toEqual({
      arn: execution.arn,
      name: execution.name,
      began: '2026-01-05T09:00:00.000Z',
      machine: 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-dev',
      state: 'Look',
      entered: '2026-01-05T09:01:30.000Z',
    });
  });

  it.each([
    ['IsPresent: true', { Variable: '$.a', IsPresent: true }, { a: 1 }, true],
    ['IsPresent: false', { Variable: '$.a', IsPresent: false }, { a: 1 }, false],
    ['IsPresent: false of what is absent', { Variable: '$.a', IsPresent: false }, {}, true],
    [
      'IsNull: false within And',
      {
        And: [
          { Variable: '$.a', IsNull: false },
          { Variable: '$.a', NumericEquals: 1 },
        ],
      },
      { a: 1 },
      true,
    ],
  ])('chooses as Step Functions does by %s', async (_, rule, input, expected) => {
    const sandbox = await machineOf({
      StartAt: 'Choose',
      States: {
        Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
        Yes: { Type: 'Pass', Result: 'yes', End: true },
        No: { Type: 'Pass', Result: 'no', End: true },
      },
    });
    expect(outputOf(await run(sandbox, input))).toBe(expected ? 'yes' : 'no');
  });

  it('counts its transitions and keeps its history', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: {
        Work: { ...task, Retry: [{ ErrorEquals: ['Soon'], IntervalSeconds: 5, MaxAttempts: 2 }], Next: 'End' },
        End: end,
      },
    });
    const execution = await run(sandbox, { errors: ['Soon'] });
    expect(execution.transitions).toBe(3);
    const began = execution.startDate;
    expect(execution.history.map(({ id, type, timestamp }) => `${id} ${(timestamp - began) / SECOND} ${type}`)).toEqual(
      [
        '1 0 ExecutionStarted',
        '2 0 TaskStateEntered',
        '3 0 LambdaFunctionScheduled',
        '4 0 LambdaFunctionStarted',
        '5 0 LambdaFunctionFailed',
        '6 5 LambdaFunctionScheduled',
        '7 5 LambdaFunctionStarted',
        '8 5 LambdaFunctionSucceeded',
        '9 5 TaskStateExited',
        '10 5 SucceedStateEntered',
        '11 5 SucceedStateExited',
        '12 5 ExecutionSucceeded',
      ],
    );
  });

  it('fails when its history gets longer than Step Functions allows', async () => {
    const sandbox = await machineOf({
      StartAt: 'Wait',
      States: {
        Wait: { Type: 'Wait', Seconds: 1, Next: 'Done' },
        Done: { Type: 'Choice', Choices: [{ Variable: '$.done', IsPresent: true, Next: 'End' }], Default: 'Wait' },
        End: end,
      },
    });
    const execution = await run(sandbox);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(execution.history).toHaveLength(25_000);
  });
});

describe('a task that fails', () => {
  it('is caught with the name of its error, and with all that Lambda says as the cause', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: {
        Work: {
          ...task,
          Catch: [
            { ErrorEquals: ['Other'], Next: 'Broken' },
            { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'End' },
          ],
          End: true,
        },
        End: end,
        Broken: { Type: 'Fail' },
      },
    });
    const output = outputOf(await run(sandbox, { errors: ['OwnError'], kept: true }));
    expect(output).toEqual({
      errors: ['OwnError'],
      kept: true,
      error: { Error: 'OwnError', Cause: expect.any(String) },
    });
    expect(output).toHaveProperty(
      'error.Cause',
      expect.stringMatching(/^\{"errorType":"OwnError","errorMessage":"call 1","trace":\[/),
    );
  });

  it('is tried again for hours, with growing pauses up to a limit', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: {
        Work: {
          ...task,
          Retry: [
            { ErrorEquals: ['Busy'], IntervalSeconds: 60, BackoffRate: 2, MaxDelaySeconds: 600, MaxAttempts: 20 },
          ],
          End: true,
        },
      },
    });
    const execution = await run(sandbox, { errors: Array(20).fill('Busy') });
    // 60 + 120 + 240 + 480, then 16 times 600
    expect(secondsOf(execution)).toBe(900 + 16 * 600);
    expect(outputOf(execution)).toEqual({ calls: 21 });
  });

  it('is tried again after a month', async () => {
    const retry = { ErrorEquals: ['Busy'], IntervalSeconds: 1_000_000, BackoffRate: 3, MaxAttempts: 2 };
    const sandbox = await machineOf({ StartAt: 'Work', States: { Work: { ...task, Retry: [retry], End: true } } });
    // A month is longer than an environment lasts, so each attempt is the first call of its own.
    const arn = start(sandbox, { errors: ['Busy'] });
    await sandbox.advance(3_999_999 * SECOND);
    expect(sandbox.stepFunctions.execution(arn).status).toBe('RUNNING');
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(2);
    await sandbox.advance(SECOND);
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(3);
  });

  it.each([
    ['is larger than it may be', worker.code.replace('{ calls }', `'x'.repeat(262_143)`), 'States.DataLimitExceeded'],
    [
      'reports an error that only Step Functions has',
      worker.code.replace('return { calls }', `throw Object.assign(new Error(), { name: 'States.Runtime' })`),
      'States.Runtime',
    ],
  ])('ends the execution if its answer %s: no States.ALL tries again or catches that', async (_, code, error) => {
    const sandbox = await fixtureSandbox({
      functions: { worker: { code } },
      resources: {
        Machine: stateMachine(
          {
            StartAt: 'Work',
            States: {
              Work: {
                ...task,
                Retry: [{ ErrorEquals: ['States.ALL'] }],
                Catch: [{ ErrorEquals: ['States.ALL'], Next: 'End' }],
                Next: 'End',
              },
              End: end,
            },
          },
          { Fn },
        ),
      },
    });
    expect(await run(sandbox)).toMatchObject({ status: 'FAILED', error });
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(1);
  });

  it('waits a part of each pause with full jitter, the same in every run', async () => {
    const definition = {
      StartAt: 'Work',
      States: {
        Work: {
          ...task,
          Retry: [
            { ErrorEquals: ['Busy'], IntervalSeconds: 100, BackoffRate: 1, MaxAttempts: 40, JitterStrategy: 'FULL' },
          ],
          End: true,
        },
      },
    };
    const durations: number[] = [];
    for (const _ of [1, 2]) {
      const sandbox = await machineOf(definition);
      durations.push(secondsOf(await run(sandbox, { errors: Array(40).fill('Busy') })));
      await sandbox.stop();
    }
    expect(durations[0]).toBe(durations[1]);
    expect(durations[0]).toBeGreaterThan(1000);
    expect(durations[0]).toBeLessThan(3000);
  });

  it('fails the execution when the retries are used up', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: { Work: { ...task, Retry: [{ ErrorEquals: ['Busy'], MaxAttempts: 1 }], End: true } },
    });
    const execution = await run(sandbox, { errors: ['Busy', 'Busy', 'Busy'] });
    expect(execution).toMatchObject({
      status: 'FAILED',
      error: 'Busy',
      cause: expect.stringContaining('"errorMessage":"call 2"'),
    });
  });

  it('can be timed out by its state, and its late answer is not looked at', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: {
        Work: {
          ...task,
          TimeoutSeconds: 10,
          Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.error', Next: 'Wait' }],
          End: true,
        },
        Wait: { Type: 'Wait', Seconds: 60, End: true },
      },
    });
    sandbox.lambda.interruptNext({ functionName: 'worker', moment: 'answer', as: 'timeout' });
    const execution = await run(sandbox);
    expect(secondsOf(execution)).toBe(70);
    expect(outputOf(execution)).toHaveProperty('error.Error', 'States.Timeout');
    expect(execution.history.map(({ type }) => type).filter((type) => type.startsWith('Lambda'))).toEqual([
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionTimedOut',
    ]);
  });

  it('has no time-out of a minute that nobody asked for', async () => {
    const sandbox = await fixtureSandbox({
      functions: { worker: { ...worker, properties: { Timeout: 600 } } },
      resources: { Machine: stateMachine({ StartAt: 'Work', States: { Work: { ...task, End: true } } }, { Fn }) },
    });
    sandbox.lambda.interruptNext({ functionName: 'worker', moment: 'answer', as: 'timeout' });
    const execution = await run(sandbox);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Sandbox.Timedout' });
    expect(secondsOf(execution)).toBe(600);
  });
});

describe('the end of an execution', () => {
  const slow = {
    StartAt: 'Work',
    TimeoutSeconds: 3600,
    States: {
      Work: {
        ...task,
        Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1200, MaxAttempts: 99 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'End' }],
        Next: 'End',
      },
      End: end,
    },
  };
  const busy = { errors: Array(99).fill('Busy') };

  it('comes with the time-out of the state machine, which no Catch sees, and nothing runs on', async () => {
    const sandbox = await machineOf(slow);
    const execution = await run(sandbox, busy);
    expect(execution).toMatchObject({ status: 'TIMED_OUT' });
    expect(secondsOf(execution)).toBe(3600);
    const invoked = sandbox.lambda.invocationCounts().get('fixture-dev-worker');
    await sandbox.advance(100 * HOUR);
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(invoked);
  });

  it('comes when somebody stops it, and nothing runs on', async () => {
    const sandbox = await machineOf(slow);
    const arn = start(sandbox, busy);
    await sandbox.advance(60 * SECOND);
    await sandbox.stepFunctions.stop(arn, 'Enough', 'we changed our minds');
    await sandbox.advance(100 * HOUR);
    expect(sandbox.stepFunctions.execution(arn)).toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'we changed our minds',
    });
    expect(sandbox.lambda.invocationCounts().get('fixture-dev-worker')).toBe(1);
  });

  it.each([
    ['its own words', { Error: 'Own', Cause: 'because' }, { error: 'Own', cause: 'because' }],
    ['words of the input', { ErrorPath: '$.e', CausePath: '$.c' }, { error: 'E', cause: 'C' }],
    ['no words', {}, { error: undefined, cause: undefined }],
  ])('can be a Fail state with %s', async (_, fields, expected) => {
    const sandbox = await machineOf({ StartAt: 'Stop', States: { Stop: { Type: 'Fail', ...fields } } });
    const { status, error, cause } = await run(sandbox, { e: 'E', c: 'C' });
    expect({ status, error, cause }).toEqual({ status: 'FAILED', ...expected });
  });

  it('is told on the home bus, as is the beginning', async () => {
    const sandbox = await machineOf({
      StartAt: 'Stop',
      States: { Stop: { Type: 'Fail', Error: 'Own', Cause: 'because' } },
    });
    const { arn, name } = await run(sandbox, { x: 1 });
    const [began, ended, ...more] = sandbox.bus.events();
    expect(more).toEqual([]);
    expect(began).toMatchObject({
      source: 'aws.states',
      detail: { status: 'RUNNING', stopDate: null, redriveStatus: 'NOT_REDRIVABLE' },
    });
    expect(ended).toEqual({
      version: '0',
      id: expect.any(String),
      'detail-type': 'Step Functions Execution Status Change',
      source: 'aws.states',
      account: '000000000000',
      time: '2026-01-05T09:00:00Z',
      region: 'eu-west-1',
      resources: [arn],
      detail: {
        executionArn: arn,
        stateMachineArn: 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-dev',
        name,
        status: 'FAILED',
        startDate: 1767603600000,
        stopDate: 1767603600000,
        input: '{"x":1}',
        output: null,
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        redriveCount: 0,
        redriveDate: null,
        redriveStatus: 'REDRIVABLE',
        redriveStatusReason: null,
        inputDetails: { included: true },
        outputDetails: null,
        error: 'Own',
        cause: 'because',
      },
    });
  });
});

describe('a status event', () => {
  const KIB = 1024;
  // A quotation mark is two bytes in the output, and four in the event.
  it.each([
    ['has input and output that fit together', 'x'.repeat(100 * KIB), 'x'.repeat(100 * KIB), true, true],
    ['leaves out the input if both together do not fit', 'x'.repeat(130 * KIB), 'x'.repeat(130 * KIB), false, true],
    ['leaves out both if the output alone does not fit', '', 'x'.repeat(250 * KIB), false, false],
    ['counts what is escaped', '', '"'.repeat(65 * KIB), false, false],
  ])('%s', async (_, input, text, hasInput, hasOutput) => {
    const sandbox = await machineOf({ StartAt: 'Say', States: { Say: { Type: 'Pass', Result: text, End: true } } });
    const execution = await run(sandbox, input);
    const { detail } = sandbox.bus.events().at(-1) ?? {};
    expect(detail).toMatchObject({
      status: 'SUCCEEDED',
      input: hasInput ? execution.input : null,
      inputDetails: { included: hasInput },
      output: hasOutput ? execution.output : null,
      outputDetails: { included: hasOutput },
    });
  });
});

describe('a task of another kind', () => {
  it('invokes a function with a payload', async () => {
    const sandbox = await machineOf({
      StartAt: 'Work',
      States: {
        Work: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Parameters: { FunctionName: variable('Fn'), Payload: { 'errors.$': '$.none' } },
          ResultSelector: { 'calls.$': '$.Payload.calls', 'version.$': '$.ExecutedVersion' },
          End: true,
        },
      },
    });
    expect(outputOf(await run(sandbox, { none: [] }))).toEqual({ calls: 1, version: '$LATEST' });
  });

  it('publishes to a topic, and fails as SNS does when it refuses', async () => {
    const sandbox = await fixtureSandbox({
      functions: { worker },
      resources: {
        Alerts: { Type: 'AWS::SNS::Topic', Properties: {} },
        Machine: stateMachine(
          {
            StartAt: 'Tell',
            States: {
              Tell: {
                Type: 'Task',
                Resource: 'arn:aws:states:::sns:publish',
                Parameters: {
                  TopicArn: variable('Topic'),
                  'Subject.$': '$.subject',
                  'Message.$': '$.message',
                  MessageAttributes: { rule: { DataType: 'String', 'StringValue.$': '$.rule' } },
                },
                ResultPath: null,
                End: true,
              },
            },
          },
          { Topic: { Ref: 'Alerts' } },
        ),
      },
    });
    await run(sandbox, { subject: 'Failed', message: { text: 'all of it' }, rule: 'nightly' });
    expect(await sandbox.messages('Alerts')).toEqual([
      {
        time: '2026-01-05T09:00:00.000Z',
        subject: 'Failed',
        body: '{"text":"all of it"}',
        attributes: { rule: 'nightly' },
      },
    ]);
    const refused = [
      await run(sandbox, { subject: 'x'.repeat(100), message: 'm', rule: 'nightly' }),
      await run(sandbox, { subject: 'über', message: 'm', rule: 'nightly' }),
      await run(sandbox, { subject: 'Failed', message: 'm', rule: '' }),
    ];
    expect(refused.map(({ error }) => error)).toEqual([
      'SNS.InvalidParameterException',
      'SNS.InvalidParameterException',
      'SNS.ParameterValueInvalidException',
    ]);
    expect(await sandbox.messages('Alerts')).toHaveLength(1);
  });
});

describe('starting an execution', () => {
  const machine = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } };

  it('a second time with the same name and input while it runs gives the first one', async () => {
    const { stepFunctions, physicalIds } = await machineOf(machine);
    const request = { stateMachineArn: physicalIds.get('Machine') ?? '', name: 'snap-1', input: '{"a":1}' };
    expect(stepFunctions.start(request).arn).toBe(stepFunctions.start(request).arn);
    expect(stepFunctions.executions()).toHaveLength(1);
  });

  it.each([
    ['with another input', { input: '{"a":2}' }, 0],
    ['after it has ended', {}, 100 * SECOND],
  ])('a second time with the same name %s is refused', async (_, change, later) => {
    const { stepFunctions, physicalIds, advance } = await machineOf(machine);
    const request = { stateMachineArn: physicalIds.get('Machine') ?? '', name: 'snap-1', input: '{"a":1}' };
    stepFunctions.start(request);
    await advance(later);
    expect(() => stepFunctions.start({ ...request, ...change })).toThrow(
      expect.objectContaining({ code: 'ExecutionAlreadyExists' }),
    );
  });

  it.each([
    ['a blank in its name', { name: 'snap 1' }, 'InvalidName'],
    ['a colon in its name', { name: 'snap:1' }, 'InvalidName'],
    ['a name of 81 characters', { name: 'x'.repeat(81) }, 'InvalidName'],
    ['an input that is no JSON', { input: '{a}' }, 'InvalidExecutionInput'],
    ['an input that is too large', { input: JSON.stringify('x'.repeat(262_143)) }, 'InvalidExecutionInput'],
    [
      'a state machine that is not there',
      { stateMachineArn: 'arn:aws:states:eu-west-1:000000000000:stateMachine:none' },
      'StateMachineDoesNotExist',
    ],
  ])('is refused with %s', async (_, change, code) => {
    const { stepFunctions, physicalIds } = await machineOf(machine);
    const request = { stateMachineArn: physicalIds.get('Machine') ?? '', ...change };
    expect(() => stepFunctions.start(request)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a definition is refused at the start, not run otherwise than on AWS, with', () => {
  const work = { ...task, End: true };
  it.each([
    ['JSONata', { QueryLanguage: 'JSONata', StartAt: 'W', States: { W: work } }, 'the sandbox runs JSONPath only'],
    [
      'a field that is not in the sandbox',
      { StartAt: 'W', States: { W: { ...work, HeartbeatSeconds: 5 } } },
      'HeartbeatSeconds',
    ],
    [
      'a kind of state that is not in the sandbox',
      { StartAt: 'M', States: { M: { Type: 'Map', End: true } } },
      'States.M.Type',
    ],
    [
      'a resource that is not in the sandbox',
      { StartAt: 'W', States: { W: { ...work, Resource: 'arn:aws:states:::aws-sdk:ec2:copySnapshot' } } },
      'aws-sdk:ec2:copySnapshot is not in the sandbox',
    ],
    [
      'a parameter that is not in the sandbox',
      {
        StartAt: 'W',
        States: { W: { ...work, Resource: 'arn:aws:states:::sns:publish', Parameters: { 'PhoneNumber.$': '$.p' } } },
      },
      'W: the parameter PhoneNumber.$ is not in the sandbox',
    ],
    [
      'a function that is not there',
      { StartAt: 'W', States: { W: { ...work, Resource: 'arn:aws:lambda:eu-west-1:000000000000:function:none' } } },
      'Function not found',
    ],
    ['a state that is not there', { StartAt: 'W', States: { W: { ...task, Next: 'X' } } }, 'X'],
    [
      'a wait that is longer than Step Functions waits',
      { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1e8, End: true } } },
      'States.W.Seconds',
    ],
    [
      'a Catch of what the sandbox never catches',
      {
        StartAt: 'W',
        States: { W: { ...work, Catch: [{ ErrorEquals: ['States.DataLimitExceeded'], Next: 'W' }] } },
      },
      'the sandbox always ends an execution with it',
    ],
  ])('%s', async (_, definition, message) => {
    await expect(machineOf(definition)).rejects.toThrow(message);
  });
});
