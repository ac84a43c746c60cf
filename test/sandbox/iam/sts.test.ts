import { DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { fixtureSandbox } from '../fixture-package.ts';
import { addRole, assume, client } from './assumed-role.ts';

const HOME = '000000000000';
const OTHER = '111122223333';
const MINUTE = 60_000;

const describeSnapshots = { Effect: 'Allow', Action: 'ec2:DescribeSnapshots', Resource: '*' };
const assumeAnything = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };

describe('AssumeRole', () => {
  it('gives keys of the role, which say who they are', async () => {
    const sandbox = await fixtureSandbox({});
    const keys = await assume(sandbox, addRole(sandbox, { name: 'reads', account: OTHER }), { DurationSeconds: 900 });
    expect(keys.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(keys.expiration).toEqual(new Date('2026-01-05T09:15:00Z'));
    expect(await new STSClient(client(sandbox, keys)).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: OTHER,
      Arn: `arn:aws:sts::${OTHER}:assumed-role/reads/session`,
      UserId: expect.stringMatching(/^AROA\w+:session$/),
    });
  });

  const external = { Condition: { StringEquals: { 'sts:ExternalId': 'ours' } } };

  it.each([
    ['by the account that it trusts', { Principal: { AWS: HOME } }, {}, true],
    ['by no other account', { Principal: { AWS: OTHER } }, {}, false],
    ['with the external id', { Principal: { AWS: HOME }, ...external }, { ExternalId: 'ours' }, true],
    ['with another external id', { Principal: { AWS: HOME }, ...external }, { ExternalId: 'theirs' }, false],
    ['without the external id', { Principal: { AWS: HOME }, ...external }, {}, false],
    [
      'under a name that the role does not want',
      { Principal: { AWS: HOME }, Condition: { StringLike: { 'sts:RoleSessionName': 'copier-*' } } },
      {},
      false,
    ],
    [
      'by an administrator where only roles of a path may',
      { Principal: { AWS: HOME }, Condition: { ArnLike: { 'aws:PrincipalArn': `arn:*:iam::${HOME}:role/copier/*` } } },
      {},
      false,
    ],
  ])('can be taken %s: %s', async (_, trust, input, allowed) => {
    const sandbox = await fixtureSandbox({});
    const arn = addRole(sandbox, { account: OTHER, trust });
    const taken = assume(sandbox, arn, input);
    if (allowed) await expect(taken).resolves.toMatchObject({ accessKeyId: expect.stringContaining('ASIA') });
    else {
      await expect(taken).rejects.toMatchObject({
        name: 'AccessDenied',
        message: `User: arn:aws:iam::${HOME}:root is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
        $metadata: { httpStatusCode: 403 },
      });
    }
  });

  it('needs the permission of the role that asks, in another account always', async () => {
    const sandbox = await fixtureSandbox({});
    const able = await assume(sandbox, addRole(sandbox, { name: 'able', statements: [assumeAnything] }));
    const unable = await assume(sandbox, addRole(sandbox, { name: 'unable' }));
    const roles = [
      addRole(sandbox, { name: 'elsewhere', account: OTHER }),
      addRole(sandbox, { name: 'at-home' }),
      addRole(sandbox, { name: 'by-name', trust: { Principal: { AWS: `arn:aws:iam::${HOME}:role/unable` } } }),
    ];
    const taken = (keys: typeof able) =>
      Promise.all(
        roles.map((arn) =>
          assume(sandbox, arn, {}, keys).then(
            () => true,
            () => false,
          ),
        ),
      );
    expect(await taken(able)).toEqual([true, true, false]);
    expect(await taken(unable)).toEqual([false, false, true]);
  });

  it.each([
    ['shorter than 15 minutes', { DurationSeconds: 899 }, 'ValidationError'],
    ['longer than the role allows', { DurationSeconds: 7201 }, 'ValidationError'],
    ['without a name of two characters', { RoleSessionName: 'x' }, 'ValidationError'],
    ['under a name with a space', { RoleSessionName: 'my session' }, 'ValidationError'],
    ['with an external id of one character', { ExternalId: 'x' }, 'ValidationError'],
    ['with a policy that is none', { Policy: '{"Version":"2012-10-17","Statement":[{}]}' }, 'MalformedPolicyDocument'],
    ['of what is no role', { RoleArn: `arn:aws:iam::${OTHER}:user/x` }, 'ValidationError'],
    ['of a role that is not there', { RoleArn: `arn:aws:iam::${OTHER}:role/gone` }, 'AccessDenied'],
    ['with what the sandbox does not have', { Tags: [{ Key: 'a', Value: 'b' }] }, 'ValidationError'],
  ])('refuses a session %s', async (_, wrong, code) => {
    const sandbox = await fixtureSandbox({});
    const RoleArn = addRole(sandbox, { account: OTHER, maxSessionSeconds: 7200 });
    const sts = new STSClient(client(sandbox));
    const input = { RoleArn, RoleSessionName: 'session', ...wrong };
    const sent = sts.send(new AssumeRoleCommand(input));
    await expect(sent).rejects.toMatchObject({ Error: expect.objectContaining({ Code: code }) });
  });

  it('gives a role that takes a role an hour at most', async () => {
    const sandbox = await fixtureSandbox({});
    const first = await assume(sandbox, addRole(sandbox, { name: 'first', statements: [assumeAnything] }));
    const second = addRole(sandbox, { name: 'second', account: OTHER, maxSessionSeconds: 7200 });
    await expect(assume(sandbox, second, { DurationSeconds: 7200 })).resolves.toBeDefined();
    await expect(assume(sandbox, second, { DurationSeconds: 3601 }, first)).rejects.toThrow(/1 hour session limit/);
    await expect(assume(sandbox, second, { DurationSeconds: 3600 }, first)).resolves.toBeDefined();
  });
});

describe('keys of a session', () => {
  it('are of use until they expire, and not a second longer', async () => {
    const sandbox = await fixtureSandbox({});
    const keys = await assume(sandbox, addRole(sandbox, { statements: [describeSnapshots] }), { DurationSeconds: 900 });
    const look = () => new EC2Client(client(sandbox, keys)).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    await sandbox.advance(15 * MINUTE - 1);
    expect((await look()).Snapshots).toEqual([]);
    await sandbox.advance(1);
    await expect(look()).rejects.toMatchObject({ name: 'RequestExpired' });
    const sts = new STSClient(client(sandbox, keys));
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: 'ExpiredToken' });
    const states = new SFNClient(client(sandbox, keys));
    await expect(states.send(new ListStateMachinesCommand({}))).rejects.toMatchObject({
      name: 'ExpiredTokenException',
    });
  });

  it('are of no use with the token of another session, or without', async () => {
    const sandbox = await fixtureSandbox({});
    const arn = addRole(sandbox, { statements: [describeSnapshots] });
    const [one, other] = await Promise.all([assume(sandbox, arn), assume(sandbox, arn)]);
    const look = (sessionToken: string) =>
      new EC2Client(client(sandbox, { ...one, sessionToken })).send(new DescribeSnapshotsCommand({}));
    for (const token of [other.sessionToken, '']) {
      await expect(look(token)).rejects.toMatchObject({ name: 'AuthFailure', $metadata: { httpStatusCode: 401 } });
    }
    await expect(look(one.sessionToken)).resolves.toBeDefined();
  });

  it('may do no more than the policy that the session was asked for with', async () => {
    const sandbox = await fixtureSandbox({});
    const inRegion = (region: string) => ({
      ...describeSnapshots,
      Condition: { StringEquals: { 'ec2:Region': region } },
    });
    const arn = addRole(sandbox, { statements: [describeSnapshots] });
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [inRegion('eu-west-1')] });
    const keys = await assume(sandbox, arn, { Policy });
    const look = (region: string) =>
      new EC2Client(client(sandbox, keys, region)).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    await expect(look('eu-west-1')).resolves.toBeDefined();
    await expect(look('eu-central-1')).rejects.toThrow(
      /because no session policy allows the ec2:DescribeSnapshots action/,
    );
  });
});
