import { expect, it } from 'vitest';
import { seenSources } from '../../core/seen-sources.ts';
import { snapshot } from '../support/examples.ts';

const COMPANION = '111122223333';

it('a snapshot is judged by the view of its owner where that is to be had, and never by less than that', () => {
  const own = snapshot({ snapshotId: 'snap-own' });
  const given = snapshot({ snapshotId: 'snap-given', ownerId: '222233334444', tags: {} });
  const hidden = snapshot({ snapshotId: 'snap-hidden', ownerId: COMPANION, tags: {} });
  const shared = snapshot({ snapshotId: 'snap-shared', ownerId: COMPANION, tags: {} });
  const viewed = { ...shared, tags: { Backup: 'nightly' }, viewedByOwner: true as const };
  const seen = seenSources({ own: [own], shared: [own, given, hidden, shared], viewed: [viewed] }, [COMPANION]);
  expect(seen).toEqual([own, given, viewed]);
});
