import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../sandbox/ids.ts';
import { AsyncInvoker } from '../../../sandbox/lambda/async-invoker.ts';
import { InProcessLambda } from '../../../sandbox/lambda/in-process-lambda.ts';
import { mortal } from '../../../sandbox/lambda/in-process-life.ts';
import { FunctionLogs } from '../../../sandbox/lambda/logs.ts';
import { Messaging } from '../../../sandbox/messaging.ts';
import { installVirtualClock, type VirtualClock } from '../../../sandbox/virtual-clock.ts';

const home = { account: '444455556666', region: 'eu-west-1' };
const KILLED = {
  errorType: 'Runtime.ExitError',
  errorMessage: expect.stringMatching(/^RequestId: .+ signal: killed$/),
};

let clock: VirtualClock;
beforeEach(() => {
  clock = installVirtualClock({ start: new Date('2026-01-05T09:00:00Z'), time: { mode: 'jumping' } });
});
afterEach(() => clock.uninstall());

/** A world outside with state: a list that a function appends to. */
class Notes {
  readonly written: string[] = [];
  async write(note: string): Promise<number> {
    this.written.push(note);
    return this.written.length;
  }
  async refuse(): Promise<never> {
    throw new RangeError('no');
  }
}

const shown = { description: '', handler: 'index.handler', role: 'none', runtime: 'nodejs24.x' };

function lambda(
  handler: (event: unknown) => Promise<unknown>,
  chances: readonly number[] = [],
  killedShare = 0,
): InProcessLambda {
  const left = [...chances];
  const made = new InProcessLambda({
    clock,
    home,
    random: seededRandom(1),
    handlers: new Map([['writeNotes', handler]]),
    killedShare,
    chance: () => left.shift() ?? 0.99,
  });
  made.add({
    name: 'notes-dev-writeNotes',
    code: { file: '/none', handler: 'handler' },
    timeoutSeconds: 3,
    memoryMegabytes: 128,
    environment: {},
    shown,
  });
  return made;
}

describe('a function that runs in this process', () => {
  it('gets the event and answers as JSON', async () => {
    const runner = lambda(async (event) => ({ event, at: new Date(), gone: undefined }));
    expect(await runner.invoke('notes-dev-writeNotes', '{"a":[1,null]}', 'r1')).toEqual({
      requestId: 'r1',
      executedVersion: '$LATEST',
      ok: true,
      payload: '{"event":{"a":[1,null]},"at":"2026-01-05T09:00:00.000Z"}',
    });
    expect(await lambda(async () => undefined).invoke('notes-dev-writeNotes', '{}')).toMatchObject({ payload: 'null' });
  });

  it('is found by ARN and version, and fails by the name of its error', async () => {
    const runner = lambda(async () => {
      throw new RangeError('too far');
    });
    expect(runner.publishVersion('notes-dev-writeNotes')).toBe('1');
    const arn = 'arn:aws:lambda:eu-west-1:444455556666:function:notes-dev-writeNotes:1';
    expect(await runner.invoke(arn, '{}')).toMatchObject({
      ok: false,
      executedVersion: '1',
      error: { errorType: 'RangeError', errorMessage: 'too far', trace: [] },
    });
    expect(() => runner.resolve('notes-dev-other')).toThrow('Function not found: notes-dev-other');
  });

  it('must be known when the stack is deployed', () => {
    const config = {
      name: 'notes-dev-unknown',
      code: { file: '/none', handler: 'handler' },
      timeoutSeconds: 3,
      memoryMegabytes: 128,
      environment: {},
      shown,
    };
    expect(() => lambda(async () => {}).add(config)).toThrow('no handler in this process for the function notes-dev-');
  });
});

describe('a function that is killed', () => {
  const written = async (share: number, moment: number) => {
    const notes = new Notes();
    const port = mortal(notes);
    const ended: string[] = [];
    const writeTwice = async () => {
      await port.write('first');
      await port.write('second');
      ended.push('answered');
    };
    // The first invocation lives, and shows how many calls there are: 2, so that there are 4 moments.
    const runner = lambda(writeTwice, [0.99, share, moment], 0.5);
    await runner.invoke('notes-dev-writeNotes', '{}');
    const result = await runner.invoke('notes-dev-writeNotes', '{}');
    await clock.advance(1000);
    return { result, written: notes.written.slice(2), ended: ended.slice(1), figures: runner.figures() };
  };

  it.each([
    ['before its first call', 0, []],
    ['after its first call', 0.25, ['first']],
    ['before its second call', 0.5, ['first']],
    ['after its second call', 0.75, ['first', 'second']],
  ])('dies %s, and nothing more follows', async (_when, moment, expected) => {
    const { result, ...rest } = await written(0.49, moment);
    expect(result).toMatchObject({ ok: false, error: KILLED });
    expect(rest).toMatchObject({ written: expected, ended: [] });
    expect(rest.figures.get('notes-dev-writeNotes')).toMatchObject({ invocations: 2, killed: 1 });
  });

  it('lives if chance is not below the share', async () => {
    const { result, ...rest } = await written(0.5, 0);
    expect(result.ok).toBe(true);
    expect(rest).toMatchObject({ written: ['first', 'second'], ended: ['answered'] });
  });

  it('dies at its answer if it makes fewer calls than usual', async () => {
    const notes = mortal(new Notes());
    const runner = lambda(async (event) => (event === 'quiet' ? 'done' : notes.write('a')), [0.99, 0, 0.99], 0.5);
    await runner.invoke('notes-dev-writeNotes', '"loud"');
    expect(await runner.invoke('notes-dev-writeNotes', '"quiet"')).toMatchObject({ ok: false, error: KILLED });
  });

  it('does not live on in calls that it made at the same time', async () => {
    const notes = new Notes();
    const port = mortal(notes);
    const all = async () => {
      await Promise.allSettled(['a', 'b', 'c'].map(async (note) => port.write(note)));
      await port.write('end');
    };
    const runner = lambda(all, [0, 0], 0.5);
    expect(await runner.invoke('notes-dev-writeNotes', '{}')).toMatchObject({ ok: false, error: KILLED });
    await clock.advance(1000);
    expect(notes.written).toEqual([]);
  });

  it('a refused call can be its last as well', async () => {
    const port = mortal(new Notes());
    const runner = lambda(async () => port.refuse().catch(() => 'healed'), [0, 0.5], 0.5);
    expect(await runner.invoke('notes-dev-writeNotes', '{}')).toMatchObject({ ok: false, error: KILLED });
    expect(await runner.invoke('notes-dev-writeNotes', '{}')).toMatchObject({ ok: true, payload: '"healed"' });
  });

  it('is tried again by Lambda after one minute and after two', async () => {
    const notes = new Notes();
    const port = mortal(notes);
    const at: string[] = [];
    const runner = lambda(
      async () => {
        at.push(new Date().toISOString());
        await port.write('done');
      },
      [0, 0, 0, 0, 0.99],
      0.5,
    );
    const messaging = new Messaging({ clock, home, endpoint: () => 'http://127.0.0.1' });
    const logs = new FunctionLogs(clock);
    const invoker = new AsyncInvoker({ clock, random: seededRandom(1), lambda: runner, messaging, logs });
    invoker.accept('notes-dev-writeNotes', '{}');
    await clock.advance(600_000);
    await messaging.stop();
    expect(at).toEqual(['2026-01-05T09:00:00.000Z', '2026-01-05T09:01:00.000Z', '2026-01-05T09:03:00.000Z']);
    expect(notes.written).toEqual(['done']);
  });
});
