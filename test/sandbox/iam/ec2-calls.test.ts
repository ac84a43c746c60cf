import {
  CopySnapshotCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DescribeSnapshotsCommand,
  type EC2Client,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../sandbox/ec2/actions/all.ts';
import { type Ec2Facts, ec2Calls } from '../../../sandbox/iam/calls/ec2.ts';
import { Guard } from '../../../sandbox/iam/guard.ts';
import { checkCall } from '../../../sandbox/iam/service-reference.ts';
import { Ec2Sandbox, SOURCE, TARGET } from '../../support/ec2-sandbox.ts';
import { policy } from './cases.ts';

const WEST = 'eu-west-1';
const CENTRAL = 'eu-central-1';

/** EC2 as the session of a role with these statements sees it, and a snapshot that the source account has shared. */
async function asRole(
  statements: readonly unknown[],
  account = TARGET,
): Promise<{
  readonly ec2: (region?: string) => EC2Client;
  readonly world: Ec2Sandbox;
  readonly source: string;
}> {
  let guard: Guard | undefined;
  const world = new Ec2Sandbox({ authorize: (request) => guard?.ec2(request) });
  guard = new Guard({ iam: world.iam, policies: { of: () => undefined } });
  world.iam.addRole({
    arn: `arn:aws:iam::${account}:role/copier`,
    account,
    stack: 'test',
    logicalId: 'CopierRole',
    trust: policy('trust', { Effect: 'Allow', Principal: { AWS: TARGET }, Action: 'sts:AssumeRole' }),
    policies: [policy('identity', ...statements)],
  });
  const roleArn = `arn:aws:iam::${account}:role/copier`;
  const session = { account, arn: `arn:aws:sts::${account}:assumed-role/copier/run`, roleArn };
  const source = await world.snapshot(WEST);
  await world.share(source, WEST);
  return { ec2: (region = WEST) => world.as(account, region, session), world, source };
}

const fromSource = (Condition?: unknown) => ({
  Effect: 'Allow',
  Action: 'ec2:CopySnapshot',
  Resource: `arn:aws:ec2:${WEST}:*:snapshot/snap-*`,
  ...(Condition !== undefined && { Condition }),
});
const intoCopy = (Condition?: unknown) => ({
  ...fromSource(Condition),
  Resource: `arn:aws:ec2:${CENTRAL}:*:snapshot/\${*}`,
});
const tagCopies = {
  Effect: 'Allow',
  Action: 'ec2:CreateTags',
  Resource: `arn:aws:ec2:${CENTRAL}:*:snapshot/*`,
  Condition: { StringEquals: { 'ec2:CreateAction': 'CopySnapshot' } },
};

describe('CopySnapshot', () => {
  const copy = async (statements: readonly unknown[], tags: Readonly<Record<string, string>> = {}) => {
    const { ec2, source } = await asRole(statements);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    return ec2(CENTRAL).send(
      new CopySnapshotCommand({
        SourceRegion: WEST,
        SourceSnapshotId: source,
        ...(Tags.length > 0 && { TagSpecifications: [{ ResourceType: 'snapshot', Tags }] }),
      }),
    );
  };
  const managed = { StringEquals: { 'aws:RequestTag/managed': 'us' } };

  it.each([
    ['may be done with a permission for the source and one for the copy', [fromSource(), intoCopy()], {}],
    ['may be done with one for all snapshots', [{ ...fromSource(), Resource: 'arn:aws:ec2:*:*:snapshot/*' }], {}],
    ['knows the owner of the source', [fromSource({ StringEquals: { 'ec2:Owner': SOURCE } }), intoCopy()], {}],
    ['knows the size of the source', [fromSource({ NumericLessThan: { 'ec2:VolumeSize': '101' } }), intoCopy()], {}],
    ['knows the tags of the copy', [fromSource(), intoCopy(managed), tagCopies], { managed: 'us' }],
  ])('%s', async (_, statements, tags) => {
    await expect(copy(statements, tags)).resolves.toMatchObject({ SnapshotId: expect.stringMatching(/^snap-/) });
  });

  const source = /snapshot\/snap-\w+ because/;
  const made = /on resource: arn:aws:ec2:eu-central-1::snapshot\/\* because/;
  it.each([
    ['without a permission for the source', [intoCopy()], {}, source],
    ['without a permission for the copy', [fromSource()], {}, made],
    ['of another owner', [fromSource({ StringEquals: { 'ec2:Owner': TARGET } }), intoCopy()], {}, source],
    ['without the tag that the copy must have', [fromSource(), intoCopy(managed)], {}, made],
    ['with tags, without the permission to tag', [fromSource(), intoCopy()], { managed: 'us' }, /ec2:CreateTags/],
    // The owner is the source's alone, and the tags are the copy's.
    ['whose copy should have an owner', [fromSource(), intoCopy({ StringEquals: { 'ec2:Owner': SOURCE } })], {}, made],
    ['whose source should have a tag', [fromSource(managed), intoCopy(), tagCopies], { managed: 'us' }, source],
  ])('is refused %s', async (_, statements, tags, on) => {
    await expect(copy(statements, tags)).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
      message: expect.stringMatching(on),
    });
  });
});

describe('a snapshot of the own account', () => {
  const onSnapshots = (Action: string, Condition: unknown) => ({
    Effect: 'Allow',
    Action,
    Resource: `arn:aws:ec2:${WEST}:*:snapshot/snap-*`,
    Condition,
  });

  async function own(statements: readonly unknown[], tags: Readonly<Record<string, string>> = {}) {
    const { ec2, world, source: SnapshotId } = await asRole(statements, SOURCE);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    if (Tags.length > 0) {
      await world.as(SOURCE, WEST).send(new CreateTagsCommand({ Resources: [SnapshotId], Tags }));
    }
    return { ec2: ec2(), SnapshotId };
  }

  it.each([
    ['to the account that the policy names', { Add: [{ UserId: TARGET }] }, true],
    ['to another account', { Add: [{ UserId: '999988887777' }] }, false],
    ['to both', { Add: [{ UserId: TARGET }, { UserId: '999988887777' }] }, false],
    ['to everybody', { Add: [{ Group: 'all' as const }] }, false],
    ['back from the account', { Remove: [{ UserId: TARGET }] }, true],
    ['back from another account', { Remove: [{ UserId: '999988887777' }] }, false],
  ])('is given %s: %s', async (_, CreateVolumePermission, allowed) => {
    const { ec2, SnapshotId } = await own([
      onSnapshots('ec2:ModifySnapshotAttribute', {
        'ForAllValues:StringEquals': { 'ec2:Add/userId': TARGET },
        Null: { 'ec2:Add/userId': 'false', 'ec2:Remove/userId': 'true', 'ec2:Remove/group': 'true' },
      }),
      onSnapshots('ec2:ModifySnapshotAttribute', {
        'ForAllValues:StringEquals': { 'ec2:Remove/userId': TARGET },
        Null: { 'ec2:Remove/userId': 'false', 'ec2:Add/userId': 'true', 'ec2:Add/group': 'true' },
      }),
    ]);
    const changed = ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId,
        Attribute: 'createVolumePermission',
        CreateVolumePermission,
      }),
    );
    if (allowed) await expect(changed).resolves.toBeDefined();
    else await expect(changed).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  });

  const onlyOurTags = {
    'ForAllValues:StringLike': { 'aws:TagKeys': 'snapshot-copier:*' },
    Null: { 'aws:TagKeys': 'false' },
  };

  it.each([
    [[{ Key: 'snapshot-copier:mark', Value: '1' }], true],
    [[{ Key: 'Name', Value: '1' }], false],
    [
      [
        { Key: 'snapshot-copier:mark', Value: '1' },
        { Key: 'Name', Value: '1' },
      ],
      false,
    ],
  ])('gets and loses the tags %j: %s', async (Tags, allowed) => {
    const { ec2, SnapshotId } = await own([
      onSnapshots('ec2:CreateTags', onlyOurTags),
      onSnapshots('ec2:DeleteTags', onlyOurTags),
    ]);
    for (const command of [
      new CreateTagsCommand({ Resources: [SnapshotId], Tags }),
      new DeleteTagsCommand({ Resources: [SnapshotId], Tags }),
    ]) {
      const changed = command instanceof CreateTagsCommand ? ec2.send(command) : ec2.send(command);
      if (allowed) await expect(changed).resolves.toBeDefined();
      else await expect(changed).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
    }
  });

  it('does not lose all its tags where only some may be touched', async () => {
    const { ec2, SnapshotId } = await own([onSnapshots('ec2:DeleteTags', onlyOurTags)], { Name: 'x' });
    await expect(ec2.send(new DeleteTagsCommand({ Resources: [SnapshotId] }))).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
    });
  });

  it.each([
    [{ managed: 'us' }, true],
    [{ managed: 'them' }, false],
    [{}, false],
  ])('with tags %j is deleted: %s', async (tags, allowed) => {
    const ours = onSnapshots('ec2:DeleteSnapshot', { StringEquals: { 'aws:ResourceTag/managed': 'us' } });
    const { ec2, SnapshotId } = await own([ours], tags);
    const deleted = ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
    if (allowed) await expect(deleted).resolves.toBeDefined();
    else await expect(deleted).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  });
});

it('DescribeSnapshots knows the Region, and no resources', async () => {
  const look = { Effect: 'Allow', Action: 'ec2:DescribeSnapshots', Resource: '*' };
  const inWest = { ...look, Condition: { StringEquals: { 'ec2:Region': WEST } } };
  const all = new DescribeSnapshotsCommand({ OwnerIds: ['self'] });
  const { ec2 } = await asRole([inWest]);
  await expect(ec2(WEST).send(all)).resolves.toBeDefined();
  await expect(ec2(CENTRAL).send(all)).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  const named = await asRole([{ ...look, Resource: `arn:aws:ec2:*:*:snapshot/*` }]);
  await expect(named.ec2(WEST).send(all)).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
});

describe('every action that the sandbox has', () => {
  const facts: Ec2Facts = {
    snapshot: () => ({
      owner: SOURCE,
      startedAt: 0,
      sizeGiB: 8,
      encrypted: true,
      volumeId: 'vol-1',
      tags: new Map([['a', 'b']]),
    }),
    volume: () => ({
      zone: 'eu-west-1a',
      sizeGiB: 8,
      type: 'gp3',
      encrypted: true,
      snapshotId: 'snap-1',
      tags: new Map([['a', 'b']]),
    }),
  };
  const tag = { 1: { Key: 'k', Value: 'v' } };
  const tree = {
    SnapshotId: 'snap-1',
    SourceSnapshotId: 'snap-1',
    SourceRegion: WEST,
    VolumeId: 'vol-1',
    InstanceId: 'i-1',
    InstanceSpecification: { InstanceId: 'i-1' },
    ResourceId: { 1: 'snap-1', 2: 'vol-1' },
    Tag: tag,
    TagSpecification: { 1: { ResourceType: 'snapshot', Tag: tag } },
    LockDuration: '1',
    CoolOffPeriod: '1',
    CreateVolumePermission: { Add: { 1: { UserId: SOURCE } } },
  };

  it.each([...ACTIONS.keys()])('%s needs permissions that the reference has', (name) => {
    const calls = ec2Calls(name, { account: TARGET, region: WEST }, tree, facts);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.map(({ action }) => action)).toContain(`ec2:${name}`);
    for (const call of calls) expect(() => checkCall(call)).not.toThrow();
  });

  it('that adds some accounts and removes others has both in its context', () => {
    const CreateVolumePermission = {
      Add: { 1: { UserId: SOURCE }, 2: { UserId: TARGET } },
      Remove: { 1: { Group: 'all' } },
    };
    const change = { SnapshotId: 'snap-1', CreateVolumePermission };
    const [call] = ec2Calls('ModifySnapshotAttribute', { account: TARGET, region: WEST }, change, facts);
    expect(call?.context).toMatchObject({ 'ec2:Add/userId': [SOURCE, TARGET], 'ec2:Remove/group': ['all'] });
    expect(call?.context).not.toHaveProperty(['ec2:Remove/userId']);
  });

  it('is described, or the sandbox says that it cannot', () => {
    expect(() => ec2Calls('RunInstances', { account: TARGET, region: WEST }, {}, facts)).toThrow(
      'the sandbox cannot say what permission ec2:RunInstances needs',
    );
  });
});
