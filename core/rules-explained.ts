import { COPIER_TAG } from './copier-tags.ts';
import { type Destination, destinationId } from './destination.ts';
import { LIMITS, USUAL_DESCRIPTION } from './rules/limits.ts';
import type { CopyRule, Criteria, SourceAccounts } from './rules.ts';

/** Rules in plain sentences, for somebody who has never seen the file. */
export interface RulesExplained {
  /** One for each rule, in their order. */
  readonly rules: readonly RuleExplained[];
  /** What holds for all of them. */
  readonly inCommon: readonly string[];
}

interface RuleExplained {
  /** Which snapshots go where. */
  readonly selects: readonly string[];
  /** How the copies are made, for each destination in order. */
  readonly copies: readonly (readonly string[])[];
}

/** Where the service runs that the rules belong to. */
export interface Place {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** @param place undefined if it is not known: the file alone does not say */
export function explainRules(
  rules: readonly CopyRule[],
  sourceAccounts: SourceAccounts,
  place?: Place,
): RulesExplained {
  const known = { place, companions: sourceAccounts.accounts };
  return {
    rules: rules.map((rule) => ({
      selects: [selected(rule, known), ...selectionNotes(rule, known)],
      copies: rule.destinations.map((destination) => explainCopies(destination, hidesTags(rule, known))),
    })),
    inCommon: inCommon(rules, sourceAccounts, place),
  };
}

/** What is known of accounts. */
interface Known {
  readonly place: Place | undefined;
  /** The accounts with the companion. */
  readonly companions: readonly string[];
}

// --- which snapshots ---

function selected({ select, destinations, dryRun }: CopyRule, known: Known): string {
  const { place } = known;
  const { except, ...criteria } = select;
  const whose = ownersIn(criteria, known);
  const wanted = listed(matchers({ ...criteria, owners: undefined }, place).map(relative), 'and');
  const snapshots = `Every snapshot ${whose === '' ? '(own, or shared by another account)' : `of ${whose}`}`;
  const copied = `${dryRun ? 'would be' : 'is'} copied to ${listed(destinations.map(nameOf), 'and')}`;
  const unless = except === undefined ? '' : `, unless ${listed(matchers(except, place).map(conditional), 'and')}`;
  return `${[snapshots, wanted, copied].filter((part) => part !== '').join(' ')}${unless}.`;
}

/** Without the companion tags are seen on own snapshots alone, so a rule that wants some selects no others. */
function ownersIn({ owners, tags }: Criteria, { place, companions }: Known): string {
  const accounts = owners ?? [];
  if (tags === undefined || (owners !== undefined && !isOwn(accounts, place))) return accountsIn(accounts, place);
  const seen = companions.filter((account) => owners?.includes(account) ?? true);
  return listed(['this account', ...sourceAccountsIn(seen)], 'or');
}

/** More would hide what else the sentence says. */
const MOST_ACCOUNTS = 3;

function sourceAccountsIn(accounts: readonly string[]): readonly string[] {
  return accounts.length > MOST_ACCOUNTS
    ? [`one of ${accounts.length} source accounts`]
    : accounts.map((account) => `source account ${account}`);
}

function isOwn(owners: readonly string[], place: Place | undefined): boolean {
  return owners.some((owner) => owner === 'self' || owner === place?.account);
}

function accountsIn(owners: readonly string[], place: Place | undefined): string {
  const names = owners.map((owner) => (isOwn([owner], place) ? 'this account' : `account ${owner}`));
  return listed([...new Set(names)], 'or');
}

/** A criterion as it reads behind `whose` and `its`, or `that` and `it`. */
interface Matcher {
  readonly of: 'property' | 'snapshot';
  readonly words: string;
}

type Selecting = { readonly [key in keyof Criteria]: Criteria[key] | undefined };

function matchers(
  { tags = {}, owners, description, volumes, regions }: Selecting,
  place: Place | undefined,
): readonly Matcher[] {
  return [
    ...Object.entries(tags).map(
      ([key, values]): Matcher =>
        values === true
          ? { of: 'snapshot', words: `has a tag ${tagKey(key)}` }
          : { of: 'property', words: `tag ${tagKey(key)} is ${listed(values.map(quote), 'or')}` },
    ),
    ...given(owners, (accounts) => ({ of: 'snapshot', words: `belongs to ${accountsIn(accounts, place)}` })),
    ...given(description, (pattern) => ({ of: 'property', words: `description matches /${pattern}/` })),
    ...given(volumes, (ids) => ({ of: 'snapshot', words: `was made of ${listed(ids, 'or')}` })),
    ...given(regions, (ids) => ({ of: 'snapshot', words: `is in ${listed(ids, 'or')}` })),
  ];
}

function given<T>(value: T | undefined, matcher: (value: T) => Matcher): readonly Matcher[] {
  return value === undefined ? [] : [matcher(value)];
}

function relative({ of, words }: Matcher): string {
  return `${of === 'property' ? 'whose' : 'that'} ${words}`;
}

function conditional({ of, words }: Matcher): string {
  return `${of === 'property' ? 'its' : 'it'} ${words}`;
}

function selectionNotes(
  { select, destinations, dryRun, reencrypt }: CopyRule,
  { place, companions }: Known,
): readonly string[] {
  const { tags, owners, regions, except } = select;
  const named = owners ?? [];
  const seen = named.filter((owner) => isOwn([owner], place) || companions.includes(owner));
  const others = named.filter((owner) => !seen.includes(owner));
  const unseen =
    companions.length === 0
      ? "Tags of other accounts' snapshots cannot be seen"
      : 'Tags of snapshots of accounts without the companion cannot be seen';
  const takesOthers = tags === undefined && (owners === undefined || others.length > 0);
  const copiesTags = destinations.some((destination) => destination.tags.copy !== 'none');
  const notes: string[] = [];
  if (dryRun)
    notes.push('But the rule only rehearses: EC2 is asked whether it would allow each copy, and none is made.');
  if (tags !== undefined && others.length > 0) {
    notes.push(
      seen.length > 0
        ? `${unseen}, so none of ${accountsIn(others, place)} is selected; that the rule names them lets the service use their keys.`
        : `${unseen}, so nothing is selected${place === undefined ? ', unless the service runs in such an account' : ''}.`,
    );
  }
  const consequences = [
    ...(except?.tags === undefined ? [] : ['none of those is excepted']),
    ...(copiesTags ? ['their copies get none'] : []),
  ];
  if (takesOthers && consequences.length > 0) notes.push(`${unseen}, so ${listed(consequences, 'and')}.`);
  if (reencrypt === true) {
    notes.push('What is under aws/ebs in a source account is first copied there under a key that can be shared.');
  }
  if (place !== undefined && regions !== undefined && !regions.includes(place.region)) {
    notes.push(`The service runs in ${place.region}, so it never sees such a snapshot.`);
  }
  return notes;
}

// --- how they are copied ---

/** Whether it selects snapshots of other accounts alone. */
function hidesTags({ select: { tags, owners } }: CopyRule, { place, companions }: Known): boolean {
  if (tags !== undefined || owners === undefined) return false;
  return !isOwn(owners, place) && !owners.some((owner) => companions.includes(owner));
}

/**
 * What is as usual is said once, in common.
 *
 * @param isHidden whether nobody sees the tags of the snapshots
 */
function explainCopies(destination: Destination, isHidden: boolean): readonly string[] {
  const { region, outpost, description, slots, deadlineSeconds, completionDurationMinutes } = destination;
  const sentences = [
    `${outpost === undefined ? 'In' : 'On'} ${nameOf(destination)}, a copy has ${tagsOf(isHidden ? { ...destination.tags, copy: 'none' } : destination.tags)}.`,
    encryptionOf(destination),
  ];
  if (description !== USUAL_DESCRIPTION) sentences.push(`It is described as ${quote(description)}.`);
  if (slots !== LIMITS.slots.usual) {
    const comparison =
      slots < LIMITS.slots.usual
        ? `which leaves ${LIMITS.slots.usual - slots} of the ${LIMITS.slots.usual} that EC2 runs at a time to others`
        : `more than the ${LIMITS.slots.usual} that EC2 runs unless AWS Support has raised that`;
    sentences.push(`It starts while fewer than ${slots} copies are pending in ${region}, ${comparison}.`);
  }
  if (completionDurationMinutes !== undefined) {
    const within = inWords(completionDurationMinutes * 60);
    sentences.push(`EC2 promises to finish it within ${within}, and charges extra for that.`);
  }
  if (deadlineSeconds !== LIMITS.deadlineSeconds.usual) {
    sentences.push(
      `If it is not complete ${inWords(deadlineSeconds)} after its start, it is given up and somebody is told.`,
    );
  }
  return sentences;
}

function nameOf({ region, outpost, localZone }: Destination): string {
  if (localZone !== undefined) return `the Local Zone ${localZone}`;
  return outpost === undefined ? region : `the Outpost ${outpost.replace(/^.*\//, '')} of ${region}`;
}

function tagsOf({ copy, add }: Destination['tags']): string {
  const copied =
    copy === 'all'
      ? 'all tags of the snapshot'
      : copy === 'none'
        ? 'no tags of the snapshot'
        : `${copy.length === 1 ? 'the tag' : 'the tags'} ${listed(copy.map(tagKey), 'and')} of the snapshot`;
  const added = Object.entries(add).map(([key, value]) => `${tagKey(key)} set to ${quote(value)}`);
  if (added.length === 0) return copied;
  return `${copied}, ${copy === 'none' ? 'but' : 'and'} ${listed(added, 'and')}`;
}

function encryptionOf({ region, outpost, localZone, encryption }: Destination): string {
  const usualKey = `the default EBS key of ${region}`;
  if (encryption.kind === 'key') {
    const where = encryption.kmsKey.startsWith('arn:') ? '' : ` of ${region}`;
    return `It is always encrypted, under the key ${encryption.kmsKey}${where}.`;
  }
  if (encryption.kind === 'account-default') return `It is always encrypted, under ${usualKey}.`;
  if (outpost !== undefined) return `It is always encrypted, as all is on Outposts, under ${usualKey}.`;
  const who = localZone === undefined ? 'the account encrypts' : 'the account or the zone encrypts';
  return `It is encrypted, under ${usualKey}, if the snapshot is or if ${who} by default there; else it is plain.`;
}

// --- what holds for all ---

function inCommon(
  rules: readonly CopyRule[],
  sourceAccounts: SourceAccounts,
  place: Place | undefined,
): readonly string[] {
  const where = place === undefined ? 'the Region where the service runs' : `${place.region}, where the service runs,`;
  const destinations = rules.flatMap((rule) => rule.destinations);
  const inPlaces = destinations.some(({ outpost, localZone }) => (outpost ?? localZone) !== undefined);
  return [
    `Only snapshots in ${where} are looked at. One that no rule selects is left alone.`,
    ...accountsWithCompanion(rules, sourceAccounts),
    ...severalRules(rules),
    'Never copied are snapshots that are not complete or ended in error, that are archived, in the recycle bin or on an Outpost, ' +
      `and the copies that this service made (tag ${COPIER_TAG.managed}).`,
    `A snapshot in a Local Zone goes to its own zone group and to the Region around it only.${inPlaces ? ' Outposts and Local Zones take snapshots of their own Region only.' : ''}`,
    `Where nothing else is said, a copy is described as ${quote(USUAL_DESCRIPTION)}, starts while fewer than ${LIMITS.slots.usual} copies are pending in its Region, and is given up, and somebody told, if it is not complete ${inWords(LIMITS.deadlineSeconds.usual)} after its start.`,
    'A copy waits for its slot: the oldest snapshot first, and one copy of a volume to a destination at a time.',
    `Every copy also gets ${Object.keys(COPIER_TAG).length} tags of this service (snapshot-copier:…), which say where it comes from.`,
  ];
}

function accountsWithCompanion(
  rules: readonly CopyRule[],
  { accounts, organization, externalId }: SourceAccounts,
): readonly string[] {
  if (accounts.length === 0) return [];
  const one = accounts.length === 1;
  const unless = rules.some(({ reencrypt }) => reencrypt === true)
    ? ', unless its rule has it copied there under another key first'
    : '';
  const senders =
    organization === undefined
      ? `Events of snapshots elsewhere are heard from ${one ? 'it' : 'them'} alone.`
      : `Every account of the organisation ${organization} may send events, and what others than ${one ? 'it' : 'these'} tell is refused.`;
  return [
    `${one ? 'Account' : 'Accounts'} ${listed(accounts, 'and')} ${one ? 'has' : 'have'} the companion: snapshots there are seen with their tags, shared with this account while they are copied, and marked with where their copies are.`,
    `${senders} The role there is taken with ${externalId === undefined ? 'the name of the install' : quote(externalId)} as external id.`,
    `What is under aws/ebs there cannot be shared, and a copy of it fails${unless}.`,
  ];
}

function severalRules(rules: readonly CopyRule[]): readonly string[] {
  if (rules.length === 1) return [];
  const named = new Map<string, string[]>();
  for (const { name, destinations } of rules) {
    for (const destination of destinations) {
      const id = destinationId(destination);
      named.set(id, [...(named.get(id) ?? []), name]);
    }
  }
  const shared = [...named].filter(([, names]) => names.length > 1);
  const examples = shared.map(([id, names]) => `To ${id} copy ${listed(names, 'and')}.`);
  const rehearsals = rules.some(({ dryRun }) => dryRun)
    ? ['A rule that rehearses never keeps a copy from another.']
    : [];
  return [
    [
      'A snapshot that several rules select gets one copy at a destination: of the first of these rules in the file.',
      ...examples,
      ...rehearsals,
    ].join(' '),
  ];
}

// --- words ---

function listed(items: readonly string[], word: 'and' | 'or'): string {
  const last = items.slice(-1);
  return items.length < 2 ? last.join('') : `${items.slice(0, -1).join(', ')} ${word} ${last.join('')}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function tagKey(key: string): string {
  return /^[\p{L}\d_.:/@+=-]+$/u.test(key) ? key : quote(key);
}

/** `48 hours`, `3 days`, `90 minutes`. */
function inWords(seconds: number): string {
  const [unit, size] =
    seconds % 86_400 === 0 && seconds > 2 * 86_400
      ? ['day', 86_400]
      : seconds % 3600 === 0
        ? ['hour', 3600]
        : ['minute', 60];
  const number = seconds / size;
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}
