import { describe, expect, it } from 'vitest';
import { decideRemoval } from '../../core/removal.ts';
import { copy, copyTags, INSTALL, request } from '../support/examples.ts';

const COPY = 'snap-0c0c0c0c0c0c0c0c0';
const decide = (copyId: string | undefined, ...candidates: Parameters<typeof decideRemoval>[1]) =>
  decideRemoval(copyId, candidates, request(), INSTALL);

describe('what a failed copy leaves behind', () => {
  it.each(['pending', 'error'] as const)('is removed in state %s', (state) => {
    expect(decide(COPY, copy({ state }))).toMatchObject({
      copyIds: [COPY],
      removal: { outcome: 'removed', copyId: COPY },
    });
  });

  it('is removed also if StartCopy never learnt its id, all of it', () => {
    const other = copy({ snapshotId: 'snap-other', tags: {} });
    const older = copy({
      snapshotId: 'snap-older',
      state: 'pending',
      tags: copyTags({ 'snapshot-copier:state': 'failed' }),
    });
    expect(decide(undefined, other, older, copy({ state: 'pending' }))).toMatchObject({
      copyIds: ['snap-older', COPY],
      removal: { outcome: 'removed' },
    });
  });

  it('is kept if it is complete: starting again adopts it', () => {
    expect(decide(COPY, copy())).toMatchObject({ copyIds: [], removal: { outcome: 'keptComplete', copyId: COPY } });
    const leftover = copy({ snapshotId: 'snap-1', state: 'error' });
    expect(decide(undefined, leftover, copy())).toMatchObject({
      copyIds: ['snap-1'],
      removal: { outcome: 'keptComplete', copyId: COPY },
    });
  });

  it('is removed even when complete, if it was given up before: nobody would adopt it', () => {
    const givenUp = copy({ tags: copyTags({ 'snapshot-copier:state': 'failed' }) });
    expect(decide(COPY, givenUp)).toMatchObject({ copyIds: [COPY], removal: { outcome: 'removed', copyId: COPY } });
  });

  it.each([
    ['of another install', { tags: copyTags({ 'snapshot-copier:managed': 'other' }) }],
    ['of another source', { tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-other' }) }],
    ['without tags', { tags: {} }],
  ])('is left alone if it is a snapshot %s', (_what, over) => {
    expect(decide(COPY, copy({ state: 'error', ...over }))).toMatchObject({
      copyIds: [],
      removal: { outcome: 'notOurs', copyId: COPY },
    });
  });

  it('is never taken away by a dry run', () => {
    const dryRun = { ...request(), dryRun: true };
    expect(decideRemoval(undefined, [copy({ state: 'pending' })], dryRun, INSTALL).removal.outcome).toBe(
      'nothingToRemove',
    );
  });

  it('may be nothing', () => {
    expect(decide(COPY).removal.outcome).toBe('nothingToRemove');
    expect(decide(undefined, copy({ tags: {} })).removal.outcome).toBe('nothingToRemove');
    expect(decide(COPY, copy({ state: 'recoverable' })).removal.outcome).toBe('nothingToRemove');
  });
});
