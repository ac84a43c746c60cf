import '../support/function-modules.ts';
import { expect, it } from 'vitest';
import { SourceAccountRefusedError, ThrottledError } from '../../core/errors.ts';
import { tagCopy } from '../../functions/tag-copy.ts';
import { HOME, request } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';
import { install } from './ports.ts';
import { FakeSourceAccount, OWNER, source } from './source-account.ts';

watchMetrics();

/** TagCopy for a source of another account; what was tagged in ours is in `tagged`. */
function tag(owner: FakeSourceAccount, companion = true) {
  const tagged: string[] = [];
  const run = tagCopy(
    {
      snapshots: {
        tag: async (region, snapshotId) => {
          tagged.push(`${snapshotId} in ${region}`);
        },
      },
      sourceSnapshots: () => owner,
      now: () => new Date('2026-03-02T05:00:00Z'),
    },
    install,
  );
  const of = request({ source: { ownerId: OWNER, ...(companion && { companion: { reencrypt: false } }) } });
  const execution = {
    arn: `arn:aws:states:${HOME}`,
    name: 'n',
    startTime: '2026-03-02T04:30:00Z',
    stateMachineArn: 's',
  };
  const copy = { action: 'tag', reason: '', waitSeconds: 0, adopted: false, progressPercent: 100, copyId: 'snap-copy' };
  return { tagged, result: run({ execution, data: { ...of, copy } }) };
}

it('writes the id of the copy on a source of another account, through its companion', async () => {
  const owner = new FakeSourceAccount(source());
  const { tagged, result } = tag(owner);
  expect((await result).sourceNotMarked).toBeUndefined();
  expect(owner.snapshots.get('snap-0a1b2c3d4e5f60718')?.tags).toMatchObject({
    'snapshot-copier:copied-to:eu-central-1': 'snap-copy',
  });
  expect(tagged).toEqual(['snap-copy in eu-central-1']);
});

it('leaves a source alone whose owner has no companion', async () => {
  const owner = new FakeSourceAccount(source());
  expect(await tag(owner, false).result).toMatchObject({
    sourceNotMarked: 'the source belongs to account 111122223333',
  });
  expect(owner.done).toEqual([]);
});

it('takes a companion that refuses for no failure of the copy, and trouble for a reason to try again', async () => {
  const refusing = new FakeSourceAccount(source());
  refusing.tag = async () => {
    throw new SourceAccountRefusedError('not allowed there');
  };
  expect(await tag(refusing).result).toMatchObject({ sourceNotMarked: 'not allowed there' });
  refusing.tag = async () => {
    throw new ThrottledError('too often');
  };
  await expect(tag(refusing).result).rejects.toMatchObject({ name: 'SourceNotMarkedError' });
});
