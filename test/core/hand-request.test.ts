import { describe, expect, it } from 'vitest';
import { describeCopy } from '../../core/copy-parameters.ts';
import type { Destination } from '../../core/destination.ts';
import { type CopySnapshotInput, handRequest, handTags, noSuchSource } from '../../core/hand-request.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { parseCopyRequest } from '../../core/task-input.ts';
import { destination, HOME, INSTALL, request, snapshot } from '../support/examples.ts';

const INSTALLED = { name: INSTALL, account: HOME, region: 'eu-west-1' };

function input(over: Partial<CopySnapshotInput> = {}): CopySnapshotInput {
  return { SourceRegion: 'eu-west-1', SourceSnapshotId: 'snap-0a1b2c3d4e5f60718', ...over };
}

function rule(over: Partial<Destination> = {}, select: CopyRule['select'] = {}): CopyRule {
  return { name: 'nightly', select, destinations: [destination(over)], dryRun: false };
}

function ask(
  over: Partial<CopySnapshotInput> = {},
  {
    rules = [rule()],
    source = {},
    region = 'eu-central-1',
    companions = [],
  }: { rules?: CopyRule[]; source?: Partial<Snapshot>; region?: string; companions?: readonly string[] } = {},
) {
  return handRequest(input(over), region, snapshot(source), rules, companions, INSTALLED);
}

/** The request, if there is one. */
function requested(...args: Parameters<typeof ask>) {
  const answer = ask(...args);
  if (answer.kind !== 'request') throw new Error(`${answer.kind}: ${answer.message}`);
  return answer;
}

describe('a copy that is asked for by hand', () => {
  it('is a request as a rule would make it, without what nobody asked for', () => {
    const { request: made, warnings } = requested();
    const { source } = request();
    expect(made).toEqual({
      rule: 'by hand',
      dryRun: false,
      source: { ...source, tags: { Backup: 'nightly', Name: 'db-1' } },
      destination: {
        region: 'eu-central-1',
        encryption: { kind: 'as-source' },
        description: '',
        tags: { copy: 'none', add: {} },
        slots: 20,
        deadlineSeconds: 48 * 3600,
      },
    });
    expect(warnings).toEqual([]);
    expect(parseCopyRequest(JSON.parse(JSON.stringify(made)))).toEqual(made);
  });

  it('has all that the options say', () => {
    const outpost = 'arn:aws:outposts:eu-west-1:444455556666:outpost/op-0123456789abcdef0';
    const { request: made } = requested(
      {
        Description: 'before the update',
        Encrypted: true,
        KmsKeyId: 'alias/dr',
        CompletionDurationMinutes: 60,
        DestinationOutpostArn: outpost,
        TagSpecifications: [
          { ResourceType: 'snapshot', Tags: [{ Key: 'Team', Value: 'db' }, { Key: 'Old' }] },
          { ResourceType: 'snapshot' },
        ],
      },
      { region: 'eu-west-1', rules: [rule({ region: 'eu-west-1', encryption: { kind: 'key', kmsKey: 'alias/dr' } })] },
    );
    expect(made.destination).toEqual({
      region: 'eu-west-1',
      outpost,
      encryption: { kind: 'key', kmsKey: 'alias/dr' },
      description: 'before the update',
      tags: { copy: 'none', add: { Team: 'db', Old: '' } },
      slots: 20,
      deadlineSeconds: 48 * 3600,
      completionDurationMinutes: 60,
    });
    expect(requested({ Encrypted: true }).request.destination.encryption).toEqual({ kind: 'account-default' });
    const zone = requested(
      { DestinationAvailabilityZone: 'eu-west-1-dub-1a' },
      { region: 'eu-west-1', rules: [rule({ region: 'eu-west-1' })] },
    ).request.destination;
    expect(zone).toMatchObject({ region: 'eu-west-1', localZone: 'eu-west-1-dub-1a' });
  });

  it('has the description as it is written, whatever a rule would read in it', () => {
    const Description = '{snapshotId} {{x}} } {';
    const { request: made } = requested({ Description });
    expect(describeCopy(made.destination.description, made)).toBe(Description);
    // A rule's is still filled in.
    expect(describeCopy('{{snapshotId}} is {snapshotId}', made)).toBe('{snapshotId} is snap-0a1b2c3d4e5f60718');
  });

  it('may use as many slots, and take as long, as the most generous rule for the Region says', () => {
    const rules = [
      rule({ slots: 3, deadlineSeconds: 7200 }),
      rule({ slots: 5, deadlineSeconds: 3600 }),
      rule({ region: 'us-east-1', slots: 9, deadlineSeconds: 9000 }),
    ];
    expect(requested({}, { rules }).request.destination).toMatchObject({ slots: 5, deadlineSeconds: 7200 });
    expect(requested({ CompletionDurationMinutes: 120 }, { rules }).request.destination.deadlineSeconds).toBe(14_400);
  });

  it('may be of a copy, which no rule takes', () => {
    expect(ask({}, { source: { tags: { 'snapshot-copier:managed': INSTALL } } }).kind).toBe('request');
  });
});

describe('there is no request', () => {
  it.each<[string, Partial<CopySnapshotInput>, string, string]>([
    [
      'for a key without encryption',
      { KmsKeyId: 'alias/dr' },
      'InvalidParameterDependency',
      'The parameter KmsKeyId requires the parameter Encrypted to be set.',
    ],
    [
      'for a description that is too long',
      { Description: 'x'.repeat(256) },
      'InvalidParameterValue',
      `Value (${'x'.repeat(256)}) for parameter Description is invalid. It exceeds 255 characters.`,
    ],
    [
      'for tags of something else',
      { TagSpecifications: [{ ResourceType: 'volume' }] },
      'InvalidParameterValue',
      "'volume' is not a valid taggable resource type for this operation.",
    ],
    [
      'for tags of nothing',
      { TagSpecifications: [{}] },
      'InvalidParameterValue',
      'Tag specification resource type must have a value',
    ],
    [
      'for a tag without a key',
      { TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Value: 'x' }] }] },
      'InvalidParameterValue',
      'Tag key cannot be null or empty',
    ],
    [
      "for AWS's own tags",
      { TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'AWS:x' }] }] },
      'InvalidParameterValue',
      "Tag keys starting with 'aws:' are reserved for internal use",
    ],
    [
      'for a tag that is there twice',
      {
        TagSpecifications: [
          { ResourceType: 'snapshot', Tags: [{ Key: 'a' }] },
          { ResourceType: 'snapshot', Tags: [{ Key: 'a' }] },
        ],
      },
      'InvalidParameterValue',
      "Duplicate tag key 'a' specified.",
    ],
  ])('%s: EC2 would refuse it', (_what, over, code, message) => {
    expect(ask(over)).toEqual({ kind: 'ec2Error', code, message });
  });

  const tags = (count: number) => [
    { ResourceType: 'snapshot', Tags: Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: '' })) },
  ];

  it.each<[string, Parameters<typeof ask>, RegExp]>([
    [
      'to a Region of no rule',
      [{}, { region: 'us-east-1' }],
      /No rule of \S+ copies to us-east-1, .* have eu-central-1\..*--direct/,
    ],
    [
      'from another Region',
      [{}, { source: { region: 'eu-north-1' } }],
      /is in eu-west-1 and copies from there only.*eu-north-1/,
    ],
    [
      'of an account that no rule names',
      [{}, { source: { ownerId: '111122223333' }, rules: [rule({}, { owners: ['self', '222233334444'] })] }],
      /select snapshots of account 111122223333/,
    ],
    [
      'of the own account, where rules name others only',
      [{}, { rules: [rule({}, { owners: ['222233334444'] })] }],
      /select snapshots of account 444455556666/,
    ],
    [
      "with a tag of the service's own",
      [{ TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'snapshot-copier:rule' }] }] }],
      /snapshot-copier:rule is the service's own/,
    ],
    [
      'with more tags than there is room for',
      [{ TagSpecifications: tags(43) }],
      /These are 43 tags, and with the 8 of the service EC2's 50/,
    ],
    [
      'of what is not complete',
      [{}, { source: { state: 'pending' } }],
      /^snap-0a1b2c3d4e5f60718 cannot be copied: it is not complete yet \(pending\)\.$/,
    ],
    [
      'to a Local Zone of another Region',
      [{ DestinationAvailabilityZone: 'eu-central-1-ham-1a' }],
      /cannot be copied: it is in eu-west-1, and EC2 copies to a Local Zone of eu-central-1 from eu-central-1 only/,
    ],
  ])('%s: the service cannot make it', (_what, args, message) => {
    const answer = ask(...args);
    expect(answer.kind).toBe('impossible');
    expect(answer).toHaveProperty('message', expect.stringMatching(message));
  });

  it('for a source that nobody can see, in the words of EC2', () => {
    expect(noSuchSource('snap-1')).toEqual({
      kind: 'ec2Error',
      code: 'InvalidSnapshot.NotFound',
      message: "The snapshot 'snap-1' does not exist.",
    });
  });

  it('but 42 tags have room, and accounts that a rule names may be copied from', () => {
    expect(handTags(requestedInput(tags(42)))).toHaveLength(42);
    const shared = { ownerId: '111122223333' };
    expect(ask({}, { source: shared }).kind).toBe('request');
    expect(ask({}, { source: shared, rules: [rule({}, { owners: ['111122223333'] })] }).kind).toBe('request');
    expect(ask({}, { rules: [rule({}, { owners: [HOME] })] }).kind).toBe('request');
  });

  it('of an account with the companion is asked for as its owner sees it, and copied under another key where rules say so', () => {
    const owner = '111122223333';
    const source = { ownerId: owner, viewedByOwner: true } as const;
    const of = (over: Partial<CopyRule>, companions = [owner]) =>
      ask({}, { source, companions, rules: [{ ...rule({}, { tags: { Backup: ['nightly'] } }), ...over }] });
    const companionIn = (over: Partial<CopyRule>) => {
      const answer = of(over);
      return answer.kind === 'request' ? answer.request.source.companion : answer;
    };
    expect(companionIn({})).toEqual({ reencrypt: false });
    expect(companionIn({ reencrypt: true })).toEqual({ reencrypt: true });
    expect(companionIn({ reencrypt: true, select: { owners: [owner] } })).toEqual({ reencrypt: true });
    expect(of({}, []).kind).toBe('impossible');
    expect(of({ reencrypt: true, select: { owners: [HOME] } }).kind).toBe('impossible');
  });

  function requestedInput(TagSpecifications: NonNullable<CopySnapshotInput['TagSpecifications']>) {
    expect(ask({ TagSpecifications }).kind).toBe('request');
    return input({ TagSpecifications });
  }
});

describe('a key that the service may not be allowed to use', () => {
  const withKey = rule({ encryption: { kind: 'key', kmsKey: 'alias/dr-copies' } });
  const id = '1234abcd-12ab-34cd-56ef-1234567890ab';

  it.each<[string, Partial<CopySnapshotInput>, CopyRule[], Partial<Snapshot>]>([
    ['the rules name it', { Encrypted: true, KmsKeyId: 'alias/dr-copies' }, [withKey], {}],
    [
      'the rules name it otherwise',
      { Encrypted: true, KmsKeyId: 'arn:aws:kms:eu-central-1:444455556666:alias/dr-copies' },
      [withKey],
      {},
    ],
    [
      'a rule uses the default key, and so every key may be it',
      { Encrypted: true, KmsKeyId: id },
      [withKey, rule()],
      {},
    ],
    ['nothing is encrypted', {}, [withKey], {}],
  ])('is not told where %s', (_what, over, rules, source) => {
    expect(requested(over, { rules, source }).warnings).toEqual([]);
  });

  it.each<[string, Partial<CopySnapshotInput>, Partial<Snapshot>, string]>([
    ['another key', { Encrypted: true, KmsKeyId: id }, {}, id],
    ['what is no key', { Encrypted: true, KmsKeyId: 'my key' }, {}, 'my key'],
    ['the default key', { Encrypted: true }, {}, 'the default key'],
    ['the default key, for an encrypted source', {}, { encrypted: true }, 'the default key'],
  ])('is told: %s', (_what, over, source, key) => {
    expect(requested(over, { rules: [withKey, rule({ region: 'us-east-1' })], source }).warnings).toEqual([
      `The rules name no such key for eu-central-1, only alias/dr-copies: unless ${key} is the same key, the service may not use it, and the copy will fail.`,
    ]);
  });
});
