import { CopySnapshotCommand, DescribeSnapshotsCommand } from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { FaultError } from '../../sandbox/ec2/ec2-service.ts';
import { Ec2Sandbox, errorCode, SOURCE } from '../support/ec2-sandbox.ts';

const FROM = 'eu-west-1';
const TO = 'eu-central-1';

let sandbox: Ec2Sandbox;
let source: string;
beforeEach(async () => {
  sandbox = new Ec2Sandbox({ copyTakesSeconds: () => 100 });
  source = await sandbox.snapshot(FROM);
});

const copy = (sourceSnapshotId = source, to = TO) =>
  sandbox.as(SOURCE, to).send(new CopySnapshotCommand({ SourceRegion: FROM, SourceSnapshotId: sourceSnapshotId }));
const copies = () => sandbox.service.snapshots({ region: TO });

describe('an error on request', () => {
  it('comes as often as asked for, before anything is done', async () => {
    sandbox.service.faults.add({ kind: 'error', action: 'CopySnapshot', code: 'RequestLimitExceeded', times: 2 });
    await expect(copy()).rejects.toMatchObject({ name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 503 } });
    expect(await errorCode(copy())).toBe('RequestLimitExceeded');
    expect(copies()).toEqual([]);
    expect(await errorCode(copy())).toBe('no error');
  });

  it('comes only where it was asked for', async () => {
    const other = await sandbox.snapshot(FROM);
    sandbox.service.faults.add({
      kind: 'error',
      code: 'InternalError',
      status: 500,
      message: 'An internal error has occurred',
      account: SOURCE,
      destinationRegion: TO,
      sourceSnapshotId: source,
      times: 9,
    });
    expect(await errorCode(copy(other))).toBe('no error');
    expect(await errorCode(copy(source, 'us-east-1'))).toBe('no error');
    expect(await errorCode(sandbox.as(SOURCE, TO).send(new DescribeSnapshotsCommand({})))).toBe('no error');
    expect(await errorCode(copy())).toBe('InternalError');
  });
});

it('a lost answer: the copy was begun, and nobody was told', async () => {
  sandbox.service.faults.add({ kind: 'lost-answer', action: 'CopySnapshot' });
  await expect(copy()).rejects.toThrow('socket hang up');
  expect(copies()).toHaveLength(1);
  expect(sandbox.service.calls.at(-1)).toMatchObject({ action: 'CopySnapshot', outcome: 'answer-lost' });
});

it('a call that hangs is not done, and never answered', async () => {
  sandbox.service.faults.add({ kind: 'hang', action: 'CopySnapshot', region: TO });
  let answered = false;
  const end = () => {
    answered = true;
  };
  void copy().then(end, end);
  expect(await errorCode(copy(source, 'us-east-1'))).toBe('no error');
  sandbox.seconds(3600);
  expect(await errorCode(copy())).toBe('no error');
  expect(answered).toBe(false);
  expect(copies()).toHaveLength(1);
  expect(sandbox.service.calls.map(({ action, outcome }) => [action, outcome]).slice(-3)).toEqual([
    ['CopySnapshot', 'unanswered'],
    ['CopySnapshot', 'accepted'],
    ['CopySnapshot', 'accepted'],
  ]);
});

it('an answer that is an error is not lost', async () => {
  sandbox.service.faults.add({ kind: 'lost-answer' });
  expect(await errorCode(copy('snap-bad'))).toBe('InvalidParameterValue');
  expect(sandbox.service.faults.list()).toHaveLength(1);
});

it('a copy ends in error after a share of its time, with the words asked for', async () => {
  sandbox.service.faults.add({ kind: 'copy-error', stateMessage: 'Internal error', afterShare: 0.8 });
  await copy();
  sandbox.seconds(79);
  expect(copies()[0]).toMatchObject({ state: 'pending', progress: '79%' });
  sandbox.seconds(1);
  expect(copies()[0]).toMatchObject({ state: 'error', progress: '80%', stateMessage: 'Internal error' });
  expect(sandbox.details('copySnapshot')[0]).toMatchObject({ result: 'failed', cause: 'Internal error' });
});

it('a slow copy takes longer by a factor, or so many seconds', async () => {
  sandbox.service.faults.add({ kind: 'slow-copy', factor: 3 });
  sandbox.service.faults.add({ kind: 'slow-copy', seconds: 500 });
  for (let i = 0; i < 3; i++) await copy();
  const ends = () => copies().map(({ state }) => state);
  sandbox.seconds(100);
  expect(ends()).toEqual(['pending', 'pending', 'completed']);
  sandbox.seconds(200);
  expect(ends()).toEqual(['completed', 'pending', 'completed']);
  sandbox.seconds(200);
  expect(ends()).toEqual(['completed', 'completed', 'completed']);
});

describe('a fault by chance', () => {
  /** What so many calls of DescribeSnapshots are answered with. */
  const outcomes = (calls: number) =>
    Array.from({ length: calls }, () => {
      const params = new URLSearchParams({ Action: 'DescribeSnapshots' });
      const result = sandbox.service.call({ account: SOURCE, region: TO, params });
      return 'error' in result ? result.error.code : 'no error';
    });

  it('befalls its share of the calls, the same ones in every run, until it is cleared', async () => {
    const fault = { kind: 'error', action: 'DescribeSnapshots', code: 'RequestLimitExceeded', share: 0.1 };
    const { id } = sandbox.service.faults.add(fault);
    const codes = outcomes(500);
    expect(codes.filter((code) => code === 'RequestLimitExceeded').length).toBeGreaterThan(30);
    expect(codes.filter((code) => code === 'no error').length).toBeGreaterThan(430);
    expect(await errorCode(copy())).toBe('no error');
    expect(sandbox.service.faults.list()).toEqual([{ id, fault, left: undefined }]);

    sandbox.service.faults.clear(id);
    expect(new Set(outcomes(100))).toEqual(new Set(['no error']));

    sandbox = new Ec2Sandbox();
    sandbox.service.faults.add(fault);
    expect(outcomes(500)).toEqual(codes);
    sandbox = new Ec2Sandbox({ faultSeed: 2 });
    sandbox.service.faults.add(fault);
    expect(outcomes(500)).not.toEqual(codes);
  });

  it('ends after so many, if that is asked for as well', () => {
    sandbox.service.faults.add({ kind: 'error', code: 'InternalError', share: 0.5, times: 3 });
    const codes = outcomes(100);
    expect(codes.filter((code) => code === 'InternalError')).toHaveLength(3);
    expect(codes.slice(0, 3)).not.toEqual(['InternalError', 'InternalError', 'InternalError']);
  });

  it('loses answers of calls that were done', async () => {
    sandbox.service.faults.add({ kind: 'lost-answer', action: 'CopySnapshot', share: 0.5 });
    const lost: string[] = [];
    for (let i = 0; i < 20; i++) lost.push(await errorCode(copy()));
    expect(copies()).toHaveLength(20);
    expect(new Set(lost)).toEqual(new Set(['no error', 'Error']));
  });
});

describe('the list of faults', () => {
  it('says what is left, as plain JSON, and can be cleared', async () => {
    const first = sandbox.service.faults.add({ kind: 'lost-answer', times: 3 });
    sandbox.service.faults.add({ kind: 'slow-copy', factor: 2 });
    await errorCode(sandbox.as(SOURCE, TO).send(new DescribeSnapshotsCommand({})));
    const listed = sandbox.service.faults.list();
    expect(JSON.parse(JSON.stringify(listed))).toEqual([
      { id: first.id, left: 2, fault: { kind: 'lost-answer', times: 3 } },
      { id: expect.any(String), left: 1, fault: { kind: 'slow-copy', factor: 2, times: 1 } },
    ]);
    expect(sandbox.service.faults.clear(first.id)).toBe(1);
    expect(sandbox.service.faults.clear()).toBe(1);
    expect(sandbox.service.faults.list()).toEqual([]);
  });

  it.each([
    ['{ "kind": "flood" }', { kind: 'flood' }, /kind/],
    ['no code', { kind: 'error' }, /code/],
    ['a misspelt name', { kind: 'error', code: 'X', actoin: 'CopySnapshot' }, /actoin/],
    ['an account of 11 digits', { kind: 'lost-answer', account: '12345678901' }, /12 digits/],
    ['no factor and no seconds', { kind: 'slow-copy' }, /needs factor or seconds/],
    ['a share of more than all', { kind: 'copy-error', stateMessage: 'x', afterShare: 2 }, /afterShare/],
    ['a share of none', { kind: 'lost-answer', share: 0 }, /share/],
    ['no times at all', { kind: 'lost-answer', times: 0 }, /times/],
    ['no object', 'error', /fault/],
  ])('refuses %s and shows a right one', (_name, fault, message) => {
    expect(() => sandbox.service.faults.add(fault)).toThrow(FaultError);
    expect(() => sandbox.service.faults.add(fault)).toThrow(message);
    expect(() => sandbox.service.faults.add(fault)).toThrow(/"action":"CopySnapshot"/);
    expect(sandbox.service.faults.list()).toEqual([]);
  });
});

it('the record of calls goes back 100,000 calls', () => {
  sandbox.service.faults.add({ kind: 'hang', times: 100_001 });
  const params = new URLSearchParams({ Action: 'DescribeSnapshots' });
  const call = (region: string) => sandbox.service.handle({ account: SOURCE, region, params });
  call('first');
  call('second');
  for (let i = 0; i < 99_999; i++) call(TO);
  expect(sandbox.service.calls).toHaveLength(100_000);
  expect(sandbox.service.calls[0]?.region).toBe('second');
});

it('the record of calls can be shorter, and the count of an action in a Region forgets none', () => {
  sandbox = new Ec2Sandbox({ callsKept: 2 });
  const call = (Action: string, region: string) =>
    sandbox.service.handle({ account: SOURCE, region, params: new URLSearchParams({ Action }) });
  call('DescribeSnapshots', FROM);
  for (let i = 0; i < 5; i++) call('DescribeSnapshots', TO);
  call('CopySnapshot', TO);
  expect(sandbox.service.calls.map(({ action }) => action)).toEqual(['DescribeSnapshots', 'CopySnapshot']);
  expect(sandbox.service.callCount('DescribeSnapshots', TO)).toBe(5);
  expect(sandbox.service.callCount('DescribeSnapshots', FROM)).toBe(1);
  expect(sandbox.service.callCount('CopySnapshot', TO)).toBe(1);
  expect(sandbox.service.callCount('CopySnapshot', FROM)).toBe(0);
  expect(sandbox.service.callCount('CopySnapshot', TO, 'MissingParameter')).toBe(1);
  expect(sandbox.service.callCount('DescribeSnapshots', TO, 'MissingParameter')).toBe(0);
});

it('the record of calls never holds what signs a presigned URL', async () => {
  await copy();
  const call = sandbox.service.calls.find(({ action }) => action === 'CopySnapshot');
  expect(call).toMatchObject({ account: SOURCE, region: TO, outcome: 'accepted' });
  expect(call?.params['PresignedUrl']).toContain(`SourceSnapshotId=${source}`);
  expect(JSON.stringify(call)).not.toMatch(/signature|session-token|credential/i);
});
