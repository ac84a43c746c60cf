import { describe, expect, it } from 'vitest';
import {
  claimFilter,
  claimsFor,
  claimsOf,
  claimTag,
  companionRoleArn,
  overTag,
  shareableKeyAlias,
} from '../../core/source-account.ts';
import { destination, HOME, INSTALL } from '../support/examples.ts';

const install = { name: INSTALL, account: HOME, region: 'eu-west-1' };
const longest = {
  ...install,
  // As long as the companion takes.
  name: `e${'b'.repeat(39)}`,
};

describe('names that the companion agrees on', () => {
  it('say which install it is, and of which account', () => {
    expect(companionRoleArn(install, '111122223333')).toBe(
      'arn:aws:iam::111122223333:role/snapshot-copier/ebs-snapshot-copier-test-for-444455556666',
    );
    expect(companionRoleArn({ ...install, region: 'cn-north-1' }, '111122223333')).toMatch(/^arn:aws-cn:iam::/);
    expect(shareableKeyAlias(install)).toBe('alias/snapshot-copier-ebs-snapshot-copier-test-for-444455556666');
  });

  it('of a claim fit into a tag key, for the longest names there are', () => {
    const outpost = 'arn:aws:outposts:ap-southeast-2:444455556666:outpost/op-0123456789abcdef0';
    const key = claimTag(longest, destination({ region: 'ap-southeast-2', outpost }));
    expect(key).toBe(`snapshot-copier:share:${longest.name}-for-${HOME}/ap-southeast-2-op-0123456789abcdef0`);
    expect(key.length).toBeLessThanOrEqual(127);
  });
});

it('claims are told apart by install and by account', () => {
  const claim = (of: { name: string; account: string }, region: string) => claimTag(of, destination({ region }));
  const other = { ...install, name: 'copier-prod' };
  const elsewhere = { ...install, account: '555566667777' };
  const tags = {
    Name: 'db-1',
    [claim(install, 'eu-central-1')]: 'one',
    [claim(install, 'us-east-1')]: 'two',
    [claim(other, 'us-east-1')]: 'three',
    [claim(elsewhere, 'us-east-1')]: 'four',
  };
  const snapshot = { snapshotId: 'snap-0a', tags };
  expect(claimsOf(install, snapshot).map(([, execution]) => execution)).toEqual(['one', 'two']);
  expect(claimsFor(HOME, snapshot)).toHaveLength(3);
  expect(claimsFor(elsewhere.account, snapshot)).toEqual([claim(elsewhere, 'us-east-1')]);
  expect(claimFilter(install)).toBe('snapshot-copier:share:ebs-snapshot-copier-test-for-444455556666/*');
});

it.each([
  ['on the source', { snapshotId: 'snap-0a' }, true],
  ['on its intermediate copy', { snapshotId: 'snap-0b', tags: { 'snapshot-copier:intermediate-of': 'snap-0a' } }, true],
  ['that another tool copied with the tags of the source', { snapshotId: 'snap-0b' }, false],
])('a claim %s', (_where, { snapshotId, tags = {} }: { snapshotId: string; tags?: Record<string, string> }, counts) => {
  const key = claimTag(install, destination());
  const claimed = {
    snapshotId,
    tags: { ...tags, [key]: 'snap-0a-eu-central-1-1', [overTag(install)]: 'snap-0a-us-east-1-1' },
  };
  expect(claimsOf(install, claimed)).toEqual(counts ? [[key, 'snap-0a-eu-central-1-1']] : []);
  expect(claimsFor(HOME, claimed)).toEqual(counts ? [key, overTag(install)] : []);
});
