import { describe, expect, it } from 'vitest';
import { sourceLooks } from '../../aws/look-at-sources-function.ts';
import {
  RequestRefusedError,
  ServiceTroubleError,
  SourceAccountRefusedError,
  ThrottledError,
} from '../../core/errors.ts';
import { sourceLook } from '../../core/source-look.ts';
import { snapshot } from '../support/examples.ts';
import { fakeLambda, type Reply } from '../support/fake-lambda.ts';

const PARTNER = '111122223333';
const REGION = 'eu-west-1';

const lambda = fakeLambda((payload) => sourceLook.parse(payload));
const looks = () => lambda.calls.map(({ sent }) => sent);

const partner = sourceLooks('copier-lookAtSources');
const theirs = (number: number) =>
  snapshot({ snapshotId: `snap-0000000${number}`, ownerId: PARTNER, viewedByOwner: true });
const days = (number: number) =>
  Array.from({ length: number }, (_, index) => new Date(index * 86_400_000).toISOString().slice(0, 10));
const failure = (errorType: string): Reply => ({
  headers: { 'x-amz-function-error': 'Unhandled' },
  body: { errorType, errorMessage: 'it went wrong', trace: [] },
});

describe('a look into a source account', () => {
  it('goes on where an answer ended, and asks for a hundred days at a time', async () => {
    const answers = [
      { snapshots: [theirs(1)], next: { token: 'page-2', skip: 1 } },
      { snapshots: [theirs(2)] },
      { snapshots: [theirs(3)] },
    ];
    lambda.reply = () => ({ body: answers.shift() });
    expect(await partner.begunOn(PARTNER, REGION, days(101))).toEqual([theirs(1), theirs(2), theirs(3)]);
    const where = { ask: 'begunOn', account: PARTNER, region: REGION };
    expect(looks()).toEqual([
      { ...where, days: days(100) },
      { ...where, days: days(100), from: { token: 'page-2', skip: 1 } },
      { ...where, days: [days(101).at(-1)] },
    ]);
  });

  it('asks for snapshots, keys and a check as they are answered', async () => {
    lambda.reply = () => ({ body: { snapshots: [theirs(1)] } });
    expect(await partner.snapshots(PARTNER, REGION, ['snap-00000001'])).toEqual([theirs(1)]);
    const keys = Array.from({ length: 51 }, (_, index) => `key-${index}`);
    lambda.reply = (look) => ({
      body: { keys: look.ask === 'keys' ? look.names.map((name) => ({ name, missing: true })) : [] },
    });
    expect(await partner.keys(PARTNER, REGION, keys)).toHaveLength(51);
    expect(looks()).toHaveLength(3);
    const check = {
      trials: [{ permission: 'share', outcome: 'refused', words: 'no' }],
      claimed: [],
      intermediates: [],
    };
    lambda.reply = () => ({ body: check });
    expect(await partner.check(PARTNER, REGION, true)).toEqual(check);
    expect(looks().at(-1)).toEqual({ ask: 'check', account: PARTNER, region: REGION, reencrypt: true });
  });

  it('is refused in the words of the function', async () => {
    lambda.reply = () => ({ body: { refused: 'The role of the companion cannot be assumed' } });
    const look = partner.snapshots(PARTNER, REGION, ['snap-00000001']);
    await expect(look).rejects.toThrow(SourceAccountRefusedError);
    await expect(look).rejects.toThrow('The role of the companion cannot be assumed');
  });

  it.each<[string, Reply, new (message: string) => Error, string]>([
    ['a function of another version', { body: { other: 1 } }, RequestRefusedError, 'may be of different versions'],
    ['no JSON', { body: 'oops' }, RequestRefusedError, 'may be of different versions'],
    ['what the function does not know', failure('UnreadableInputError'), RequestRefusedError, 'different versions'],
    ['an error of the function', failure('ThrottledError'), ServiceTroubleError, 'failed with ThrottledError: it went'],
    [
      'a function that died',
      { headers: { 'x-amz-function-error': 'Unhandled' }, body: 'Runtime exited' },
      ServiceTroubleError,
      'the function failed: Runtime exited',
    ],
    [
      'a throttled call',
      { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' }, body: { message: 'slow down' } },
      ThrottledError,
      'Lambda throttles',
    ],
  ])('tells of %s', async (_, answer, kind, words) => {
    lambda.reply = () => answer;
    const look = partner.check(PARTNER, REGION, false);
    await expect(look).rejects.toThrow(kind);
    await expect(look).rejects.toThrow(words);
  });
});
