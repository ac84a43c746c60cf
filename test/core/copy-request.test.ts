import { describe, expect, it } from 'vitest';
import { copyRequest } from '../../core/copy-request.ts';
import { deadlineOf } from '../../core/deadline.ts';
import { destinationId, regionOfDestination } from '../../core/destination.ts';
import { isLocalZone, isRegion, partitionOf } from '../../core/region.ts';
import { destination, request, snapshot } from '../support/examples.ts';

const rule = { name: 'nightly', select: {}, destinations: [destination()], dryRun: false };

describe('a copy request', () => {
  it('holds what a copy must know of its source', () => {
    expect(copyRequest(snapshot(), rule, destination())).toEqual(request());
    const kmsKeyId = 'arn:aws:kms:eu-west-1:444455556666:key/1';
    expect(copyRequest(snapshot({ encrypted: true, kmsKeyId }), rule, destination()).source.kmsKeyId).toBe(kmsKeyId);
  });

  it('remembers that the owner has the companion, and whether the rule copies under another key there', () => {
    const source = snapshot({ ownerId: '111122223333', viewedByOwner: true });
    expect(copyRequest(source, rule, destination()).source.companion).toEqual({ reencrypt: false });
    const reencrypting = { ...rule, reencrypt: true } as const;
    expect(copyRequest(source, reencrypting, destination()).source.companion).toEqual({ reencrypt: true });
  });

  it('is the same text for the same snapshot, in whatever order EC2 gives its tags', () => {
    const one = copyRequest(snapshot({ tags: { A: '1', B: '2', C: '3' } }), rule, destination());
    const other = copyRequest(snapshot({ tags: { C: '3', A: '1', B: '2' } }), rule, destination());
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  it('has a deadline that counts from the start of its execution', () => {
    expect(deadlineOf({ startTime: '2026-03-02T00:00:00Z' }, request()).toISOString()).toBe('2026-03-04T00:00:00.000Z');
  });
});

describe('the id of a destination', () => {
  it.each([
    ['eu-central-1', 'eu-central-1'],
    ['us-gov-west-1', 'us-gov-west-1'],
    ['us-west-2-lax-1a', 'us-west-2'],
    ['eu-west-1-op-0123456789abcdef0', 'eu-west-1'],
    ['eu-west-1a', undefined],
    ['Frankfurt', undefined],
  ])('%s tells its Region', (id, region) => {
    expect(regionOfDestination(id)).toBe(region);
  });

  it('is its Region, its Local Zone, or its Region and Outpost', () => {
    expect(destinationId(destination())).toBe('eu-central-1');
    expect(destinationId(destination({ localZone: 'eu-central-1-ham-1a' }))).toBe('eu-central-1-ham-1a');
    const outpost = 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0';
    expect(destinationId(destination({ outpost }))).toBe('eu-central-1-op-0123456789abcdef0');
  });
});

describe('Regions', () => {
  it('are told from Local Zones and Availability Zones', () => {
    expect(['eu-central-1', 'us-gov-west-1', 'ap-southeast-7', 'cn-north-1', 'mx-central-1'].every(isRegion)).toBe(
      true,
    );
    expect(['eu-central-1a', 'us-west-2-lax-1a', 'Frankfurt', '', 'eu-central'].some(isRegion)).toBe(false);
  });

  it('are told from Local Zones, and those from Availability Zones', () => {
    expect(['us-west-2-lax-1a', 'eu-central-1-ham-1a'].every(isLocalZone)).toBe(true);
    expect(['eu-west-1a', 'us-west-2', undefined].some(isLocalZone)).toBe(false);
  });

  it('belong to a partition', () => {
    expect(['eu-central-1', 'cn-north-1', 'us-gov-west-1'].map(partitionOf)).toEqual(['aws', 'aws-cn', 'aws-us-gov']);
  });
});
