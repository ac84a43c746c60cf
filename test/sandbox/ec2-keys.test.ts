import { CopySnapshotCommand, DeleteSnapshotCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../sandbox/iam/policy-document.ts';
import type { Principal } from '../../sandbox/iam/types.ts';
import type { KmsKey } from '../../sandbox/kms/key.ts';
import { Ec2Sandbox, errorCode, SOURCE, TARGET } from '../support/ec2-sandbox.ts';
import { KEY_ACTIONS } from '../support/key-actions.ts';

const FROM = 'eu-west-1';
const TO = 'eu-central-1';

const COPIER = `arn:aws:iam::${TARGET}:role/snapshot-copier/prod/start-copy`;

interface Statement {
  readonly Effect?: 'Allow' | 'Deny';
  readonly Principal?: { readonly AWS: string };
  readonly Action: string | readonly string[];
  readonly Resource?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function role(sandbox: Ec2Sandbox, statements: readonly Statement[], account = TARGET, arn = COPIER): Principal {
  const policy = { Statement: statements.map((each) => ({ Effect: 'Allow', Resource: '*', ...each })) };
  const trust = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' };
  sandbox.iam.addRole({
    arn,
    account,
    stack: 'test',
    logicalId: 'CopierRole',
    trust: parsePolicy('trust', { Statement: [trust] }, 'trust'),
    policies: [parsePolicy('identity', policy, 'policy of the role')],
  });
  return { account, arn: `arn:aws:sts::${account}:assumed-role/${arn.split('/').at(-1)}/session`, roleArn: arn };
}

const root = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` });

function keyPolicy(owner: string, ...statements: readonly Statement[]): string {
  const all = [{ Principal: root(owner), Action: 'kms:*' }, ...statements];
  return JSON.stringify({ Statement: all.map((each) => ({ Effect: 'Allow', Resource: '*', ...each })) });
}

/** A snapshot under a customer managed key of another account, shared, and a key for its copy. */
async function shared(
  statements: readonly Statement[] = [{ Action: KEY_ACTIONS }],
  options: ConstructorParameters<typeof Ec2Sandbox>[0] = {},
) {
  const sandbox = new Ec2Sandbox(options);
  const sourceKey = sandbox.keys.create({
    account: SOURCE,
    region: FROM,
    policy: keyPolicy(SOURCE, { Principal: root(TARGET), Action: KEY_ACTIONS }),
  });
  const copyKey = sandbox.keys.create({ account: TARGET, region: TO });
  const volume = await sandbox.volume(FROM, 8, { Encrypted: true, KmsKeyId: sourceKey.arn });
  const source = await sandbox.snapshot(FROM, volume);
  await sandbox.share(source, FROM);
  sandbox.seconds(90);
  return { sandbox, sourceKey, copyKey, volume, source, principal: role(sandbox, statements) };
}

type Shared = Awaited<ReturnType<typeof shared>>;

async function begin({ sandbox, source, copyKey, principal }: Shared): Promise<string> {
  const { SnapshotId = '' } = await sandbox.as(TARGET, TO, principal).send(
    new CopySnapshotCommand({
      SourceRegion: FROM,
      SourceSnapshotId: source,
      Encrypted: true,
      KmsKeyId: copyKey.arn,
    }),
  );
  return SnapshotId;
}

/** How a copy ends: `completed`, the state message of the error, or the code of the refusal. */
async function outcome(world: Shared): Promise<string> {
  let copyId = '';
  const refusal = await errorCode(begin(world).then((id) => (copyId = id)));
  if (copyId === '') return `refused: ${refusal}`;
  world.sandbox.seconds(3600);
  return ended(world, copyId);
}

function ended({ sandbox }: Shared, copyId: string): string {
  const { state, stateMessage } = sandbox.inside(copyId);
  return stateMessage ?? state;
}

const NOT_ACCESSIBLE = 'Given key ID is not accessible';
const NOT_FOUND = 'Source snapshot is not found';

/** EC2 looks at the key of the copy before it accepts the call. */
const without = (action: string, key: 'source' | 'copy') =>
  action === 'kms:DescribeKey' && key === 'copy' ? 'refused: AuthFailure' : NOT_ACCESSIBLE;

describe('a copy from another account by a role', () => {
  it('works with what EC2 documents, of both keys', async () => {
    expect(await outcome(await shared())).toBe('completed');
  });

  it.each(KEY_ACTIONS)('needs %s of the role’s own policy, for each key', async (action) => {
    for (const kind of ['source', 'copy'] as const) {
      const world = await shared([]);
      const { arn } = kind === 'source' ? world.sourceKey : world.copyKey;
      const [, , , region, account] = arn.split(':');
      const others = `arn:aws:kms:*:${kind === 'source' ? TARGET : SOURCE}:key/*`;
      world.sandbox.iam.removeRole(COPIER);
      const principal = role(world.sandbox, [
        { Action: KEY_ACTIONS, Resource: others },
        { Action: KEY_ACTIONS.filter((each) => each !== action), Resource: `arn:aws:kms:${region}:${account}:key/*` },
      ]);
      expect({ kind, outcome: await outcome({ ...world, principal }) }).toEqual({
        kind,
        outcome: without(action, kind),
      });
    }
  });

  it.each(KEY_ACTIONS)('needs %s of the policy of each key', async (action) => {
    const rest = KEY_ACTIONS.filter((each) => each !== action);
    const forSource = await shared();
    const sourcePolicy = keyPolicy(SOURCE, { Principal: root(TARGET), Action: rest });
    forSource.sandbox.keys.putPolicy(forSource.sourceKey, sourcePolicy);
    expect(await outcome(forSource)).toBe(without(action, 'source'));
    const forCopy = await shared();
    // The owner's own statement would leave it to IAM.
    const copyPolicy = { Statement: [{ Effect: 'Allow', Principal: root(TARGET), Action: rest, Resource: '*' }] };
    forCopy.sandbox.keys.putPolicy(forCopy.copyKey, JSON.stringify(copyPolicy));
    expect(await outcome(forCopy)).toBe(without(action, 'copy'));
  });

  const conditions: readonly [string, Readonly<Record<string, Readonly<Record<string, string>>>>, string][] = [
    [
      'through EC2 of the key’s Region',
      { StringEquals: { 'kms:ViaService': `ec2.${FROM}.amazonaws.com` } },
      'completed',
    ],
    ['through another service', { StringEquals: { 'kms:ViaService': `rds.${FROM}.amazonaws.com` } }, NOT_ACCESSIBLE],
    ['for the calling account', { StringEquals: { 'kms:CallerAccount': TARGET } }, 'completed'],
    ['for another account', { StringEquals: { 'kms:CallerAccount': '999988887777' } }, NOT_ACCESSIBLE],
    [
      'for roles of the install',
      { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${TARGET}:role/snapshot-copier/prod/*` } },
      'completed',
    ],
    [
      'for roles of another install',
      { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${TARGET}:role/snapshot-copier/dev/*` } },
      NOT_ACCESSIBLE,
    ],
    ['for grants to others than EC2', { Bool: { 'kms:GrantIsForAWSResource': 'false' } }, NOT_ACCESSIBLE],
  ];
  it.each(conditions)('is let in by a condition %s or not', async (_name, Condition, expected) => {
    const world = await shared();
    world.sandbox.keys.putPolicy(
      world.sourceKey,
      keyPolicy(SOURCE, { Principal: root(TARGET), Action: KEY_ACTIONS, Condition }),
    );
    expect(await outcome(world)).toBe(expected);
  });

  it('lets only EC2 have grants where the policy says so', async () => {
    const world = await shared();
    const grants = { 'kms:GrantIsForAWSResource': 'true' };
    const policy = keyPolicy(
      SOURCE,
      { Principal: root(TARGET), Action: KEY_ACTIONS.filter((each) => each !== 'kms:CreateGrant') },
      { Principal: root(TARGET), Action: 'kms:CreateGrant', Condition: { Bool: grants } },
    );
    world.sandbox.keys.putPolicy(world.sourceKey, policy);
    expect(await outcome(world)).toBe('completed');
    const { sandbox, sourceKey } = world;
    const byHand = sandbox.keys.may({ account: TARGET, region: FROM }, sourceKey, { operation: 'CreateGrant' });
    expect(byHand).toEqual({
      allowed: false,
      why: 'because no resource-based policy allows the kms:CreateGrant action',
    });
  });

  it('knows the key of the copy by its alias in the role’s policy', async () => {
    for (const [alias, expected] of [
      ['alias/dr-copies', 'completed'],
      ['alias/other', 'refused: AuthFailure'],
    ] as const) {
      const world = await shared([
        { Action: KEY_ACTIONS, Resource: `arn:aws:kms:*:${SOURCE}:key/*` },
        {
          Action: KEY_ACTIONS,
          Resource: `arn:aws:kms:*:${TARGET}:key/*`,
          Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/dr-copies' } },
        },
      ]);
      world.sandbox.keys.createAlias(alias, world.copyKey);
      expect(await outcome(world)).toBe(expected);
    }
  });

  it('sees each key bound to its snapshot or volume', async () => {
    const bound = async (ebsId: (world: Shared) => string) => {
      const world = await shared();
      const Condition = { StringEquals: { 'kms:EncryptionContext:aws:ebs:id': ebsId(world) } };
      const policy = keyPolicy(
        SOURCE,
        { Principal: root(TARGET), Action: ['kms:DescribeKey', 'kms:CreateGrant'] },
        { Principal: root(TARGET), Action: KEY_ACTIONS.slice(2), Condition },
      );
      world.sandbox.keys.putPolicy(world.sourceKey, policy);
      return outcome(world);
    };
    expect(await bound(({ volume }) => volume)).toBe('completed');
    expect(await bound(({ source }) => source)).toBe(NOT_ACCESSIBLE);
  });
});

describe('a grant of the source’s key', () => {
  const OPERATIONS = KEY_ACTIONS.map((action) => action.replace('kms:', ''));

  async function granted(
    { grantee = COPIER, operations = OPERATIONS }: { grantee?: string; operations?: readonly string[] },
    constraints?: (world: Shared) => KmsKey['grants'][number]['constraints'],
    statements?: readonly Statement[],
  ) {
    const world = await shared(statements);
    const { sandbox, sourceKey } = world;
    sandbox.keys.putPolicy(sourceKey, keyPolicy(SOURCE));
    const grant = sandbox.keys.createGrant(sourceKey, {
      name: undefined,
      granteePrincipal: grantee,
      retiringPrincipal: undefined,
      operations,
      constraints: constraints?.(world),
      issuer: SOURCE,
    });
    return { ...world, grant };
  }

  it('is as good as its policy, and needs no policy of the role', async () => {
    const onlyCopyKey = [{ Action: KEY_ACTIONS, Resource: `arn:aws:kms:*:${TARGET}:key/*` }];
    expect(await outcome(await granted({}, undefined, onlyCopyKey))).toBe('completed');
  });

  it('to the account leaves it to the policies there', async () => {
    const grantee = `arn:aws:iam::${TARGET}:root`;
    expect(await outcome(await granted({ grantee }))).toBe('completed');
    const onlyCopyKey = [{ Action: KEY_ACTIONS, Resource: `arn:aws:kms:*:${TARGET}:key/*` }];
    expect(await outcome(await granted({ grantee }, undefined, onlyCopyKey))).toBe(NOT_ACCESSIBLE);
  });

  it('to somebody else is none', async () => {
    expect(await outcome(await granted({ grantee: `${COPIER}-old` }))).toBe(NOT_ACCESSIBLE);
  });

  it.each(OPERATIONS)('needs the operation %s', async (operation) => {
    const operations = OPERATIONS.filter((each) => each !== operation);
    expect(await outcome(await granted({ operations }))).toBe(NOT_ACCESSIBLE);
  });

  it('that is constrained to an encryption context holds for that snapshot only', async () => {
    const subset = (id: string) => ({ EncryptionContextSubset: { 'aws:ebs:id': id } });
    const equal = (id: string) => ({ EncryptionContextEquals: { 'aws:ebs:id': id } });
    expect(await outcome(await granted({}, ({ volume }) => subset(volume)))).toBe('completed');
    expect(await outcome(await granted({}, () => subset('vol-1')))).toBe(NOT_ACCESSIBLE);
    expect(await outcome(await granted({}, ({ volume }) => equal(volume)))).toBe('completed');
    expect(await outcome(await granted({}, () => equal('vol-1')))).toBe(NOT_ACCESSIBLE);
    expect(await outcome(await granted({}, () => ({ EncryptionContextEquals: {} })))).toBe(NOT_ACCESSIBLE);
  });

  it('does not help against a Deny', async () => {
    const world = await granted({});
    const Deny = { Effect: 'Deny', Principal: root(TARGET), Action: 'kms:Decrypt' } as const;
    world.sandbox.keys.putPolicy(world.sourceKey, keyPolicy(SOURCE, Deny));
    expect(await outcome(world)).toBe(NOT_ACCESSIBLE);
  });

  it('that is revoked in mid-copy fails the copy', async () => {
    const world = await granted({});
    const copyId = await begin(world);
    world.sandbox.seconds(10);
    world.sandbox.keys.revokeGrant(world.sourceKey, world.grant);
    world.sandbox.seconds(3600);
    expect(ended(world, copyId)).toBe(NOT_ACCESSIBLE);
  });
});

describe('the AWS managed key aws/ebs', () => {
  it('serves every principal of its account through EC2, and nobody by hand', async () => {
    const sandbox = new Ec2Sandbox();
    const managed = sandbox.keys.ebsManagedKey({ account: SOURCE, region: FROM });
    const principal = role(sandbox, [], SOURCE, `arn:aws:iam::${SOURCE}:role/anybody`);
    const own = { account: SOURCE, region: FROM, principal };
    expect(sandbox.keys.usableByEc2(own, 'alias/aws/ebs', 'snap-1')).toMatchObject({ key: { arn: managed.arn } });
    expect(sandbox.keys.may(own, managed, { operation: 'Decrypt' }).allowed).toBe(false);
    expect(sandbox.keys.may(own, managed, { operation: 'DescribeKey' }).allowed).toBe(false);
    const looker = role(sandbox, [{ Action: 'kms:DescribeKey' }], SOURCE, `arn:aws:iam::${SOURCE}:role/looker`);
    expect(sandbox.keys.may({ ...own, principal: looker }, managed, { operation: 'DescribeKey' }).allowed).toBe(true);
  });

  it('serves nobody else', async () => {
    const sandbox = new Ec2Sandbox();
    const managed = sandbox.keys.ebsManagedKey({ account: SOURCE, region: FROM });
    const principal = role(sandbox, [{ Action: 'kms:*' }]);
    for (const caller of [
      { account: TARGET, region: FROM },
      { account: TARGET, region: FROM, principal },
    ]) {
      expect(sandbox.keys.usableByEc2(caller, managed.arn, 'snap-1')).toEqual({ problem: 'hidden' });
    }
  });

  it('lets a role of its account copy to a key that can be shared, within the Region and to another', async () => {
    const sandbox = new Ec2Sandbox();
    const companion = `arn:aws:iam::${SOURCE}:role/snapshot-copier/prod-for-${TARGET}`;
    const principal = role(sandbox, [{ Action: KEY_ACTIONS }], SOURCE, companion);
    const source = await sandbox.snapshot(FROM, await sandbox.volume(FROM, 8, { Encrypted: true }));
    for (const region of [FROM, TO]) {
      const shareable = sandbox.keys.create({ account: SOURCE, region });
      const { SnapshotId } = await sandbox.as(SOURCE, region, principal).send(
        new CopySnapshotCommand({
          SourceRegion: FROM,
          SourceSnapshotId: source,
          Encrypted: true,
          KmsKeyId: shareable.arn,
        }),
      );
      sandbox.seconds(3600);
      expect(sandbox.inside(SnapshotId)).toMatchObject({ state: 'completed', kmsKeyArn: shareable.arn });
    }
  });
});

describe('a copy that has begun', () => {
  it.each<[string, (world: Shared) => unknown, string]>([
    [
      'the source’s key lets the account in no more',
      ({ sandbox, sourceKey }) => sandbox.keys.putPolicy(sourceKey, keyPolicy(SOURCE)),
      NOT_ACCESSIBLE,
    ],
    [
      'the role lost its policy',
      ({ sandbox }) => {
        sandbox.iam.removeRole(COPIER);
        role(sandbox, []);
      },
      NOT_ACCESSIBLE,
    ],
    ['the copy’s key is disabled', ({ sandbox, copyKey }) => sandbox.keys.disable(copyKey), NOT_ACCESSIBLE],
    [
      'the share was taken back',
      ({ sandbox, source }) =>
        sandbox.as(SOURCE, FROM).send(
          new ModifySnapshotAttributeCommand({
            SnapshotId: source,
            CreateVolumePermission: { Remove: [{ UserId: TARGET }] },
          }),
        ),
      NOT_FOUND,
    ],
    [
      'the source was deleted',
      ({ sandbox, source }) => sandbox.as(SOURCE, FROM).send(new DeleteSnapshotCommand({ SnapshotId: source })),
      NOT_FOUND,
    ],
    [
      'the source went to the recycle bin',
      ({ sandbox, source }) => {
        sandbox.service.keepDeleted({ account: SOURCE, region: FROM }, 7);
        return sandbox.as(SOURCE, FROM).send(new DeleteSnapshotCommand({ SnapshotId: source }));
      },
      NOT_FOUND,
    ],
  ])('fails if meanwhile %s, and not if that comes later', async (_name, happens, message) => {
    const early = await shared();
    const failing = await begin(early);
    early.sandbox.seconds(10);
    await happens(early);
    early.sandbox.seconds(3600);
    expect(ended(early, failing)).toBe(message);

    const late = await shared();
    const complete = await begin(late);
    late.sandbox.seconds(3600);
    await happens(late);
    late.sandbox.seconds(3600);
    expect(ended(late, complete)).toBe('completed');
  });

  it('from a share that has no effect yet is accepted and fails; 90 s after the share it works', async () => {
    const world = await shared(undefined, { shareVisibleAfterSeconds: 90 });
    const { sandbox } = world;
    const source = await sandbox.snapshot(FROM, world.volume);
    await sandbox.share(source, FROM);
    sandbox.seconds(89);
    const tooSoon = await begin({ ...world, source });
    sandbox.seconds(1);
    const inTime = await begin({ ...world, source });
    sandbox.seconds(3600);
    expect([ended(world, tooSoon), ended(world, inTime)]).toEqual([NOT_FOUND, 'completed']);
  });

  it('outlives the end of a share that has no effect yet', async () => {
    const world = await shared(undefined, { shareVisibleAfterSeconds: 90, copyTakesSeconds: () => 60 });
    const { sandbox, source } = world;
    const copyId = await begin(world);
    await sandbox.as(SOURCE, FROM).send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: source,
        CreateVolumePermission: { Remove: [{ UserId: TARGET }] },
      }),
    );
    sandbox.seconds(3600);
    expect(ended(world, copyId)).toBe('completed');
  });
});
