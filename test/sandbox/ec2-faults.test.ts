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

it('the record of calls never holds what signs a presigned URL', async () => {
  await copy();
  const call = sandbox.service.calls.find(({ action }) => action === 'CopySnapshot');
  expect(call).toMatchObject({ account: SOURCE, region: TO, outcome: 'accepted' });
  expect(call?.params['PresignedUrl']).toContain(`SourceSnapshotId=${source}`);
  expect(JSON.stringify(call)).not.toMatch(/signature|session-token|credential/i);
});
