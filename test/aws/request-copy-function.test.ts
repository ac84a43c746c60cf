import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { requestCopies } from '../../aws/request-copy-function.ts';
import { RequestRefusedError, ServiceTroubleError, ThrottledError } from '../../core/errors.ts';
import { request } from '../support/examples.ts';
import { fakeLambda, type Reply } from '../support/fake-lambda.ts';

const body = z.object({ requests: z.array(z.looseObject({ source: z.looseObject({ snapshotId: z.string() }) })) });
const lambda = fakeLambda((payload) => body.parse(payload));
const { calls } = lambda;

const WAITS = { accepted: true, status: 'waiting', reason: 'asked for by hand' };
const numbered = (count: number, description = '') =>
  Array.from({ length: count }, (_, index) => request({ source: { snapshotId: `snap-${index}`, description } }));
const ask = (requests = numbered(1)) => requestCopies('copier-requestCopy', requests);
const failure = (errorType: string, errorMessage: string): Reply => ({
  headers: { 'x-amz-function-error': 'Unhandled' },
  body: { errorType, errorMessage, trace: [] },
});

describe('requests by hand', () => {
  it('are sent to the function as they are, and answered in their order', async () => {
    const given = [
      WAITS,
      { refused: 'dryRun is true' },
      { ...WAITS, accepted: false, status: 'copied', copyId: 'snap-0c' },
    ];
    lambda.reply = () => ({ body: { answers: given } });
    expect(await ask(numbered(3))).toEqual(given);
    expect(calls).toMatchObject([
      { path: '/2015-03-31/functions/copier-requestCopy/invocations', sent: { requests: numbered(3) } },
    ]);
  });

  it('go 100 at a time, and whoever asks hears how far it is', async () => {
    lambda.reply = ({ requests }) => ({
      body: { answers: requests.map(({ source }) => ({ refused: source.snapshotId })) },
    });
    const heard: number[] = [];
    const answers = await requestCopies('copier-requestCopy', numbered(250), (count) => heard.push(count));
    expect(answers).toEqual(Array.from({ length: 250 }, (_, index) => ({ refused: `snap-${index}` })));
    expect(calls.map(({ sent }) => sent.requests.length)).toEqual([100, 100, 50]);
    expect(heard).toEqual([100, 200, 250]);
  });

  it('go fewer at a time if they are large: Lambda takes 6 MB', async () => {
    lambda.reply = ({ requests }) => ({ body: { answers: requests.map(() => WAITS) } });
    await ask(numbered(20, 'x'.repeat(800_000)));
    expect(calls.map(({ sent }) => sent.requests.length)).toEqual([6, 6, 6, 2]);
    expect(Math.max(...calls.map(({ bytes }) => bytes))).toBeLessThan(6 * 1024 * 1024);
  });

  it('cost no call if there are none', async () => {
    expect(await ask([])).toEqual([]);
    expect(calls).toEqual([]);
  });
});

describe('trouble with the function is told in our words', () => {
  it.each<[string, Reply, new (message: string) => Error, RegExp]>([
    [
      'a function that fails',
      failure('ServiceTroubleError', 'DynamoDB, or the way to it, is in trouble'),
      ServiceTroubleError,
      /Invoke of copier-requestCopy: the function failed with ServiceTroubleError: DynamoDB.*Asking again is harmless/,
    ],
    [
      'a function that says nothing of its failure',
      { headers: { 'x-amz-function-error': 'Unhandled' }, body: 'exit status 1' },
      ServiceTroubleError,
      /the function failed: exit status 1/,
    ],
    [
      'a function of before, which knows one request at a time',
      failure('UnreadableInputError', 'Cannot read the execution input'),
      RequestRefusedError,
      /Cannot read the execution input.*deploy this one/,
    ],
    [
      'answers that are none',
      { body: { hello: 1 } },
      RequestRefusedError,
      /answered what this command does not know: \{"hello":1\}/,
    ],
    ['too few answers', { body: { answers: [] } }, RequestRefusedError, /does not know/],
    [
      'no permission',
      { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' }, body: { Message: 'not authorized' } },
      RequestRefusedError,
      /Lambda refuses a call.*Invoke of copier-requestCopy: Lambda says AccessDeniedException: not authorized/,
    ],
    [
      'throttling',
      { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' }, body: { Message: 'Rate Exceeded' } },
      ThrottledError,
      /Lambda throttles/,
    ],
  ])('%s', async (_, given, kind, words) => {
    lambda.reply = () => given;
    await expect(ask()).rejects.toThrow(kind);
    await expect(ask()).rejects.toThrow(words);
  });
});
