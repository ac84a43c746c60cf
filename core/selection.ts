import { COPIER_TAG } from './copier-tags.ts';
import { type Destination, destinationId } from './destination.ts';
import type { CopyRule, Criteria } from './rules.ts';
import type { Snapshot, SnapshotState } from './snapshot.ts';
import { INTERMEDIATE } from './source-account.ts';

/** What becomes of one snapshot at one destination of one rule, and what decided it. */
export interface Selected {
  readonly action: 'copy' | 'skip';
  readonly rule: CopyRule;
  readonly destination: Destination;
  /** For logs, for example `tag Backup is 'weekly', rule nightly wants 'nightly'`. */
  readonly reason: string;
}

/** Whose account this is. */
export interface Home {
  /** 12 digits. */
  readonly account: string;
}

/**
 * One decision for each destination of each rule, in the order of the rules.
 *
 * A destination gets one copy of a snapshot: of the rules that select it for the same destination the first one wins,
 * but a rule that only rehearses (`dryRun`) never keeps a copy from another rule.
 */
export function selectDestinations(snapshot: Snapshot, rules: readonly CopyRule[], home: Home): readonly Selected[] {
  const unfit = whyUnfit(snapshot);
  const wishes = rules.flatMap((rule) => {
    const wanted = unfit === undefined ? isWanted(snapshot, rule, home) : { yes: false, reason: unfit };
    return rule.destinations.map((destination) => {
      const unreachable = wanted.yes ? whyUnreachable(snapshot, destination) : undefined;
      return unreachable === undefined
        ? { rule, destination, ...wanted }
        : { rule, destination, yes: false, reason: unreachable };
    });
  });

  return wishes.map(({ rule, destination, yes, reason }) => {
    if (!yes) return { action: 'skip', rule, destination, reason };
    const where = destinationId(destination);
    const claims = wishes.filter((wish) => wish.yes && destinationId(wish.destination) === where);
    const winner = (claims.find((claim) => !claim.rule.dryRun) ?? claims[0])?.rule;
    if (winner === undefined || winner === rule) return { action: 'copy', rule, destination, reason };
    const instead = `rule ${winner.name} copies it to ${where} already, so rule ${rule.name} does not`;
    return { action: 'skip', rule, destination, reason: instead };
  });
}

const UNFIT_STATE: Readonly<Record<Exclude<SnapshotState, 'completed' | 'error'>, string>> = {
  pending: 'it is not complete yet (pending)',
  recoverable: 'it is in the recycle bin (recoverable)',
  recovering: 'it is in the recycle bin (recovering)',
};

/** Why no rule can have a copy of this snapshot, if so. */
function whyUnfit(snapshot: Snapshot): string | undefined {
  const { state, stateMessage, storageTier, outpostArn, tags, description } = snapshot;
  if (state === 'error') return `it ended in error: ${stateMessage ?? 'EC2 gave no reason'}`;
  if (state !== 'completed') return UNFIT_STATE[state];
  if (storageTier === 'archive') return 'it is archived, and EC2 copies only from the standard tier';
  if (outpostArn !== undefined) return `it is on the Outpost ${outpostArn}, and EC2 copies nothing from there`;
  const madeBy = ownValue(tags, COPIER_TAG.managed);
  if (madeBy !== undefined) return `it is a copy itself, made by ${madeBy} (tag ${COPIER_TAG.managed})`;
  // Whoever it is shared with sees no tag of it.
  return description.startsWith(INTERMEDIATE) ? `it is made on the way to a copy (${quote(description)})` : undefined;
}

/**
 * Why EC2 would refuse this direction, if so: an Outpost or a Local Zone takes snapshots of its own Region, and a
 * snapshot in a Local Zone can stay in its zone group or go to the Region around it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html and snapshots-localzones.html
 */
function whyUnreachable({ region, localZone }: Snapshot, destination: Destination): string | undefined {
  if (localZone !== undefined) {
    const inGroup = destination.localZone !== undefined && zoneGroup(destination.localZone) === zoneGroup(localZone);
    const inRegion =
      destination.localZone === undefined && destination.outpost === undefined && destination.region === region;
    if (inGroup || inRegion) return undefined;
    return `it is in the Local Zone ${localZone}, from where EC2 copies to ${zoneGroup(localZone)} and ${region} only`;
  }
  const place =
    destination.outpost !== undefined ? 'an Outpost' : destination.localZone !== undefined ? 'a Local Zone' : undefined;
  if (place === undefined || destination.region === region) return undefined;
  return `it is in ${region}, and EC2 copies to ${place} of ${destination.region} from ${destination.region} only`;
}

/** A zone's name without its letter, for example `us-west-2-lax-1`. */
function zoneGroup(zone: string): string {
  return zone.slice(0, -1);
}

interface Answer {
  readonly yes: boolean;
  readonly reason: string;
}

function isWanted(snapshot: Snapshot, { name, select }: CopyRule, home: Home): Answer {
  const { except, ...criteria } = select;
  const matches = findings(snapshot, criteria, home);
  const mismatch = matches.find(({ wanted }) => wanted !== undefined);
  if (mismatch !== undefined) return { yes: false, reason: `${mismatch.found}, rule ${name} wants ${mismatch.wanted}` };

  const exceptions = except === undefined ? [] : findings(snapshot, except, home);
  if (exceptions.length > 0 && exceptions.every(({ wanted }) => wanted === undefined)) {
    return { yes: false, reason: `${inWords(exceptions)}, which rule ${name} excepts` };
  }
  if (matches.length === 0) return { yes: true, reason: `rule ${name} wants every snapshot` };
  return { yes: true, reason: `${inWords(matches)}, as rule ${name} wants` };
}

/** What one criterion found. */
interface Finding {
  readonly found: string;
  /** What would have matched; absent if it does. */
  readonly wanted?: string;
}

function inWords(matches: readonly Finding[]): string {
  return matches.map(({ found }) => found).join(' and ');
}

function findings(snapshot: Snapshot, criteria: Criteria, home: Home): readonly Finding[] {
  const { owners, regions, volumes, description, tags = {} } = criteria;
  const { ownerId, region, volumeId } = snapshot;
  const isOwn = ownerId === home.account;
  return [
    ...(owners === undefined
      ? []
      : [isOneOf(`owner is ${ownerId}${isOwn ? ' (self)' : ''}`, isOwn ? [ownerId, 'self'] : [ownerId], owners)]),
    ...(regions === undefined ? [] : [isOneOf(`Region is ${region}`, [region], regions)]),
    ...(volumes === undefined ? [] : [isOneOf(`volume is ${volumeId}`, [volumeId], volumes)]),
    ...(description === undefined ? [] : [matchesDescription(snapshot, description)]),
    ...Object.entries(tags).map(([key, values]) =>
      isOwn || snapshot.viewedByOwner === true
        ? hasTag(snapshot, key, values)
        : {
            found: `it belongs to ${ownerId}, and tags of another account's snapshot cannot be seen`,
            wanted: `tag ${key}; select such snapshots by owners or description, or have the companion in that account`,
          },
    ),
  ];
}

function isOneOf(found: string, actual: readonly string[], wanted: readonly string[]): Finding {
  return actual.some((value) => wanted.includes(value)) ? { found } : { found, wanted: wanted.join(' or ') };
}

function matchesDescription({ description }: Snapshot, pattern: string): Finding {
  const found = `description is ${quote(description)}`;
  return new RegExp(pattern, 'u').test(description) ? { found } : { found, wanted: `/${pattern}/` };
}

function hasTag({ tags }: Snapshot, key: string, values: true | readonly string[]): Finding {
  const value = ownValue(tags, key);
  const found = value === undefined ? `tag ${key} is not there` : `tag ${key} is ${quote(value)}`;
  const matches = value !== undefined && (values === true || values.includes(value));
  return matches ? { found } : { found, wanted: values === true ? 'it' : values.map(quote).join(' or ') };
}

/** Tag keys are free text: `constructor` must not find what every object has. */
function ownValue(tags: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined;
}

function quote(text: string): string {
  return `'${text}'`;
}
