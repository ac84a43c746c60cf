import { type Destination, destinationId } from '../destination.ts';
import type { CopyRule, SourceAccounts } from '../rules.ts';
import { sourceOwners } from '../source-owners.ts';
import { parseKmsKey } from './kms-key.ts';
import { printPath } from './problems.ts';
import { exceptsEverything, isAtLeastAsWide } from './wider.ts';

/** Something in `copy-rules.yml` that is right, and yet hardly what somebody wanted. */
export interface RuleWarning {
  /** For people, for example `rules[0].select.owners`. */
  readonly path: string;
  /** The same for code. */
  readonly segments: readonly (string | number)[];
  readonly warning: string;
}

/** What is right but surprising: only what is certain from the rules alone. */
export function rulesWarnings(
  rules: readonly CopyRule[],
  { accounts: companions }: Pick<SourceAccounts, 'accounts'>,
): readonly RuleWarning[] {
  return [
    ...unselectedAccounts(rules, companions),
    ...onlyRehearsals(rules),
    ...rules.flatMap((rule, r) => [
      ...selectionWarnings(rule, companions, ['rules', r, 'select']),
      ...needlessReencryption(rule, companions, ['rules', r, 'reencrypt']),
      ...rule.destinations.flatMap((destination, d) => {
        const at: Path = ['rules', r, 'destinations', d];
        return [...neverFirst(rules, companions, r, destination, at), ...unshareable(destination, at)];
      }),
    ]),
    ...otherSlots(rules),
  ];
}

type Path = RuleWarning['segments'];

function warn(segments: Path, warning: string): RuleWarning {
  return { path: printPath(segments), segments, warning };
}

const UNSEEN = "tags of other accounts' snapshots cannot be seen without the companion (sourceAccounts)";

function onlyRehearsals(rules: readonly CopyRule[]): readonly RuleWarning[] {
  return rules.every(({ dryRun }) => dryRun)
    ? [warn(['rules'], 'every rule has dryRun, so nothing is ever copied')]
    : [];
}

/** The companion there would serve nobody. */
function unselectedAccounts(rules: readonly CopyRule[], companions: readonly string[]): readonly RuleWarning[] {
  const selected = sourceOwners(rules, companions).withCompanion;
  return companions.flatMap((account, index) =>
    selected.includes(account)
      ? []
      : [warn(['sourceAccounts', 'accounts', index], `is ${account}, of which no rule selects snapshots`)],
  );
}

function needlessReencryption(
  { select: { owners }, reencrypt }: CopyRule,
  companions: readonly string[],
  at: Path,
): readonly RuleWarning[] {
  const selects = owners === undefined || owners.some((owner) => companions.includes(owner));
  return reencrypt !== true || selects
    ? []
    : [warn(at, 'concerns snapshots of sourceAccounts alone, and the rule selects none of these')];
}

function selectionWarnings({ select }: CopyRule, companions: readonly string[], at: Path): readonly RuleWarning[] {
  const { tags, owners, except } = select;
  const named = owners?.filter((owner) => owner !== 'self');
  const others = named?.filter((owner) => !companions.includes(owner));
  const takesSeen = others?.length !== owners?.length;
  const warnings: RuleWarning[] = [];
  if (exceptsEverything(select, companions)) {
    warnings.push(warn([...at, 'except'], 'leaves out all that the rule selects, so it never copies anything'));
  }
  if (tags !== undefined && others !== undefined && others.length > 0) {
    const accounts = others.join(' and ');
    warnings.push(
      warn(
        [...at, 'owners'],
        takesSeen
          ? `${UNSEEN}, and the rule wants tags: of ${accounts} it selects nothing, and only may use their keys`
          : `${UNSEEN}, and the rule wants tags: it selects nothing, unless the service runs in ${others.join(' or ')}`,
      ),
    );
  }
  if (except?.tags !== undefined && tags === undefined && others?.length !== 0) {
    const remedy = owners === undefined ? '; with owners: [self] it takes none of them' : '';
    warnings.push(
      warn([...at, 'except', 'tags'], `${UNSEEN}: those that are shared with this account are never excepted${remedy}`),
    );
  }
  return warnings;
}

/** A destination gets one copy of a snapshot, of the first rule that selects it; see `selectDestinations`. */
function neverFirst(
  rules: readonly CopyRule[],
  companions: readonly string[],
  index: number,
  destination: Destination,
  at: Path,
): readonly RuleWarning[] {
  const id = destinationId(destination);
  const rule = rules[index];
  const winner = rules.find((other, position) => {
    if (rule === undefined || other === rule) return false;
    // Rehearsals give way to copies wherever those stand.
    const comesFirst = other.dryRun === rule.dryRun ? position < index : rule.dryRun;
    return (
      comesFirst &&
      other.destinations.some((each) => destinationId(each) === id) &&
      isAtLeastAsWide(other.select, rule.select, companions)
    );
  });
  if (rule === undefined || winner === undefined) return [];
  const deed = rule.dryRun ? 'is rehearsed' : 'is copied';
  return [
    warn(at, `nothing ${deed} there by this rule: rule ${winner.name} selects all of it for ${id}, and comes first`),
  ];
}

/** Slots are counted by Region, whatever in it is the destination; see `decideAdmission`. */
function otherSlots(rules: readonly CopyRule[]): readonly RuleWarning[] {
  const all = rules.flatMap(({ name, destinations }, r) =>
    destinations.map(({ region, slots }, d) => ({ name, region, slots, at: ['rules', r, 'destinations', d, 'slots'] })),
  );
  return all.flatMap(({ region, slots, at }, index) => {
    const other = all.slice(0, index).find((each) => each.region === region && each.slots !== slots);
    if (other === undefined) return [];
    const least = Math.min(slots, other.slots);
    const patient = slots === least ? 'copies of this destination' : `those of rule ${other.name}`;
    return [
      warn(
        at,
        `is ${slots}, and ${other.slots} in rule ${other.name} for the same Region: while ${least} or more copies are pending in ${region}, ${patient} wait, even behind younger ones`,
      ),
    ];
  });
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html */
function unshareable({ encryption }: Destination, at: Path): readonly RuleWarning[] {
  if (encryption.kind !== 'key' || parseKmsKey(encryption.kmsKey)?.name !== 'alias/aws/ebs') return [];
  return [
    warn(
      [...at, 'encryption', 'kmsKey'],
      'is the key of AWS: copies under it can never be shared with, or used by, another account',
    ),
  ];
}
