import { COPIER_TAG } from './copier-tags.ts';
import { literalDescription } from './copy-parameters.ts';
import { type CopyRequest, copyRequest } from './copy-request.ts';
import { type Destination, destinationId, type Encryption } from './destination.ts';
import type { Install } from './install.ts';
import { destinationRegions, mostSlotsOf } from './rule-destinations.ts';
import { parseKmsKey } from './rules/kms-key.ts';
import { LIMITS } from './rules/limits.ts';
import type { CopyRule } from './rules.ts';
import { selectDestinations } from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { sourceOwners } from './source-owners.ts';

/** What EC2's CopySnapshot takes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html */
export interface CopySnapshotInput {
  readonly SourceRegion: string;
  readonly SourceSnapshotId: string;
  readonly Description?: string;
  readonly DestinationOutpostArn?: string;
  readonly DestinationRegion?: string;
  readonly Encrypted?: boolean;
  readonly KmsKeyId?: string;
  readonly PresignedUrl?: string;
  readonly TagSpecifications?: readonly TagSpecification[];
  readonly CompletionDurationMinutes?: number;
  readonly DestinationAvailabilityZone?: string;
  readonly DryRun?: boolean;
}

interface TagSpecification {
  readonly ResourceType?: string;
  readonly Tags?: readonly Tag[];
}

interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

/** What stands for the rule of a copy that no rule asked for. A rule cannot have this name, as it has a space. */
export const BY_HAND = 'by hand';

/** A request; or why there can be none, in EC2's words where EC2 has an error for it. */
export type HandRequest =
  | { readonly kind: 'request'; readonly request: CopyRequest; readonly warnings: readonly string[] }
  | { readonly kind: 'ec2Error'; readonly code: string; readonly message: string }
  | { readonly kind: 'impossible'; readonly message: string };

/** The tags of all specifications, in their order. */
export function handTags({ TagSpecifications = [] }: CopySnapshotInput): readonly Required<Tag>[] {
  return TagSpecifications.flatMap(({ Tags = [] }) => Tags.map(({ Key = '', Value = '' }) => ({ Key, Value })));
}

/**
 * What is wrong with the parameters themselves, as EC2 would say it. The caller's own identity may not be allowed to
 * ask EC2, and a wrong request must not come into the queue, to fail there hours later.
 */
function mistakeIn(input: CopySnapshotInput): Extract<HandRequest, { kind: 'ec2Error' }> | undefined {
  const wrong = (code: string, message: string) => ({ kind: 'ec2Error', code, message }) as const;
  const { Description = '', Encrypted, KmsKeyId, TagSpecifications = [] } = input;
  if (KmsKeyId !== undefined && Encrypted !== true) {
    return wrong('InvalidParameterDependency', 'The parameter KmsKeyId requires the parameter Encrypted to be set.');
  }
  if (Description.length > LIMITS.description) {
    return wrong(
      'InvalidParameterValue',
      `Value (${Description}) for parameter Description is invalid. It exceeds ${LIMITS.description} characters.`,
    );
  }
  for (const { ResourceType } of TagSpecifications) {
    if (ResourceType === 'snapshot') continue;
    return wrong(
      'InvalidParameterValue',
      ResourceType === undefined
        ? 'Tag specification resource type must have a value'
        : `'${ResourceType}' is not a valid taggable resource type for this operation.`,
    );
  }
  const keys = handTags(input).map(({ Key }) => Key);
  if (keys.includes('')) return wrong('InvalidParameterValue', 'Tag key cannot be null or empty');
  if (keys.some((key) => /^aws:/i.test(key))) {
    return wrong('InvalidParameterValue', "Tag keys starting with 'aws:' are reserved for internal use");
  }
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  return twice === undefined ? undefined : wrong('InvalidParameterValue', `Duplicate tag key '${twice}' specified.`);
}

/** EC2's error for a source that is not there, or not for this account. */
export function noSuchSource(snapshotId: string): Extract<HandRequest, { kind: 'ec2Error' }> {
  return {
    kind: 'ec2Error',
    code: 'InvalidSnapshot.NotFound',
    message: `The snapshot '${snapshotId}' does not exist.`,
  };
}

/**
 * The request for a copy that somebody asks for by hand, as far as the service of this install may make it.
 *
 * @param region the destination
 * @param companions the accounts that have the companion
 */
export function handRequest(
  input: CopySnapshotInput,
  region: string,
  source: Snapshot,
  rules: readonly CopyRule[],
  companions: readonly string[],
  install: Pick<Install, 'name' | 'account' | 'region'>,
): HandRequest {
  const mistake = mistakeIn(input);
  if (mistake !== undefined) return mistake;

  const { DestinationOutpostArn: outpost, DestinationAvailabilityZone: localZone } = input;
  const { CompletionDurationMinutes: minutes } = input;
  const destination: Destination = {
    region,
    ...(outpost !== undefined && { outpost }),
    ...(localZone !== undefined && { localZone }),
    encryption: encryptionOf(input),
    description: literalDescription(input.Description ?? ''),
    tags: { copy: 'none', add: Object.fromEntries(handTags(input).map(({ Key, Value }) => [Key, Value])) },
    slots: mostSlotsOf(rules, region),
    deadlineSeconds: deadlineFor(region, minutes, rules),
    ...(minutes !== undefined && { completionDurationMinutes: minutes }),
  };
  const rule: CopyRule = {
    name: BY_HAND,
    select: {},
    destinations: [destination],
    dryRun: false,
    ...(isReencrypted(source, rules) && { reencrypt: true }),
  };
  const message =
    whyNotByService(source, region, rules, companions, install) ??
    whyTooManyTags(input) ??
    whyNotCopied(source, rule, install);
  if (message !== undefined) return { kind: 'impossible', message };
  return {
    kind: 'request',
    request: copyRequest(source, rule, destination),
    warnings: keyWarnings(source, destination, rules),
  };
}

/** The service copies from its own Region, to the Regions of its rules, from the owners that these can select. */
function whyNotByService(
  { snapshotId, region: sourceRegion, ownerId, viewedByOwner }: Snapshot,
  region: string,
  rules: readonly CopyRule[],
  companions: readonly string[],
  install: Pick<Install, 'name' | 'account' | 'region'>,
): string | undefined {
  const regions = destinationRegions(rules);
  if (sourceRegion !== install.region) {
    return `${install.name} is in ${install.region} and copies from there only; ${snapshotId} is in ${sourceRegion}. ${ELSEWHERE}`;
  }
  if (!regions.includes(region)) {
    return `No rule of ${install.name} copies to ${region}, so it may not: its rules have ${regions.join(', ')}. Add a destination to copy-rules.yml and deploy. ${ELSEWHERE}`;
  }
  const { own, shared, withCompanion } = sourceOwners(rules, companions);
  const isOwn = ownerId === install.account;
  const allowed = isOwn ? own : viewedByOwner === true ? withCompanion : shared;
  if (allowed === 'any' || allowed === 'always' || allowed.includes(ownerId)) return undefined;
  return `No rule of ${install.name} can select snapshots of account ${ownerId}, so it may not copy ${snapshotId}. Name the account under owners of a rule in copy-rules.yml and deploy. ${ELSEWHERE}`;
}

/** What is under `aws/ebs` in a source account is copied under another key first, if that is done for any rule there. */
function isReencrypted({ viewedByOwner, ownerId }: Snapshot, rules: readonly CopyRule[]): boolean {
  if (viewedByOwner !== true) return false;
  return rules.some(({ reencrypt, select: { owners } }) => reencrypt === true && (owners?.includes(ownerId) ?? true));
}

const ELSEWHERE = 'Without the service: --direct.';

function whyTooManyTags(input: CopySnapshotInput): string | undefined {
  const keys = handTags(input).map(({ Key }) => Key);
  const ours = keys.find((key) => key.startsWith('snapshot-copier:'));
  if (ours !== undefined) return `The tag ${ours} is the service's own to write. ${ELSEWHERE}`;
  const own = Object.keys(COPIER_TAG).length;
  if (keys.length + own <= LIMITS.tags) return undefined;
  return `These are ${keys.length} tags, and with the ${own} of the service EC2's ${LIMITS.tags} are exceeded. ${ELSEWHERE}`;
}

/** As a rule that selects everything would find. That the source is a copy itself is no hindrance for a person. */
function whyNotCopied(source: Snapshot, rule: CopyRule, { account }: Pick<Install, 'account'>): string | undefined {
  const skipped = selectDestinations({ ...source, tags: {} }, [rule], { account }).find(
    ({ action }) => action === 'skip',
  );
  return skipped && `${source.snapshotId} cannot be copied: ${skipped.reason}.`;
}

function encryptionOf({ Encrypted, KmsKeyId }: CopySnapshotInput): Encryption {
  if (Encrypted !== true) return { kind: 'as-source' };
  return KmsKeyId === undefined ? { kind: 'account-default' } : { kind: 'key', kmsKey: KmsKeyId };
}

/** The longest of the rules for the Region; twice the time that EC2 promises, if that is longer. */
function deadlineFor(region: string, minutes: number | undefined, rules: readonly CopyRule[]): number {
  const deadlines = rules
    .flatMap(({ destinations }) => destinations)
    .flatMap((destination) => (destination.region === region ? [destination.deadlineSeconds] : []));
  const promised = (minutes ?? 0) * 60;
  const longest = Math.max(...deadlines, LIMITS.deadlineSeconds.least);
  return longest > promised ? longest : 2 * promised;
}

/** The service may use the keys that the rules lead to. Names are compared, and a key may have several. */
function keyWarnings(source: Snapshot, destination: Destination, rules: readonly CopyRule[]): readonly string[] {
  const { encryption } = destination;
  if (encryption.kind === 'as-source' && !source.encrypted) return [];
  const there = rules
    .flatMap(({ destinations }) => destinations)
    .filter(({ region }) => region === destination.region)
    .map((each) => each.encryption);
  const named = [...new Set(there.flatMap((each) => (each.kind === 'key' ? [each.kmsKey] : [])))];
  // Where a rule uses the default key, the service may use every key of the account, for nobody knows before which that is.
  if (there.some(({ kind }) => kind !== 'key')) return [];
  const wanted = encryption.kind === 'key' ? encryption.kmsKey : 'the default key';
  if (named.some((key) => nameOf(key) === nameOf(wanted))) return [];
  return [
    `The rules name no such key for ${destinationId(destination)}, only ${named.join(', ')}: unless ${wanted} is the same key, the service may not use it, and the copy will fail.`,
  ];
}

/** Id or alias of a key, without the ARN around it. */
function nameOf(key: string): string {
  return parseKmsKey(key)?.name ?? key;
}
