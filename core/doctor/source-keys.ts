import type { Step } from '../alert-layout.ts';
import { type Destination, destinationId } from '../destination.ts';
import { parseKmsKey } from '../rules/kms-key.ts';
import type { CopyRule } from '../rules.ts';
import { selectDestinations } from '../selection.ts';
import type { Snapshot } from '../snapshot.ts';
import { sourceOwners } from '../source-owners.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import { type KeyInUse, keyInWords } from './key.ts';
import { selectionSnippet } from './rules-snippet.ts';

/** A snapshot that a rule selects, and where it goes. */
export interface SelectedCopy {
  readonly snapshot: Snapshot;
  readonly rule: CopyRule;
  readonly destination: Destination;
}

/** What the rules select of these snapshots, the newest first. */
export function selectedCopies(
  snapshots: readonly Snapshot[],
  rules: readonly CopyRule[],
  account: string,
): readonly SelectedCopy[] {
  return snapshots
    .toSorted((a, b) => Date.parse(b.startTime) - Date.parse(a.startTime))
    .flatMap((snapshot) =>
      selectDestinations(snapshot, rules, { account }).flatMap(({ action, rule, destination }) =>
        action === 'copy' ? [{ snapshot, rule, destination }] : [],
      ),
    );
}

/**
 * Whether every rule selects something: one that never does is a rule that somebody trusts in vain.
 *
 * @param look how somebody sees why
 */
export function checkSelected(
  copies: Fact<readonly SelectedCopy[]>,
  rules: readonly CopyRule[],
  { region, days, look }: { readonly region: string; readonly days: number; readonly look: Step },
): readonly Finding[] {
  const check = 'selected';
  const about = `snapshots of the last ${days} days in ${region}`;
  const why = 'A rule that selects nothing protects nothing.';
  if (!isKnown(copies)) return [couldNotCheck(copies, { check, about, why })];
  const idle = rules
    .filter(({ select: { regions } }) => regions === undefined || regions.includes(region))
    .map(({ name }) => name)
    .filter((name) => !copies.value.some(({ rule }) => rule.name === name));
  const selected = new Set(copies.value.map(({ snapshot }) => snapshot.snapshotId)).size;
  const found = selected === 1 ? '1 is selected' : `${selected} are selected`;
  return [
    ...(selected === 0 ? [] : [fine({ check, about, found })]),
    ...(idle.length === 0
      ? []
      : [
          {
            check,
            about,
            rules: idle,
            status: 'hint' as const,
            found: 'none is selected',
            why,
            mend: [look],
          },
        ]),
  ];
}

/**
 * The keys of the selected snapshots, each once.
 *
 * @param region of the snapshots, and so of their keys
 */
export function sourceKeys(copies: readonly SelectedCopy[], region: string): readonly KeyInUse[] {
  const encrypted = copies.flatMap(({ snapshot: { kmsKeyId }, ...copy }) =>
    kmsKeyId === undefined ? [] : [{ kmsKeyId, ...copy }],
  );
  return [...Map.groupBy(encrypted, ({ kmsKeyId }) => kmsKeyId)].map(([name, under]) => ({
    name,
    region,
    as: 'source',
    rules: distinct(under.map(({ rule }) => rule.name)),
    usedFrom: distinct([region, ...under.map(({ destination }) => destination.region)]),
  }));
}

/**
 * Whether the role of the service may use a source key at all: its policy names the accounts whose keys it may use,
 * and these follow from the rules.
 */
export function checkSourceKeyOwner(
  key: KeyInUse,
  rules: readonly CopyRule[],
  companions: readonly string[],
  account: string,
): readonly Finding[] {
  const owner = parseKmsKey(key.name)?.arn?.account;
  const { own, shared, named, withCompanion } = sourceOwners(rules, companions);
  if (owner === undefined || shared === 'any' || [...named, ...withCompanion].includes(owner)) return [];
  if (own === 'always' && owner === account) return [];
  return [
    {
      check: 'source-key-owner',
      about: keyInWords(key),
      rules: key.rules,
      status: 'problem',
      found: `it belongs to account ${owner}, whose keys the role of the service may not use`,
      why: 'The role may use keys of the accounts that the rules name, so copies of snapshots under this one fail.',
      mend: rules
        .filter(({ name }) => name === key.rules[0])
        .map(({ name, select: { owners = ['self'] } }) => ({
          say: 'Name that account among the owners of the rule, and deploy:',
          paste: selectionSnippet(
            name,
            `owners: [${distinct([...owners, owner])
              .map(inYaml)
              .join(', ')}]`,
          ),
        })),
    },
  ];
}

/** The newest selected snapshot for each place that the rules copy to. */
export function examplePerDestination(copies: readonly SelectedCopy[]): readonly SelectedCopy[] {
  return [...Map.groupBy(copies, ({ destination }) => destinationId(destination)).values()].flatMap((of) =>
    of.slice(0, 1),
  );
}

/** YAML reads account ids as numbers. */
function inYaml(owner: string): string {
  return owner === 'self' ? owner : `"${owner}"`;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
