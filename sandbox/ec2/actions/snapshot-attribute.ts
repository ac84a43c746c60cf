import * as z from 'zod';
import { ACCOUNT_ID_PATTERN } from '../../accounts.ts';
import { action, DONE, type Ec2Action } from '../action.ts';
import { Ec2Error, invalidCombination, invalidValue, notPermitted } from '../ec2-error.ts';
import { listOf, text } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import { isInEffect, type Share, type Snapshot } from '../snapshot.ts';
import type { Ec2World } from '../world.ts';
import { items } from '../xml.ts';

const permissions = listOf(z.strictObject({ UserId: text.optional(), Group: text.optional() }));

const modifyParameters = {
  SnapshotId: text,
  Attribute: text.optional(),
  OperationType: text.optional(),
  UserId: listOf(text),
  UserGroup: listOf(text),
  CreateVolumePermission: z.strictObject({ Add: permissions, Remove: permissions }).optional(),
};

type ModifyInput = z.output<z.ZodObject<typeof modifyParameters>>;

/** What changes: to whom a permission is given, or from whom it is taken. */
interface Change {
  readonly grant: boolean;
  readonly accounts: readonly string[];
  readonly groups: readonly string[];
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html */
const MAX_CHANGES = 500;

/**
 * Shares a snapshot or ends that: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
 * Each account that is given the snapshot has a shareSnapshot event in the snapshot's Region; the public has none.
 */
export const modifySnapshotAttribute: Ec2Action = action({
  name: 'ModifySnapshotAttribute',
  parameters: modifyParameters,
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    checkChange(readChange(input));
  },
  run: (world, caller, input) => {
    const snapshot = world.ownSnapshot(caller, input.SnapshotId);
    const change = readChange(input);
    if (change.grant) checkSharable(world, snapshot, change);
    if (change.groups.length > 0) snapshot.publicShare = changed(world, snapshot.publicShare, change.grant);
    for (const account of new Set(change.accounts)) {
      if (account === snapshot.account) continue;
      const before = snapshot.shares.get(account);
      snapshot.shares.set(account, changed(world, before, change.grant));
      if (!change.grant || before?.granted === true) continue;
      world.after(0, () => world.events.shareSnapshot(snapshot, account));
    }
    return DONE;
  },
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetSnapshotAttribute.html */
export const resetSnapshotAttribute: Ec2Action = action({
  name: 'ResetSnapshotAttribute',
  parameters: { SnapshotId: text, Attribute: text },
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    if (input.Attribute !== 'createVolumePermission') throw unknownAttribute(input.Attribute);
  },
  run: (world, caller, input) => {
    const snapshot = world.ownSnapshot(caller, input.SnapshotId);
    for (const [account, share] of snapshot.shares) snapshot.shares.set(account, changed(world, share, false));
    snapshot.publicShare = changed(world, snapshot.publicShare, false);
    return DONE;
  },
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotAttribute.html */
export const describeSnapshotAttribute: Ec2Action = action({
  name: 'DescribeSnapshotAttribute',
  parameters: { SnapshotId: text, Attribute: text },
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    if (!['createVolumePermission', 'productCodes'].includes(input.Attribute)) throw unknownAttribute(input.Attribute);
  },
  run: (world, caller, { SnapshotId, Attribute }) => {
    const snapshot = world.ownSnapshot(caller, SnapshotId);
    if (Attribute === 'productCodes') return { snapshotId: SnapshotId, productCodes: items([]) };
    const accounts = [...snapshot.shares].filter(([, share]) => share.granted).map(([userId]) => ({ userId }));
    const everybody = snapshot.publicShare?.granted === true ? [{ group: 'all' }] : [];
    return { snapshotId: SnapshotId, createVolumePermission: items([...everybody, ...accounts]) };
  },
});

/** Reads both forms: CreateVolumePermission.Add/.Remove, or Attribute with OperationType. */
function readChange(input: ModifyInput): Change {
  const { Add = [], Remove = [] } = input.CreateVolumePermission ?? {};
  if (Add.length > 0 && Remove.length > 0) {
    throw invalidCombination('One and only one operation type may be specified for createVolumePermissions');
  }
  if (Add.length > 0 || Remove.length > 0) {
    const list = [...Add, ...Remove];
    return {
      grant: Add.length > 0,
      accounts: list.flatMap(({ UserId }) => UserId ?? []),
      groups: list.flatMap(({ Group }) => Group ?? []),
    };
  }
  if (input.Attribute === undefined) throw invalidCombination('No attributes specified.');
  if (input.Attribute !== 'createVolumePermission') throw unknownAttribute(input.Attribute);
  if (input.OperationType !== 'add' && input.OperationType !== 'remove') {
    throw invalidCombination('No operation specified for createVolumePermission attribute.');
  }
  return { grant: input.OperationType === 'add', accounts: input.UserId, groups: input.UserGroup };
}

function checkChange({ accounts, groups }: Change): void {
  if (accounts.length + groups.length > MAX_CHANGES) {
    throw invalidValue(`Modification size must not be greater than ${MAX_CHANGES}.`);
  }
  const account = accounts.find((id) => !ACCOUNT_ID_PATTERN.test(id));
  if (account !== undefined) throw new Ec2Error('InvalidAMIAttributeItemValue', `UserId (${account}) is invalid.`);
  const group = groups.find((name) => name !== 'all');
  if (group !== undefined) throw new Ec2Error('InvalidAMIAttributeItemValue', `UserGroup (${group}) is invalid.`);
}

/**
 * What is encrypted cannot be public, and what is encrypted under the AWS managed key cannot be shared at all:
 * https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 * A snapshot on an Outpost cannot be shared: https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html
 * An archived one neither: https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html
 */
function checkSharable(world: Ec2World, snapshot: Snapshot, { groups }: Change): void {
  if (snapshot.outpostArn !== undefined) throw notPermitted('Snapshots on Outposts cannot be shared');
  if (snapshot.storageTier === 'archive') throw notPermitted('Archived snapshots cannot be shared');
  if (snapshot.kmsKeyArn === undefined) return;
  if (groups.length > 0) throw notPermitted('Encrypted snapshots cannot be shared publicly.');
  if (world.settings.keys.find(snapshot, snapshot.kmsKeyArn)?.manager === 'AWS') {
    throw notPermitted('Encrypted snapshots with EBS default key cannot be shared');
  }
}

/** A change takes a while to have effect (third-party report). What has no effect yet can be taken back at once. */
function changed(world: Ec2World, before: Share | undefined, granted: boolean): Share {
  const { now } = world;
  if (before?.granted === granted) return before;
  const delayMs = isInEffect(before, now) === granted ? 0 : world.settings.shareVisibleAfterSeconds * 1000;
  return { granted, effectiveAt: now + delayMs };
}

function unknownAttribute(name: string): Ec2Error {
  return invalidValue(`Unknown attribute: ${name}`);
}
