import { describe, expect, it } from 'vitest';
import { copyParameters, describeCopy } from '../../core/copy-parameters.ts';
import { INSTALL, request } from '../support/examples.ts';

describe('the parameters of a copy', () => {
  it('name the source and carry the tags that say where the data come from', () => {
    expect(copyParameters(request(), INSTALL)).toEqual({
      droppedTags: [],
      parameters: {
        sourceRegion: 'eu-west-1',
        sourceSnapshotId: 'snap-0a1b2c3d4e5f60718',
        description: 'nightly of db-1',
        tags: {
          Name: 'db-1',
          Backup: 'nightly',
          'snapshot-copier:managed': 'ebs-snapshot-copier-test',
          'snapshot-copier:source-snapshot': 'snap-0a1b2c3d4e5f60718',
          'snapshot-copier:source-volume': 'vol-0123456789abcdef0',
          'snapshot-copier:source-region': 'eu-west-1',
          'snapshot-copier:source-account': '444455556666',
          'snapshot-copier:source-start-time': '2026-03-02T04:09:51.204Z',
          'snapshot-copier:rule': 'nightly',
          'snapshot-copier:state': 'copying',
        },
      },
    });
  });

  it.each([
    [{ kind: 'as-source' }, {}],
    [{ kind: 'account-default' }, { encrypted: true }],
    [
      { kind: 'key', kmsKey: 'alias/dr' },
      { encrypted: true, kmsKeyId: 'alias/dr' },
    ],
  ] as const)('ask for encryption %j as %j', (encryption, asked) => {
    const { parameters } = copyParameters(request({ destination: { encryption } }), INSTALL);
    const { encrypted, kmsKeyId } = parameters;
    expect({ ...(encrypted && { encrypted }), ...(kmsKeyId && { kmsKeyId }) }).toEqual(asked);
  });

  it('pass on Outpost, Local Zone and the time that a time-based copy may take', () => {
    const outpost = 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0';
    expect(copyParameters(request({ destination: { outpost } }), INSTALL).parameters).toMatchObject({
      destinationOutpostArn: outpost,
    });
    const other = { localZone: 'eu-central-1-ham-1a', completionDurationMinutes: 45 };
    expect(copyParameters(request({ destination: other }), INSTALL).parameters).toMatchObject({
      destinationAvailabilityZone: 'eu-central-1-ham-1a',
      completionDurationMinutes: 45,
    });
  });
});

describe('the tags of a copy', () => {
  const tagsOf = (
    source: Record<string, string>,
    tags: { copy: 'all' | 'none' | string[]; add?: Record<string, string> },
  ) =>
    copyParameters(
      request({ source: { tags: source }, destination: { tags: { copy: tags.copy, add: tags.add ?? {} } } }),
      INSTALL,
    );

  it('are only ours for a source without tags', () => {
    const { parameters, droppedTags } = tagsOf({}, { copy: 'all' });
    expect(Object.keys(parameters.tags)).toHaveLength(8);
    expect(droppedTags).toEqual([]);
  });

  it('include the keys that the rule lists, or none', () => {
    expect(tagsOf({ A: '1', B: '2' }, { copy: ['B', 'C'] }).parameters.tags).toMatchObject({ B: '2' });
    expect(tagsOf({ A: '1', B: '2' }, { copy: ['B', 'C'] }).parameters.tags).not.toHaveProperty('A');
    expect(tagsOf({ A: '1' }, { copy: 'none' }).parameters.tags).not.toHaveProperty('A');
  });

  it('leave out aws: tags and say so', () => {
    const { parameters, droppedTags } = tagsOf({ 'aws:backup:source-resource': 'vol-1', A: '1' }, { copy: 'all' });
    expect(parameters.tags).not.toHaveProperty('aws:backup:source-resource');
    expect(parameters.tags).toHaveProperty('A');
    expect(droppedTags).toEqual(['aws:backup:source-resource: aws: tags cannot be written']);
  });

  it("leave out the copier's tags of the source: they speak of the source", () => {
    const { parameters, droppedTags } = tagsOf({ 'snapshot-copier:copied-to:us-east-1': 'snap-1' }, { copy: 'all' });
    expect(parameters.tags).not.toHaveProperty('snapshot-copier:copied-to:us-east-1');
    expect(droppedTags).toEqual([]);
  });

  it("prefer the rule's value to the source's", () => {
    const { parameters, droppedTags } = tagsOf({ Tier: 'prod' }, { copy: 'all', add: { Tier: 'dr' } });
    expect(parameters.tags).toMatchObject({ Tier: 'dr' });
    expect(droppedTags).toEqual(['Tier: the rule gives another value']);
  });

  it('are 50 at most: ours and the rule’s stay, the last of the source are dropped and named', () => {
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${String(i).padStart(2, '0')}`, 'v']));
    const { parameters, droppedTags } = tagsOf(fifty, { copy: 'all', add: { Tier: 'dr' } });
    expect(Object.keys(parameters.tags)).toHaveLength(50);
    expect(parameters.tags).toMatchObject({ Tier: 'dr', k40: 'v', 'snapshot-copier:state': 'copying' });
    expect(droppedTags).toHaveLength(9);
    expect(droppedTags[0]).toBe('k41: EC2 takes 50 tags at most');
  });
});

describe('the description of a copy', () => {
  it('fills every placeholder', () => {
    const template =
      '{rule} {snapshotId} {volumeId} {sourceRegion} {sourceAccount} {destination} {startTime} {description}';
    expect(describeCopy(template, request())).toBe(
      'nightly snap-0a1b2c3d4e5f60718 vol-0123456789abcdef0 eu-west-1 444455556666 eu-central-1 2026-03-02T04:09:51.204Z nightly of db-1',
    );
  });

  it('leaves what is no placeholder as it is, also inside the source’s own description', () => {
    expect(describeCopy('{nope} {description}', request({ source: { description: '{rule} $& {x}' } }))).toBe(
      '{nope} {rule} $& {x}',
    );
  });

  it('is cut before a character of two code units, not through it', () => {
    const description = describeCopy('{description}', request({ source: { description: `${'x'.repeat(254)}🙂` } }));
    expect(description).toBe('x'.repeat(254));
  });

  it('is cut at the 255 characters that EC2 takes', () => {
    expect(describeCopy('{description}', request({ source: { description: 'x'.repeat(300) } }))).toHaveLength(255);
  });
});
