import { expect, it } from 'vitest';
import { seededRandom } from '../../../sandbox/ids.ts';
import { InProcessLambda } from '../../../sandbox/lambda/in-process-lambda.ts';
import { Messaging } from '../../../sandbox/messaging.ts';
import { StepFunctions } from '../../../sandbox/stepfunctions/step-functions.ts';
import { Tasks } from '../../../sandbox/stepfunctions/tasks.ts';
import { installVirtualClock } from '../../../sandbox/virtual-clock.ts';

const home = { account: '444455556666', region: 'eu-west-1' };
const definition = JSON.stringify({
  StartAt: 'Wait',
  States: { Wait: { Type: 'Wait', Seconds: 60, Next: 'Done' }, Done: { Type: 'Succeed' } },
});

it('a history is given up at the end of its execution where none is to be kept; all else stays', async () => {
  const clock = installVirtualClock({ start: new Date('2026-01-05T09:00:00Z'), time: { mode: 'jumping' } });
  const messaging = new Messaging({ clock, home, endpoint: () => 'http://127.0.0.1' });
  try {
    const random = seededRandom(1);
    const lambda = new InProcessLambda({ clock, random, chance: random, home, handlers: new Map() });
    const stepFunctions = new StepFunctions({
      clock,
      random,
      home,
      tasks: new Tasks({ lambda, messaging }),
      emit: () => {},
      keepsHistories: false,
    });
    stepFunctions.addStateMachine({ name: 'waits', type: 'STANDARD', definition, roleArn: 'arn:aws:iam::1:role/r' });
    const [machine] = stepFunctions.stateMachines();
    const { arn } = stepFunctions.start({ stateMachineArn: machine?.arn ?? '', name: 'one', input: '{"a":1}' });
    await clock.advance(1000);
    expect(stepFunctions.execution(arn).history.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
    ]);
    await clock.advance(60_000);
    expect(stepFunctions.execution(arn)).toMatchObject({
      status: 'SUCCEEDED',
      history: [],
      transitions: 2,
      output: '{"a":1}',
    });
    expect(await stepFunctions.stop(arn, undefined, undefined)).toMatchObject({ status: 'SUCCEEDED' });
  } finally {
    clock.uninstall();
    await messaging.stop();
  }
});
