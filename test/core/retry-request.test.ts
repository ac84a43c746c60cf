import { describe, expect, it } from 'vitest';
import type { Destination } from '../../core/destination.ts';
import { retryRequest } from '../../core/retry-request.ts';
import type { CopyRule } from '../../core/rules.ts';
import { destination, request } from '../support/examples.ts';

const rule = (over: Partial<CopyRule> = {}): CopyRule => ({
  name: 'nightly',
  select: {},
  destinations: [destination({ region: 'us-east-1' }), destination()],
  dryRun: false,
  ...over,
});
const withDestination = (over: Partial<Destination>) => [rule({ destinations: [destination(over)] })];

describe('a request that is asked for again', () => {
  it('is as it was if its rule is', () => {
    const tags = { copy: ['Name', 'Team'], add: { b: '2', a: '1' } };
    const before = request({ destination: { tags } });
    const same = { copy: ['Name', 'Team'], add: { a: '1', b: '2' } };
    expect(retryRequest(before, withDestination({ tags: same }))).toEqual({ request: before, changes: [] });
  });

  it.each<[string, Partial<Destination>, string]>([
    ['a key', { encryption: { kind: 'key', kmsKey: 'alias/dr' } }, 'encryption: as-source, now alias/dr'],
    ['a description', { description: 'new' }, "description: '{description}', now 'new'"],
    ['fewer tags', { tags: { copy: ['Name'], add: {} } }, 'tags that are copied: all, now Name'],
    ['no tags', { tags: { copy: [], add: {} } }, 'tags that are copied: all, now none'],
    ['a tag', { tags: { copy: 'all', add: { Tier: 'dr', A: 'b' } } }, 'tags that are added: none, now A=b, Tier=dr'],
    ['slots', { slots: 18 }, 'slots: 20, now 18'],
    ['a deadline', { deadlineSeconds: 3 * 86_400 }, 'deadline: 2d, now 3d'],
    ['a promise', { completionDurationMinutes: 240 }, 'completionDuration: none, now 4h'],
  ])('takes %s that its rule has got since, and says so', (_, over, change) => {
    const today = destination(over);
    expect(retryRequest(request(), withDestination(over))).toEqual({
      request: { ...request(), destination: today },
      changes: [change],
    });
  });

  it('names every difference', () => {
    const { changes } = retryRequest(request(), withDestination({ slots: 5, deadlineSeconds: 3600 }));
    expect(changes).toEqual(['slots: 20, now 5', 'deadline: 2d, now 1h']);
  });

  it('keeps what is known of the source: its tags then are the tags of the copy', () => {
    const before = request({ source: { tags: { Backup: 'then' } } });
    expect(retryRequest(before, withDestination({ slots: 5 })).request.source).toEqual(before.source);
  });

  it('is as it was if no rule asked for it', () => {
    const byHand = { ...request(), rule: 'by hand' };
    expect(retryRequest(byHand, [rule()])).toEqual({ request: byHand, changes: [] });
  });

  it.each<[string, readonly CopyRule[], string]>([
    ['is gone', [rule({ name: 'other' })], 'there is no rule nightly any more'],
    [
      'copies elsewhere',
      [rule({ destinations: [destination({ region: 'us-east-1' })] })],
      'rule nightly does not copy to eu-central-1 any more',
    ],
    [
      'copies to another part of the Region',
      withDestination({ localZone: 'eu-central-1-ham-1a' }),
      'rule nightly does not copy to eu-central-1 any more',
    ],
    [
      'copies nothing',
      [rule({ dryRun: true, destinations: [destination({ slots: 5 })] })],
      'rule nightly is a dry run by now',
    ],
  ])('is as it was if its rule %s by now, and says why', (_, rules, keptBecause) => {
    expect(retryRequest(request(), rules)).toEqual({ request: request(), changes: [], keptBecause });
  });

  it('is copied under another key first, or no longer, as its rule says by now', () => {
    const theirs = request({ source: { companion: { reencrypt: false } } });
    const mended = { ...theirs, source: { ...theirs.source, companion: { reencrypt: true } } };
    expect(retryRequest(theirs, [rule({ reencrypt: true })])).toEqual({
      request: mended,
      changes: ['reencrypt: false, now true'],
    });
    expect(retryRequest(mended, [rule()])).toEqual({ request: theirs, changes: ['reencrypt: true, now false'] });
    expect(retryRequest(theirs, [rule()])).toEqual({ request: theirs, changes: [] });
    expect(retryRequest(request(), [rule({ reencrypt: true })])).toEqual({ request: request(), changes: [] });
  });
});
