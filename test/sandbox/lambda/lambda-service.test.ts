import { describe, expect, it } from 'vitest';
import { FunctionNotFoundError } from '../../../sandbox/lambda/lambda-service.ts';
import { fixtureSandbox, variable } from '../fixture-package.ts';

const MINUTE = 60_000;

function withFunction(code: string, properties: Readonly<Record<string, unknown>> = {}) {
  return fixtureSandbox({ functions: { it: { code, properties } } });
}

describe('a function', () => {
  it('runs with the environment of the template and what Lambda adds', async () => {
    const sandbox = await withFunction(
      `export const handler = async () => {
        const { COLOUR, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, HOME } = process.env;
        return { COLOUR, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_VERSION, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, HOME: HOME ?? null };
      };`,
      { Environment: { Variables: { COLOUR: { 'Fn::Sub': `${variable('AWS::Region')}-blue` } } } },
    );
    const result = await sandbox.lambda.invoke('fixture-dev-it', '{}');
    expect(result.ok && JSON.parse(result.payload)).toEqual({
      COLOUR: 'eu-west-1-blue',
      AWS_REGION: 'eu-west-1',
      AWS_LAMBDA_FUNCTION_NAME: 'fixture-dev-it',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      AWS_ENDPOINT_URL: sandbox.endpoint,
      HOME: null,
    });
  });

  it('gets the context of its invocation', async () => {
    const sandbox = await withFunction(
      `export const handler = async (event, context) => ({ ...context, left: context.getRemainingTimeInMillis() });`,
    );
    const result = await sandbox.lambda.invoke('fixture-dev-it', '{}', 'request-1');
    expect(result.ok && JSON.parse(result.payload)).toMatchObject({
      awsRequestId: 'request-1',
      functionName: 'fixture-dev-it',
      invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:fixture-dev-it',
      left: expect.toSatisfy((left) => left > 25_000 && left <= 30_000),
    });
  });

  it('keeps what it has loaded for the next invocation, and sees the time of the sandbox', async () => {
    const sandbox = await withFunction(
      `let count = 0; export const handler = async () => { count += 1; return [count, new Date().toISOString(), Date.now()]; };`,
    );
    await sandbox.lambda.invoke('fixture-dev-it', '{}');
    await sandbox.advance(90 * MINUTE);
    const second = await sandbox.lambda.invoke('fixture-dev-it', '{}');
    expect(second.ok && JSON.parse(second.payload)).toEqual([
      2,
      '2026-01-05T10:30:00.000Z',
      Date.parse('2026-01-05T10:30:00Z'),
    ]);
  });

  it.each([
    [
      'an error by its name',
      `const error = new TypeError('wrong'); error.name = 'OwnError'; throw error;`,
      'OwnError',
      'wrong',
    ],
    ['a thrown text by its type', `throw 'just so';`, 'string', 'just so'],
    [
      'the end of its process',
      `process.exit(3);`,
      'Runtime.ExitError',
      'RequestId: r Error: Runtime exited with error: exit status 3',
    ],
    [
      'no function of that name',
      null,
      'Runtime.HandlerNotFound',
      expect.stringContaining('exports no function handler'),
    ],
  ])('reports %s', async (_, body, errorType, errorMessage) => {
    const code = body === null ? 'export const other = 1;' : `export const handler = async () => { ${body} };`;
    const sandbox = await withFunction(code);
    const result = await sandbox.lambda.invoke('fixture-dev-it', '{}', 'r');
    expect(result).toMatchObject({ ok: false, error: { errorType, errorMessage } });
  });

  it('is stopped at its time-out, and the next invocation begins afresh', async () => {
    const sandbox = await withFunction(
      `let count = 0; export const handler = async ({ hang }) => { count += 1; while (hang); return count; };`,
      { Timeout: 1 },
    );
    await sandbox.lambda.invoke('fixture-dev-it', '{}');
    const hung = await sandbox.lambda.invoke('fixture-dev-it', '{"hang":true}', 'r');
    expect(hung).toMatchObject({
      error: { errorType: 'Sandbox.Timedout', errorMessage: 'RequestId: r Error: Task timed out after 1.00 seconds' },
    });
    expect(await sandbox.lambda.invoke('fixture-dev-it', '{}')).toMatchObject({ ok: true, payload: '1' });
  });

  it('is over with the sandbox: what runs, what waits and what comes later is lost', async () => {
    const sandbox = await withFunction(
      `export const handler = async ({ hang }) => { if (hang) await new Promise(() => {}); return 'ran'; };`,
    );
    const hanging = sandbox.lambda.invoke('fixture-dev-it', '{"hang":true}');
    const waiting = sandbox.lambda.invoke('fixture-dev-it', '{}');
    await sandbox.stop();
    const later = sandbox.lambda.invoke('fixture-dev-it', '{}');
    const lost = { ok: false, error: { errorType: 'Runtime.ExitError' } };
    expect(await Promise.all([hanging, waiting, later])).toMatchObject([lost, lost, lost]);
  });

  it('can be invoked by the ARN of a version that was published', async () => {
    const { physicalIds, lambda } = await fixtureSandbox({
      functions: { it: { code: `export const handler = async (event, { functionVersion }) => functionVersion;` } },
      resources: {
        Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'itLambdaFunction' } } },
      },
    });
    const arn = physicalIds.get('Version') ?? '';
    expect(arn).toBe('arn:aws:lambda:eu-west-1:000000000000:function:fixture-dev-it:1');
    expect(await lambda.invoke(arn, '{}')).toMatchObject({ payload: '"1"', executedVersion: '1' });
    await expect(lambda.invoke(arn.replace(/1$/, '2'), '{}')).rejects.toThrow(FunctionNotFoundError);
  });

  it('leaves its lines in the log, and metrics in them can be read', async () => {
    const metrics = {
      _aws: {
        Timestamp: 0,
        CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['to']], Metrics: [{ Name: 'Copies', Unit: 'Count' }] }],
      },
      to: 'eu-central-1',
      Copies: [1, 2],
    };
    const sandbox = await withFunction(
      `export const handler = async () => { console.log('one\\ntwo'); console.error('three'); console.log('${JSON.stringify(metrics)}'); };`,
    );
    await sandbox.lambda.invoke('fixture-dev-it', '{}', 'r');
    expect(sandbox.logs().slice(0, 3)).toEqual(
      ['one', 'two', 'three'].map((text) => ({
        time: '2026-01-05T09:00:00.000Z',
        functionName: 'fixture-dev-it',
        requestId: 'r',
        text,
      })),
    );
    expect(sandbox.metrics().map(({ name, value, dimensions }) => [name, value, dimensions])).toEqual([
      ['Copies', 1, { to: 'eu-central-1' }],
      ['Copies', 2, { to: 'eu-central-1' }],
    ]);
  });
});

describe('an invocation that a test interrupts', () => {
  const code = `import { request } from 'node:http';
    let count = 0;
    export const handler = async () => {
      count += 1;
      console.log('working');
      await new Promise((resolve, reject) => {
        const call = request(process.env.AWS_ENDPOINT_URL, { method: 'POST', headers: {
          authorization: 'AWS4-HMAC-SHA256 Credential=000000000000/20260105/eu-west-1/ec2/aws4_request, x',
          'content-type': 'application/x-www-form-urlencoded', 'x-amzn-trace-id': process.env._X_AMZN_TRACE_ID } }, (answer) => answer.resume().on('end', resolve));
        call.on('error', reject);
        call.end('Action=CreateVolume&Version=2016-11-15&AvailabilityZone=eu-west-1a&Size=8');
      });
      console.log('told');
      return count;
    };`;

  it.each([
    ['start', { moment: 'start' }, [], 0],
    ['answer', { moment: 'answer' }, ['working', 'told'], 1],
    ['after a call', { moment: { afterCall: 'CreateVolume' } }, ['working'], 1],
  ] as const)('dies at its %s, and the next one begins afresh', async (_, interruption, lines, calls) => {
    const sandbox = await withFunction(code);
    sandbox.lambda.interruptNext({ functionName: 'it', as: 'crash', ...interruption });
    expect(await sandbox.lambda.invoke('fixture-dev-it', '{}')).toMatchObject({
      error: { errorType: 'Runtime.ExitError' },
    });
    expect(sandbox.logs().map(({ text }) => text)).toEqual(lines);
    expect(sandbox.ec2.calls).toHaveLength(calls);
    expect(await sandbox.lambda.invoke('fixture-dev-it', '{}')).toMatchObject({ ok: true, payload: '1' });
  });

  it('times out in sandbox time', async () => {
    const sandbox = await withFunction(code);
    sandbox.lambda.interruptNext({ functionName: 'it', moment: 'answer', as: 'timeout' });
    const began = sandbox.clock.now();
    const invocation = sandbox.lambda
      .invoke('fixture-dev-it', '{}')
      .then((result) => [result, sandbox.clock.now() - began]);
    await sandbox.advance(MINUTE);
    expect(await invocation).toMatchObject([{ error: { errorType: 'Sandbox.Timedout' } }, 30_000]);
  });
});
