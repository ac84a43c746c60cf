import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parsePolicy } from '../../sandbox/iam/policy-document.ts';
import type { KmsKey } from '../../sandbox/kms/key.ts';
import { KEY_ACTIONS } from '../support/key-actions.ts';
import { HOME, newAccounts, ORDERS } from './accounts/world.ts';
import { FRANKFURT, newWorld, PARTNER, SOURCE_REGION, type World } from './world.ts';

const THIRD = '222233334444';

const root = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` });
const owner = (account: string) => ({ Effect: 'Allow', Principal: root(account), Action: 'kms:*', Resource: '*' });

const policyOf = (...statements: readonly unknown[]) => JSON.stringify({ Statement: statements });

/** A snapshot of the partner under a key of its own, which rule shared-with-us copies to Frankfurt; not yet shared. */
async function partnersSnapshot(
  world: World,
  policy?: string,
  key = world.sandbox.keys.create({ account: PARTNER, region: SOURCE_REGION, ...(policy && { policy }) }),
): Promise<{ source: string; key: KmsKey }> {
  const ec2 = world.ec2(SOURCE_REGION, PARTNER);
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: 8, Encrypted: true, KmsKeyId: key.arn }),
  );
  const { SnapshotId: source = '' } = await ec2.send(
    new CreateSnapshotCommand({ VolumeId, Description: 'Created by the partner' }),
  );
  await world.pass('1 min');
  return { source, key };
}

async function share(world: World, source: string, OperationType: 'add' | 'remove' = 'add'): Promise<void> {
  await world.ec2(SOURCE_REGION, PARTNER).send(
    new ModifySnapshotAttributeCommand({
      SnapshotId: source,
      Attribute: 'createVolumePermission',
      OperationType,
      UserIds: [world.sandbox.home.account],
    }),
  );
}

/** The statements that the alert prints for the policy of a key, as somebody pastes them. */
function statementsFor(key: string, alert: string): readonly unknown[] {
  const step = alert.split(/\n(?= {2}\d\. )/).filter((text) => text.includes('"Sid"') && text.includes(key));
  const json = /^ +\{ "Sid"[\s\S]+?[\]}] \}$(?![\s\S]*\{ "Sid")/m.exec(step[0] ?? '')?.[0];
  return z.array(z.unknown()).parse(JSON.parse(`[${json}]`));
}

async function theAlert(world: World): Promise<string> {
  const alerts = await world.alerts();
  expect(alerts).toMatchObject([{ attributes: { reason: 'KeyNotAccessible' } }]);
  return alerts[0]?.body ?? '';
}

/** The account itself, without the wide door: so it may administer the key, and use it for these actions alone. */
function allowing(account: string, actions: readonly string[]) {
  const administration = ['kms:GetKeyPolicy', 'kms:ListGrants', 'kms:PutKeyPolicy'];
  return { ...owner(account), Action: [...administration, ...actions] };
}

/** Keys that the alert tells somebody to change. */
function keysToChange(alert: string): readonly string[] {
  return [...alert.matchAll(/^ +aws kms get-key-policy [^\n]+\\\n +--key-id (\S+) > key-policy/gm)].map(
    ([, key = '']) => key,
  );
}

/** What the alert says that it means. */
const meaningIn = (alert: string) => inOneLine(/WHAT IT MEANS\n([\s\S]+?)\n\n/.exec(alert)?.[1] ?? '').trim();

const inOneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

/** The statement that gives an action. */
const SID = (action: string) =>
  action === 'kms:CreateGrant' ? 'Grants' : action === 'kms:DescribeKey' ? 'Look' : 'Use';

describe('a copy that EC2 accepts, and that fails because the policy of a key lacks one permission,', () => {
  const less = (action: string) => KEY_ACTIONS.filter((each) => each !== action);

  async function alertFor(world: World, source: string): Promise<string> {
    const found = (await world.alerts()).filter(({ attributes }) => attributes['sourceSnapshot'] === source);
    expect(found).toMatchObject([{ attributes: { reason: 'KeyNotAccessible' } }]);
    return found[0]?.body ?? '';
  }

  /** The alert has to begin with that key and that action and to have one statement, which is put into the policy. */
  async function mend(world: World, source: string, key: KmsKey, of: 'source' | 'copy', action: string): Promise<void> {
    const alert = await alertFor(world, source);
    const [first = '', second = ''] = meaningIn(alert).split(
      `, in account ${key.account}, ${key.region}, does not let the role `,
    );
    expect(first).toMatch(new RegExp(`^The policy of the key of the ${of}, (\\S+, which is )?${key.arn}$`));
    const role = `arn:aws:iam::${world.sandbox.home.account}:role/\\S+`;
    expect(second).toMatch(new RegExp(`^${role} do ${action}, and no grant of the key does\\. `));
    expect(keysToChange(alert)).toEqual([key.arn]);
    const statements = statementsFor(key.arn, alert);
    expect(statements).toMatchObject([
      { Sid: `SnapshotCopier${SID(action)}`, Action: expect.arrayContaining([action]) },
    ]);
    const { Statement } = z.object({ Statement: z.array(z.unknown()) }).parse(JSON.parse(key.policy));
    world.sandbox.keys.putPolicy(key, policyOf(...Statement, ...statements));
    await world.startAgain(`${source}-${SOURCE_REGION}-1`);
  }

  /** Sources that are copied within their Region, each under a key of its own that lacks one permission. */
  async function mendSources(world: World, account: string, tag: string, policy: (action: string) => string) {
    const made: [string, KmsKey, string][] = [];
    for (const action of KEY_ACTIONS) {
      const key = world.sandbox.keys.create({ account, region: SOURCE_REGION });
      const { VolumeId: volumeId = '' } = await world.ec2(SOURCE_REGION, account).send(
        new CreateVolumeCommand({
          AvailabilityZone: `${SOURCE_REGION}a`,
          Size: 8,
          Encrypted: true,
          KmsKeyId: key.arn,
        }),
      );
      made.push([await world.startSnapshot({ Backup: tag }, { volumeId, account }), key, action]);
      world.sandbox.keys.putPolicy(key, policy(action));
    }
    await world.pass('1 h');
    for (const [source, key, action] of made) await mend(world, source, key, 'source', action);
    await world.pass('1 h');
    expect(await world.alerts()).toHaveLength(KEY_ACTIONS.length);
    const copied = world.sandbox.ec2.snapshots({ account: world.sandbox.home.account, region: SOURCE_REGION });
    expect(
      made.map(([source]) => copied.filter(({ copy }) => copy?.sourceSnapshotId === source).map(({ state }) => state)),
    ).toEqual(KEY_ACTIONS.map(() => ['completed']));
  }

  it('has an alert with that key, that permission and the statement that mends it: the key of the copy', async () => {
    const world = await newWorld();
    const { home, keys } = world.sandbox;
    const key = keys.find({ account: home.account, region: SOURCE_REGION }, 'alias/dr-copies');
    if (key === undefined) throw new Error('The world has no key.');
    // Without DescribeKey of it, EC2 refuses the call.
    for (const action of less('kms:DescribeKey')) {
      keys.putPolicy(key, policyOf(allowing(home.account, less(action))));
      const source = await world.snapshot({ Backup: 're-encrypt' });
      await world.pass('30 min');
      await mend(world, source, key, 'copy', action);
      await world.pass('30 min');
      expect(world.copies(source)).toMatchObject([{ state: 'completed', kmsKeyArn: key.arn }]);
    }
  });

  it('the key of a source of its own account', async () => {
    const world = await newWorld();
    const { account } = world.sandbox.home;
    await mendSources(world, account, 're-encrypt', (action) => policyOf(allowing(account, less(action))));
  });

  it('the key of a source in an account with the companion', async () => {
    const world = await newAccounts();
    await mendSources(world, ORDERS, 'in-place', (action) =>
      policyOf(owner(ORDERS), { ...owner(ORDERS), Principal: root(HOME), Action: less(action) }),
    );
  });

  it('the key of a source in an account without it: then only what KMS shows is known', async () => {
    const world = await newWorld();
    const { account } = world.sandbox.home;
    const letIn = { ...owner(PARTNER), Principal: root(account), Action: less('kms:CreateGrant') };
    const { source, key } = await partnersSnapshot(world, policyOf(owner(PARTNER), letIn));
    await share(world, source);
    await world.pass('1 h');
    const alert = await theAlert(world);
    expect(meaningIn(alert)).toContain(
      `The key of the source, ${key.arn}, in account ${PARTNER}, ${SOURCE_REGION}, is enabled; what else its policy allows could not be looked at: only account ${PARTNER} can read its policy.`,
    );
    expect(meaningIn(alert)).toContain(
      `So it is one of these: the policy of the source's key, account ${PARTNER}, ${SOURCE_REGION}, lacks SnapshotCopierUse or SnapshotCopierGrants; `,
    );
    expect(keysToChange(alert)[0]).toBe(key.arn);
  });
});

describe('a copy whose source is under a key of an account that no rule names', () => {
  it('fails for want of the role’s own policy, and the alert has its statements', async () => {
    const world = await newWorld();
    const { home, keys, iam } = world.sandbox;
    const key = keys.create({ account: THIRD, region: SOURCE_REGION, usableBy: [PARTNER, home.account] });
    const { source } = await partnersSnapshot(world, undefined, key);
    await share(world, source);
    await world.pass('1 h');
    const alert = await theAlert(world);
    expect(meaningIn(alert)).toMatch(/^The role's own policy does not let the role \S+ use the key of the source, /);
    expect(meaningIn(alert)).toContain(`${key.arn}, in account ${THIRD}, ${SOURCE_REGION}: no rule`);
    expect(inOneLine(alert)).toContain(`name account ${THIRD} under owners of the rule, and deploy`);
    expect(keysToChange(alert)).toEqual([]);

    const arn = /does not let the role (\S+) use/.exec(meaningIn(alert))?.[1] ?? '';
    const role = iam.role(arn);
    if (role === undefined) throw new Error(`There is no role ${arn}`);
    const Statement = statementsFor(key.arn, alert);
    const added = parsePolicy('identity', { Version: '2012-10-17', Statement }, 'added');
    iam.removeRole(arn);
    iam.addRole({ ...role, policies: [...role.policies, added] });
    await world.startAgain(`${source}-${FRANKFURT}-1`);
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
  });
});

describe('a copy that fails for want of a key, when nobody can look', () => {
  it('has an alert all the same, with all that it can be and why it is not known', async () => {
    const world = await newWorld();
    const { home, keys } = world.sandbox;
    const { source, key } = await partnersSnapshot(world);
    keys.putPolicy(key, policyOf(owner(PARTNER)));
    await fetch(`${world.sandbox.endpoint}/_sandbox/faults`, {
      method: 'POST',
      body: JSON.stringify({
        service: 'kms',
        kind: 'error',
        action: 'DescribeKey',
        code: 'KMSInternalException',
        times: 100,
      }),
    });
    await share(world, source);
    await world.pass('1 h');
    const alert = await theAlert(world);
    expect(meaningIn(alert)).toMatch(
      /The key of the source, \S+, in account \d+, eu-west-1, could not be looked at: KMS/,
    );
    expect(meaningIn(alert)).toContain('So it is one of these: ');
    expect(statementsFor(key.arn, alert)).toHaveLength(3);
    expect(home.account).not.toBe(key.account);
  });
});

describe('a snapshot that another account shares, under a key that does not let the copier in,', () => {
  it('has an alert whose statements, put into that key’s policy, are all that was missing', async () => {
    const world = await newWorld();
    const { source, key } = await partnersSnapshot(world);
    await share(world, source);
    await world.pass('1 h');
    const alert = await theAlert(world);
    expect(meaningIn(alert)).toContain(
      `the key of the source, ${key.arn}, in account ${PARTNER}, ${SOURCE_REGION}, and says that the policy of the key does not allow it: kms:DescribeKey is missing there, and most likely all else. That is a sign and no proof`,
    );
    expect(alert).toContain(`only account ${PARTNER} can change it`);

    world.sandbox.keys.putPolicy(key, policyOf(owner(PARTNER), ...statementsFor(key.arn, alert)));
    await world.startAgain(`${source}-${FRANKFURT}-1`);
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
  });

  it('fails for want of any one permission, and only the one that has them all is copied', async () => {
    const world = await newWorld();
    const sources: string[] = [];
    for (const missing of [...KEY_ACTIONS, 'none']) {
      const most = KEY_ACTIONS.filter((action) => action !== missing);
      const letIn = { ...owner(PARTNER), Principal: root(world.sandbox.home.account), Action: most };
      const { source } = await partnersSnapshot(world, policyOf(owner(PARTNER), letIn));
      await share(world, source);
      sources.push(source);
    }
    await world.pass('1 h');
    const ended = sources.map((source) => world.copies(source, FRANKFURT).map(({ state }) => state));
    expect(ended).toEqual([...KEY_ACTIONS.map(() => []), ['completed']]);
    expect(await world.reasons()).toEqual(KEY_ACTIONS.map(() => 'KeyNotAccessible'));
  });
});

describe('a key for copies that does not let the copier in', () => {
  it('is refused at once, and the alert says which permission and has the statements', async () => {
    const world = await newWorld();
    const { home, keys } = world.sandbox;
    const key = keys.find({ account: home.account, region: SOURCE_REGION }, 'alias/dr-copies');
    if (key === undefined) throw new Error('The world has no key.');
    const closed = { ...owner(home.account), Principal: { AWS: `arn:aws:iam::${home.account}:role/admin` } };
    keys.putPolicy(key, policyOf(closed));
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const alert = await theAlert(world);
    expect(alert.replaceAll(/\s+/g, ' ')).toContain(
      'kms:DescribeKey of alias/dr-copies is missing, in the policy of that key',
    );
    expect(world.copies(source)).toEqual([]);

    keys.putPolicy(key, policyOf(closed, ...statementsFor('alias/dr-copies', alert)));
    await world.startAgain(`${source}-${SOURCE_REGION}-1`);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', kmsKeyArn: key.arn }]);
  });
});

describe('a copy that has begun', () => {
  it.each<[string, string, (world: World, source: string, key: KmsKey) => unknown]>([
    ['the source’s key is disabled', 'KeyNotAccessible', (world, _, key) => world.sandbox.keys.disable(key)],
    [
      'the source’s key is closed again',
      'KeyNotAccessible',
      (world, _, key) => world.sandbox.keys.putPolicy(key, policyOf(owner(PARTNER))),
    ],
    ['the share is taken back', 'SourceGone', (world, source) => share(world, source, 'remove')],
    [
      'the source is deleted',
      'SourceGone',
      (world, source) => world.ec2(SOURCE_REGION, PARTNER).send(new DeleteSnapshotCommand({ SnapshotId: source })),
    ],
  ])('fails with a clear alert if meanwhile %s', async (_name, reason, happens) => {
    const world = await newWorld();
    const { source, key } = await partnersSnapshot(
      world,
      policyOf(owner(PARTNER), { ...owner(PARTNER), Principal: root(world.sandbox.home.account), Action: KEY_ACTIONS }),
    );
    await share(world, source);
    await world.pass('3 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'pending' }]);
    await happens(world, source, key);
    await world.pass('1 h');
    expect(await world.reasons()).toEqual([reason]);
    expect(world.copies(source)).toEqual([]);
  });
});
