import { describe, expect, it } from 'vitest';
import { lossOf } from '../../core/lost-copy.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copy, copyTags, INSTALL, request } from '../support/examples.ts';

const COPY_ID = copy().snapshotId;
const loss = (copies: readonly Snapshot[], copyId: string | undefined = COPY_ID) =>
  lossOf(copyId, request(), copies, INSTALL);

describe('a copy that the ledger takes for good', () => {
  it('is none of those that are lost while there is a good one, whichever it is', () => {
    expect(loss([copy()])).toBeUndefined();
    expect(loss([copy({ state: 'pending' })])).toBeUndefined();
    expect(loss([copy({ snapshotId: 'snap-0d' })])).toBeUndefined();
  });

  it.each<[string, readonly Snapshot[], string]>([
    ['is deleted', [], `its copy ${COPY_ID} is gone from EC2`],
    ['is of another volume', [copy({ snapshotId: 'snap-0d', tags: {} })], `its copy ${COPY_ID} is gone from EC2`],
    ['ended in error', [copy({ state: 'error' })], `its copy ${COPY_ID} is in state error`],
    [
      'was given up',
      [copy({ tags: copyTags({ 'snapshot-copier:state': 'failed' }) })],
      `its copy ${COPY_ID} was given up later`,
    ],
    [
      'was made another one',
      [copy({ tags: copyTags({ 'snapshot-copier:managed': 'somebody-else' }) })],
      `its copy ${COPY_ID} lost the tags that make it ours`,
    ],
  ])('that %s is lost', (_, copies, words) => {
    expect(loss(copies)).toBe(words);
  });

  it('is lost too if the ledger does not name it', () => {
    expect(lossOf(undefined, request(), [], INSTALL)).toBe('its copy is gone from EC2');
  });
});
