import { describe, expect, it } from 'vitest';
import type { SandboxOptions } from '../../sandbox/sandbox.ts';
import { fixtureSandbox, variable } from './fixture-package.ts';

const MINUTE = 60_000;

/** Writes down what it is invoked with. */
const sweep = { code: `export const handler = async (event) => { console.log(JSON.stringify(event)); };` };

function schedule(properties: Readonly<Record<string, unknown>> = {}, target: Readonly<Record<string, unknown>> = {}) {
  return {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Name: 'sweep',
      ScheduleExpression: 'rate(5 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: { 'Fn::GetAtt': ['sweepLambdaFunction', 'Arn'] },
        RoleArn: 'arn:aws:iam::000000000000:role/fixture',
        Input: '{"task":"sweep"}',
        ...target,
      },
      ...properties,
    },
  };
}

function withSchedule(
  resource: unknown,
  options: Partial<SandboxOptions> = {},
  more: { readonly code?: string; readonly resources?: Readonly<Record<string, unknown>> } = {},
) {
  return fixtureSandbox(
    {
      functions: { sweep: { ...sweep, ...(more.code === undefined ? {} : { code: more.code }) } },
      resources: { Sweep: resource, ...more.resources },
      template: {
        Parameters: { Minutes: { Type: 'Number', Default: 10 } },
        Outputs: { ScheduleArn: { Value: { 'Fn::GetAtt': ['Sweep', 'Arn'] } } },
      },
    },
    options,
  );
}

type Started = Awaited<ReturnType<typeof withSchedule>>;

/** Time of day of each invocation. */
function times(sandbox: Started): string[] {
  return sandbox.logs().map(({ time }) => time.slice(11, 19));
}

describe('a schedule', () => {
  it('invokes its function at its rate, for the first time one period after deployment', async () => {
    const sandbox = await withSchedule(schedule());
    await sandbox.advance(15 * MINUTE);
    expect(times(sandbox)).toEqual(['09:05:00', '09:10:00', '09:15:00']);
    expect(sandbox.logs()[0]?.text).toBe('{"task":"sweep"}');
  });

  it.each([
    ['rate(1 hour)', '10:00:00'],
    ['rate(90 minutes)', '10:30:00'],
    [{ 'Fn::Sub': `rate(${variable('Minutes')} minutes)` }, '09:10:00'],
  ])('can be %j', async (ScheduleExpression, first) => {
    const sandbox = await withSchedule(schedule({ ScheduleExpression }));
    await sandbox.advance(90 * MINUTE);
    expect(times(sandbox)[0]).toBe(first);
  });

  it('follows the parameter that is given', async () => {
    const ScheduleExpression = { 'Fn::Sub': `rate(${variable('Minutes')} minutes)` };
    const sandbox = await withSchedule(schedule({ ScheduleExpression }), { parameters: { Minutes: '30' } });
    await sandbox.advance(60 * MINUTE);
    expect(times(sandbox)).toEqual(['09:30:00', '10:00:00']);
  });

  it('puts values for the keywords in its input', async () => {
    const keywords = ['schedule-arn', 'scheduled-time', 'execution-id', 'attempt-number'];
    const Input = JSON.stringify(keywords.map((keyword) => `<aws.scheduler.${keyword}>`));
    const sandbox = await withSchedule(
      schedule({ GroupName: { Ref: 'Group' } }, { Input }),
      {},
      { resources: { Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'copier' } } } },
    );
    await sandbox.advance(5 * MINUTE);
    expect(JSON.parse(sandbox.logs()[0]?.text ?? '')).toEqual([
      'arn:aws:scheduler:eu-west-1:000000000000:schedule/copier/sweep',
      '2026-01-05T09:05:00Z',
      expect.stringMatching(/^[0-9a-f]{16}$/),
      '1',
    ]);
    expect(sandbox.outputs['ScheduleArn']).toBe('arn:aws:scheduler:eu-west-1:000000000000:schedule/copier/sweep');
  });

  it('without input says what is due', async () => {
    const sandbox = await withSchedule(schedule({}, { Input: undefined }));
    await sandbox.advance(5 * MINUTE);
    expect(JSON.parse(sandbox.logs()[0]?.text ?? '')).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: '000000000000',
      region: 'eu-west-1',
      time: '2026-01-05T09:05:00Z',
      resources: ['arn:aws:scheduler:eu-west-1:000000000000:schedule/default/sweep'],
      detail: '{}',
    });
  });

  it('with a window fires once in each, at moments that are the same for the same seed', async () => {
    const flexible = schedule({
      ScheduleExpression: 'rate(1 hour)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
    });
    const run = async (seed: number) => {
      const sandbox = await withSchedule(flexible, { seed });
      await sandbox.advance(5 * 60 * MINUTE - 1);
      await sandbox.stop();
      return times(sandbox);
    };
    const fired = await run(1);
    expect(fired.map((time) => time.slice(0, 2))).toEqual(['10', '11', '12', '13']);
    const minutes = fired.map((time) => Number(time.slice(3, 5)));
    expect(Math.max(...minutes)).toBeLessThan(15);
    expect(new Set(fired.map((time) => time.slice(3))).size).toBe(4);
    expect(await run(1)).toEqual(fired);
    expect(await run(2)).not.toEqual(fired);
  });

  it('has Lambda try again what failed', async () => {
    const sandbox = await withSchedule(
      schedule({ ScheduleExpression: 'rate(1 hour)' }),
      {},
      { code: `export const handler = async () => { console.log('tried'); throw new Error('no'); };` },
    );
    await sandbox.advance(70 * MINUTE);
    expect(times(sandbox)).toEqual(['10:00:00', '10:01:00', '10:03:00']);
  });

  it.each([
    ['that is disabled', schedule({ State: 'DISABLED' }), {}],
    ['of a sandbox without schedules', schedule(), { schedules: 'off' }],
  ] as const)('%s never fires', async (_, resource, options) => {
    const sandbox = await withSchedule(resource, options);
    await sandbox.advance(60 * MINUTE);
    expect(times(sandbox)).toEqual([]);
  });

  it('lets a wait for something else come to its limit', async () => {
    const sandbox = await withSchedule(schedule());
    await expect(sandbox.advanceUntil(() => false, 24 * 60 * MINUTE)).rejects.toThrow('did not happen within 86400 s');
    expect(times(sandbox)).toHaveLength(288);
  });

  it('goes on by itself while time runs, and ends with the sandbox', async () => {
    const sandbox = await withSchedule(schedule(), { time: { mode: 'paced', speed: 6000 } });
    await sandbox.advanceUntil(() => times(sandbox).length === 2, 60 * MINUTE);
    await sandbox.stop();
    const fired = times(sandbox).length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(times(sandbox)).toHaveLength(fired);
  });
});

describe('a template is refused with a schedule', () => {
  it.each([
    ['that is no rate', schedule({ ScheduleExpression: 'cron(0 * * * ? *)' }), 'the sandbox knows rate(5 minutes)'],
    ['of no period', schedule({ ScheduleExpression: 'rate(0 minutes)' }), 'the sandbox knows rate(5 minutes)'],
    ['that starts later', schedule({ StartDate: '2026-02-01T00:00:00Z' }), 'StartDate'],
    ['with input that is no JSON', schedule({}, { Input: 'sweep' }), 'must be JSON'],
    ['of a group that is not there', schedule({ GroupName: 'none' }), 'there is no schedule group none'],
    [
      'for a queue',
      schedule({}, { Arn: 'arn:aws:sqs:eu-west-1:000000000000:q' }),
      'the targets of schedules in the sandbox are functions only',
    ],
    [
      'for a function that is not there',
      schedule({}, { Arn: 'arn:aws:lambda:eu-west-1:000000000000:function:none' }),
      'Function not found',
    ],
    [
      'with a dead-letter queue that is not there',
      schedule({}, { DeadLetterConfig: { Arn: 'arn:aws:sqs:eu-west-1:000000000000:none' } }),
      'there is no queue arn:aws:sqs:eu-west-1:000000000000:none',
    ],
  ])('%s', async (_, resource, message) => {
    await expect(withSchedule(resource)).rejects.toThrow(message);
  });
});
