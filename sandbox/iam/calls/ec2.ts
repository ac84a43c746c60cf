import * as z from 'zod';
import type { Caller } from '../../accounts.ts';
import { listOf, type QueryTree, text } from '../../ec2/query.ts';
import { knownKeys } from '../service-reference.ts';
import type { Call, Context } from '../types.ts';

/** What condition keys say of a snapshot. */
interface SnapshotFacts {
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly sizeGiB: number;
  readonly encrypted: boolean;
  readonly volumeId: string;
  /** Those that the caller sees. */
  readonly tags: ReadonlyMap<string, string>;
}

/** What condition keys say of a volume. */
interface VolumeFacts {
  readonly zone: string;
  readonly sizeGiB: number;
  readonly type: string;
  readonly encrypted: boolean;
  readonly snapshotId: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** What there is, also what the caller cannot see: AWS knows whose it is. */
export interface Ec2Facts {
  readonly snapshot: (id: string, region: string) => SnapshotFacts | undefined;
  readonly volume: (id: string, region: string) => VolumeFacts | undefined;
}

const tags = listOf(z.object({ Key: text, Value: text.optional() }));
const specifications = listOf(z.object({ Tag: tags }));

/** Of all actions, the parameters that a permission can depend on. */
const parameters = z.object({
  SnapshotId: text.or(listOf(text)).optional(),
  SourceSnapshotId: text.optional(),
  SourceRegion: text.optional(),
  VolumeId: text.or(listOf(text)).optional(),
  InstanceId: text.optional(),
  InstanceSpecification: z.object({ InstanceId: text }).optional(),
  ResourceId: listOf(text),
  Tag: tags,
  TagSpecification: specifications,
  UserId: listOf(text),
  UserGroup: listOf(text),
  OperationType: text.optional(),
  Attribute: text.optional(),
  CreateVolumePermission: z
    .object({
      Add: listOf(z.object({ UserId: text.optional(), Group: text.optional() })),
      Remove: listOf(z.object({ UserId: text.optional(), Group: text.optional() })),
    })
    .optional(),
  LockDuration: text.optional(),
  CoolOffPeriod: text.optional(),
});

type Parameters = z.output<typeof parameters>;

interface Request {
  readonly caller: Caller;
  readonly input: Parameters;
  readonly facts: Ec2Facts;
}

/** Those of the sandbox that know no resources. */
const WITHOUT_RESOURCES = new Set([
  'DescribeAvailabilityZones',
  'DescribeLockedSnapshots',
  'DescribeRegions',
  'DescribeSnapshotTierStatus',
  'DescribeSnapshots',
  'DescribeTags',
  'DescribeVolumes',
  'DisableEbsEncryptionByDefault',
  'EnableEbsEncryptionByDefault',
  'GetEbsDefaultKmsKeyId',
  'GetEbsEncryptionByDefault',
  'ListSnapshotsInRecycleBin',
  'ModifyEbsDefaultKmsKeyId',
  'ResetEbsDefaultKmsKeyId',
]);

const DESCRIBED: Readonly<Record<string, (action: string, request: Request) => readonly Call[]>> = {
  AttachVolume: onVolumeAndInstance,
  CopySnapshot: copySnapshot,
  CreateSnapshot: createSnapshot,
  CreateSnapshots: createSnapshots,
  CreateTags: changeTags,
  CreateVolume: createVolume,
  DeleteSnapshot: onSnapshot,
  DeleteTags: changeTags,
  DeleteVolume: (action, request) => [volumeCall(action, request, one(request.input.VolumeId))],
  DescribeSnapshotAttribute: onSnapshot,
  DetachVolume: onVolumeAndInstance,
  LockSnapshot: onSnapshot,
  ModifySnapshotAttribute: onSnapshot,
  ModifySnapshotTier: onSnapshot,
  ResetSnapshotAttribute: onSnapshot,
  RestoreSnapshotFromRecycleBin: onSnapshot,
  RestoreSnapshotTier: onSnapshot,
  UnlockSnapshot: onSnapshot,
};

/**
 * What IAM decides about for a call of EC2: resources and condition keys are those of
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 * ARNs of snapshots have no account: https://docs.aws.amazon.com/ebs/latest/userguide/security_iam_id-based-policy-examples.html
 * @param tree the parameters, which the action itself has checked
 * @throws Error if the sandbox cannot say it of this action
 */
export function ec2Calls(name: string, caller: Caller, tree: QueryTree, facts: Ec2Facts): readonly Call[] {
  const action = `ec2:${name}`;
  if (WITHOUT_RESOURCES.has(name)) return [{ action, resource: '*', context: regionOf(caller) }];
  const describe = DESCRIBED[name];
  if (describe === undefined) throw new Error(`the sandbox cannot say what permission ${action} needs`);
  return describe(action, { caller, input: parameters.parse(tree), facts });
}

/**
 * The source, and the copy, which has no id yet and is called `snapshot/*`. The owner is the source's alone.
 * https://aws.amazon.com/blogs/storage/enhancing-resource-level-permissions-for-copying-amazon-ebs-snapshots/
 * Nothing says what happens if there is no such source; here the keys that tell of it are missing.
 */
function copySnapshot(action: string, request: Request): readonly Call[] {
  const { caller, input } = request;
  const from = input.SourceRegion ?? caller.region;
  return [
    snapshotCall(action, request, input.SourceSnapshotId ?? '', from),
    newSnapshot(action, request),
    ...tagNew(action, request, newSnapshotArn(caller)),
  ];
}

function createSnapshot(action: string, request: Request): readonly Call[] {
  return [
    volumeCall(action, request, one(request.input.VolumeId)),
    newSnapshot(action, request),
    ...tagNew(action, request, newSnapshotArn(request.caller)),
  ];
}

/** The volumes are found by the instance, which the sandbox has nothing of but its id. */
function createSnapshots(action: string, request: Request): readonly Call[] {
  const { caller, input } = request;
  return [
    {
      action,
      resource: instanceArn(caller, input.InstanceSpecification?.InstanceId ?? ''),
      context: regionOf(caller),
    },
    newSnapshot(action, request),
    ...tagNew(action, request, newSnapshotArn(caller)),
  ];
}

function createVolume(action: string, request: Request): readonly Call[] {
  const { caller, input } = request;
  const resource = `arn:aws:ec2:${caller.region}:${caller.account}:volume/*`;
  const source = one(input.SnapshotId);
  return [
    ...(source === '' ? [] : [snapshotCall(action, request, source)]),
    { action, resource, context: { ...regionOf(caller), ...requestTags(tagsOfNew(input)) } },
    ...tagNew(action, request, resource),
  ];
}

function onVolumeAndInstance(action: string, request: Request): readonly Call[] {
  const { caller, input } = request;
  const ofInstance =
    input.InstanceId === undefined
      ? []
      : [{ action, resource: instanceArn(caller, input.InstanceId), context: regionOf(caller) }];
  return [volumeCall(action, request, one(input.VolumeId)), ...ofInstance];
}

function onSnapshot(action: string, request: Request): readonly Call[] {
  return [snapshotCall(action, request, one(request.input.SnapshotId))];
}

function changeTags(action: string, request: Request): readonly Call[] {
  return request.input.ResourceId.map((id) =>
    id.startsWith('vol-') ? volumeCall(action, request, id) : snapshotCall(action, request, id),
  );
}

/** Tags on what a call makes need the permission to tag as well. */
function tagNew(action: string, { caller, input }: Request, resource: string): readonly Call[] {
  const wanted = tagsOfNew(input);
  if (wanted.length === 0) return [];
  const context = {
    ...regionOf(caller),
    ...requestTags(wanted),
    'ec2:CreateAction': action.slice('ec2:'.length),
  };
  return [{ action: 'ec2:CreateTags', resource, context }];
}

function newSnapshot(action: string, { caller, input }: Request): Call {
  const context = { ...regionOf(caller), ...requestTags(tagsOfNew(input)) };
  return { action, resource: newSnapshotArn(caller), context };
}

function snapshotCall(action: string, request: Request, id: string, region = request.caller.region): Call {
  const { caller, input, facts } = request;
  const resource = `arn:aws:ec2:${region}::snapshot/${id}`;
  const found = facts.snapshot(id, region);
  return {
    action,
    resource,
    context: {
      ...regionOf(caller),
      ...knownKeys(action, resource, {
        'ec2:SnapshotID': id,
        ...(found === undefined ? {} : aboutSnapshot(found, region)),
        ...aboutChange(input),
      }),
      ...(action.endsWith('Tags') ? requestTags(input.Tag) : {}),
    },
  };
}

function aboutSnapshot(snapshot: SnapshotFacts, region: string): Context {
  return {
    'ec2:Owner': snapshot.owner,
    'ec2:SnapshotTime': new Date(snapshot.startedAt).toISOString(),
    'ec2:VolumeSize': String(snapshot.sizeGiB),
    'ec2:Encrypted': String(snapshot.encrypted),
    'ec2:ParentVolume': `arn:aws:ec2:${region}:${snapshot.owner}:volume/${snapshot.volumeId}`,
    ...resourceTags(snapshot.tags),
  };
}

function volumeCall(action: string, request: Request, id: string): Call {
  const { caller, input, facts } = request;
  const { account, region } = caller;
  const resource = `arn:aws:ec2:${region}:${account}:volume/${id}`;
  const volume = facts.volume(id, region);
  const known = volume && {
    'ec2:AvailabilityZone': volume.zone,
    'ec2:VolumeSize': String(volume.sizeGiB),
    'ec2:VolumeType': volume.type,
    'ec2:Encrypted': String(volume.encrypted),
    'ec2:ParentSnapshot': volume.snapshotId && `arn:aws:ec2:${region}::snapshot/${volume.snapshotId}`,
    ...resourceTags(volume.tags),
  };
  return {
    action,
    resource,
    context: {
      ...regionOf(caller),
      ...knownKeys(action, resource, { 'ec2:VolumeID': id, ...known }),
      ...(action.endsWith('Tags') ? requestTags(input.Tag) : {}),
    },
  };
}

/** Keys of ModifySnapshotAttribute and LockSnapshot; other actions do not know them. */
function aboutChange(input: Parameters): Readonly<Record<string, string | readonly string[] | undefined>> {
  const { Add = [], Remove = [] } = input.CreateVolumePermission ?? {};
  const listed = [...input.UserId.map((UserId) => ({ UserId })), ...input.UserGroup.map((Group) => ({ Group }))];
  const isAdd = input.OperationType === 'add';
  const changes = {
    ...whom('Add', [...Add, ...(isAdd ? listed : [])]),
    ...whom('Remove', [...Remove, ...(isAdd ? [] : listed)]),
  };
  const isChange = Object.keys(changes).length > 0;
  return {
    ...changes,
    'ec2:Attribute': input.Attribute ?? (isChange ? 'createVolumePermission' : undefined),
    'ec2:SnapshotLockDuration': input.LockDuration,
    'ec2:SnapshotCoolOffPeriod': input.CoolOffPeriod,
  };
}

/**
 * The reference gives these keys one value each, and a call may name several accounts. How EC2 has that evaluated AWS does
 * not say; here all of them are values.
 */
function whom(
  change: 'Add' | 'Remove',
  them: readonly { readonly UserId?: string | undefined; readonly Group?: string | undefined }[],
): Context {
  const accounts = them.flatMap(({ UserId }) => UserId ?? []);
  const groups = them.flatMap(({ Group }) => Group ?? []);
  return {
    ...(accounts.length > 0 && { [`ec2:${change}/userId`]: accounts }),
    ...(groups.length > 0 && { [`ec2:${change}/group`]: groups }),
  };
}

type TagList = Parameters['Tag'];

function tagsOfNew({ TagSpecification }: Parameters): TagList {
  return TagSpecification.flatMap(({ Tag }) => Tag);
}

function requestTags(wanted: TagList): Context {
  if (wanted.length === 0) return {};
  return {
    ...Object.fromEntries(wanted.map(({ Key, Value = '' }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': wanted.map(({ Key }) => Key),
  };
}

function resourceTags(of: ReadonlyMap<string, string>): Context {
  return Object.fromEntries(
    [...of].flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`ec2:ResourceTag/${key}`, value],
    ]),
  );
}

function regionOf({ region }: Caller): Context {
  return { 'ec2:Region': region, 'aws:RequestedRegion': region };
}

/** An asterisk and no wildcard: a policy that means it alone writes `${*}`. */
function newSnapshotArn({ region }: Caller): string {
  return `arn:aws:ec2:${region}::snapshot/*`;
}

function instanceArn({ account, region }: Caller, id: string): string {
  return `arn:aws:ec2:${region}:${account}:instance/${id}`;
}

function one(value: string | readonly string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}
