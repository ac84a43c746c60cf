import { describe, expect, it } from 'vitest';
import { differences, existingCopy, isKeyOpen, type KnownCopy, requestedCopy } from '../../core/hand-difference.ts';
import type { CopySnapshotInput } from '../../core/hand-request.ts';
import { copy, destination, INSTALL, request } from '../support/examples.ts';

const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:eu-central-1:444455556666:key/${ID}`;

function input(over: Partial<CopySnapshotInput>): CopySnapshotInput {
  return { SourceRegion: 'eu-west-1', SourceSnapshotId: 'snap-0a1b2c3d4e5f60718', ...over };
}

function known(over: Partial<KnownCopy> = {}): KnownCopy {
  return { description: 'nightly', encrypted: false, kmsKeys: [], tags: { Team: 'db' }, ...over };
}

const tagged = (Key: string, Value: string) => ({
  TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key, Value }] }],
});

describe('a copy that is there is another one', () => {
  const encrypted = known({ encrypted: true, kmsKeys: [ARN, 'alias/dr'] });
  const inTime = known({ completionDurationMinutes: 60 });

  it.each<[string, Partial<CopySnapshotInput>, KnownCopy, readonly string[]]>([
    ['not if nothing is said', {}, encrypted, []],
    ['not if all that is said is so', { Description: 'nightly', ...tagged('Team', 'db') }, known(), []],
    ['not for spaces around the description', { Description: ' nightly ' }, known(), []],
    ['by its description', { Description: '' }, known(), ["its description is 'nightly', not ''"]],
    ['by a tag that it has not', tagged('toString', 'x'), known(), ['it has no tag toString']],
    ['by the value of a tag', tagged('Team', ''), known(), ["its tag Team is 'db', not ''"]],
    ['by encryption', { Encrypted: true, KmsKeyId: ID }, known(), ['it is not encrypted']],
    ['not if it is encrypted and need not be', { Encrypted: false }, encrypted, []],
    ['not under any key if none is named', { Encrypted: true }, encrypted, []],
    ['not under the key as it was asked for', { Encrypted: true, KmsKeyId: 'alias/dr' }, encrypted, []],
    ['not under the same id', { Encrypted: true, KmsKeyId: ID }, encrypted, []],
    [
      'by the key in an ARN of another account',
      { Encrypted: true, KmsKeyId: ARN.replace('444455556666', '111122223333') },
      encrypted,
      [`its key is ${ARN}, not ${ARN.replace('444455556666', '111122223333')}`],
    ],
    ['by the key', { Encrypted: true, KmsKeyId: 'alias/x' }, encrypted, [`its key is ${ARN}, not alias/x`]],
    ['by what is no key', { Encrypted: true, KmsKeyId: 'x' }, encrypted, [`its key is ${ARN}, not x`]],
    [
      'by the default key',
      { Encrypted: true, KmsKeyId: ID },
      known({ encrypted: true }),
      [`its key is the default one, not ${ID}`],
    ],
    ['not if it was as quick', { CompletionDurationMinutes: 60 }, inTime, []],
    [
      'by how quick it was',
      { CompletionDurationMinutes: 15 },
      inTime,
      ['its completion duration is 60 minutes, not 15'],
    ],
    [
      'by being of no promised time',
      { CompletionDurationMinutes: 15 },
      known(),
      ['no completion duration was asked for, not 15'],
    ],
    [
      'in several ways',
      { Description: 'x', Encrypted: true, ...tagged('A', '') },
      known(),
      ["its description is 'nightly', not 'x'", 'it is not encrypted', 'it has no tag A'],
    ],
  ])('%s', (_what, over, there, found) => {
    expect(differences(input(over), there, undefined)).toEqual(found);
  });

  it('but not under an alias of which KMS says that it is the key', () => {
    expect(differences(input({ Encrypted: true, KmsKeyId: 'alias/x' }), encrypted, ARN)).toEqual([]);
  });
});

describe('KMS is asked', () => {
  const encrypted = known({ encrypted: true, kmsKeys: [ARN] });

  it.each<[boolean, string, Partial<CopySnapshotInput>, KnownCopy]>([
    [true, 'for an alias that may be of the key', { KmsKeyId: 'alias/x' }, encrypted],
    [false, 'for no key', {}, encrypted],
    [false, 'for a key that is the copy’s', { KmsKeyId: ID }, encrypted],
    [false, 'if the copy has none', { KmsKeyId: 'alias/x' }, known()],
  ])('%s: %s', (isOpen, _what, over, there) => {
    expect(isKeyOpen(input(over), there)).toBe(isOpen);
  });
});

describe('what is known of a copy', () => {
  const asked = request({
    destination: destination({
      encryption: { kind: 'key', kmsKey: 'alias/dr' },
      description: 'copy of {snapshotId}',
      completionDurationMinutes: 60,
    }),
  });

  it('that was only asked for is what the service will ask EC2 for', () => {
    expect(requestedCopy(asked, INSTALL)).toEqual({
      description: 'copy of snap-0a1b2c3d4e5f60718',
      encrypted: true,
      kmsKeys: ['alias/dr'],
      tags: expect.objectContaining({ Name: 'db-1', 'snapshot-copier:rule': 'nightly' }),
      completionDurationMinutes: 60,
    });
    expect(requestedCopy(request(), INSTALL)).toMatchObject({ encrypted: false, kmsKeys: [] });
    expect(requestedCopy(request({ source: { encrypted: true } }), INSTALL)).toMatchObject({ encrypted: true });
    const outpost = 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0';
    expect(requestedCopy(request({ destination: { outpost } }), INSTALL)).toMatchObject({ encrypted: true });
  });

  it('that EC2 shows is what EC2 shows, and how its key was named, and its time', () => {
    expect(existingCopy(copy({ encrypted: true, kmsKeyId: ARN, tags: { Team: 'db' } }), asked, INSTALL)).toEqual({
      description: 'nightly of db-1',
      encrypted: true,
      kmsKeys: [ARN, 'alias/dr'],
      tags: { Team: 'db' },
      completionDurationMinutes: 60,
    });
    expect(existingCopy(copy({ tags: {} }), request(), INSTALL)).toEqual({
      description: 'nightly of db-1',
      encrypted: false,
      kmsKeys: [],
      tags: {},
    });
  });

  it('that is under way may not show yet that it is encrypted', () => {
    expect(existingCopy(copy({ state: 'pending' }), asked, INSTALL)).toMatchObject({ encrypted: true });
    expect(existingCopy(copy(), asked, INSTALL)).toMatchObject({ encrypted: false });
    expect(existingCopy(copy({ state: 'pending' }), request(), INSTALL)).toMatchObject({ encrypted: false });
  });
});
