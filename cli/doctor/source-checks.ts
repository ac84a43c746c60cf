import { copyParameters } from '../../core/copy-parameters.ts';
import { copyRequest } from '../../core/copy-request.ts';
import { destinationId } from '../../core/destination.ts';
import { type Fact, isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import {
  checkSelected,
  checkSourceKeyOwner,
  examplePerDestination,
  type SelectedCopy,
  selectedCopies,
  sourceKeys,
} from '../../core/doctor/source-keys.ts';
import { checkProbe, nothingToTry, type Probe } from '../../core/doctor/try-copy.ts';
import { CopierError } from '../../core/errors.ts';
import { daysBetween } from '../../core/lookback.ts';
import { destinations } from '../../core/rule-destinations.ts';
import { seenSources } from '../../core/seen-sources.ts';
import { shellWord } from '../../core/shell-word.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import { type Examination, rulesWith } from './examination.ts';
import { examineKey } from './key-checks.ts';

/** How far back snapshots are looked at: a weekend, for those that are made on working days. */
const DAYS = 3;
/** Sets of different keys are small; with a key per volume a look at some hundreds has to do. */
const MOST_KEYS = 200;

/** What the rules select of the snapshots of the last days. That an account cannot be looked into is a finding of its own. */
export async function lookAtSelected(examination: Examination): Promise<Fact<readonly SelectedCopy[]>> {
  const { look, looks, visible, snapshots, deployment, allRules, rules, sourceAccounts } = examination;
  const { account, region } = deployment.install;
  const now = examination.now();
  const days = daysBetween(new Date(now.getTime() - DAYS * 86_400_000), now);
  const list = (whose: 'own' | 'shared') =>
    look(['ec2:DescribeSnapshots'], () => snapshots.begunOn(region, days, whose));
  const companions = sourceAccounts.accounts;
  const owners = sourceOwners(allRules, companions);
  const [own, shared, ...viewed] = await Promise.all([
    list('own'),
    owners.shared.length === 0 ? { value: [] } : list('shared'),
    ...owners.withCompanion
      .filter((each) => visible.includes(each))
      .map((each) => look(['lambda:InvokeFunction'], async () => (await looks?.begunOn(each, region, days)) ?? [])),
  ]);
  if (!isKnown(own)) return own;
  if (!isKnown(shared)) return shared;
  const seen = viewed.flatMap((fact) => (isKnown(fact) ? fact.value : []));
  const sources = seenSources({ own: own.value, shared: shared.value, viewed: seen }, companions);
  const copies = selectedCopies(sources, allRules, account);
  const chosen = new Set(rules.map(({ name }) => name));
  return { value: copies.filter(({ rule }) => chosen.has(rule.name)) };
}

/** What the rules select lately, and the keys of that. */
export async function checkSources(
  examination: Examination,
  selected: Promise<Fact<readonly SelectedCopy[]>>,
): Promise<readonly Finding[]> {
  const { rules, allRules, deployed, deployment, sourceAccounts } = examination;
  const { account, region } = deployment.install;
  const copies = await selected;
  const look =
    deployed === undefined
      ? {
          say: 'See whether the rules say what you mean:',
          run: [`snapshot-copier rules explain ${shellWord(deployment.rulesFile)}`],
        }
      : { say: 'See what becomes of snapshots of a longer time, and why:', run: ['snapshot-copier plan --since 30d'] };
  const about = checkSelected(copies, rules, { region, days: DAYS, look });
  if (!isKnown(copies)) return about;
  const keys = sourceKeys(copies.value, region).slice(0, MOST_KEYS);
  const ofKeys = await Promise.all(
    keys.map(async (key) => [
      ...checkSourceKeyOwner(key, allRules, sourceAccounts.accounts, account),
      ...(await examineKey(examination, key)),
    ]),
  );
  return [...about, ...ofKeys.flat()];
}

/** EC2's word on a copy to each destination, which copies nothing. */
export async function tryCopies(
  examination: Examination,
  selected: Promise<Fact<readonly SelectedCopy[]>>,
): Promise<readonly Finding[]> {
  const copies = await selected;
  const all = isKnown(copies) ? copies.value : [];
  // What its owner alone sees is shared only while it is copied; until then EC2 finds no such snapshot.
  const examples = examplePerDestination(all.filter(({ snapshot }) => snapshot.viewedByOwner !== true));
  const places = await Promise.all(
    destinations(examination.rules).map(async (destination) =>
      (await examination.canAsk(destination.region)) ? [destinationId(destination)] : [],
    ),
  );
  const untried = places
    .flat()
    .filter((where) => !examples.some(({ destination }) => destinationId(destination) === where));
  const rules = rulesWith(examination, (destination) => untried.includes(destinationId(destination)));
  const tried = examples.filter(({ destination }) => places.flat().includes(destinationId(destination)));
  return [
    ...(await Promise.all(tried.map((example) => tryCopy(examination, example)))),
    ...(untried.length === 0 ? [] : [nothingToTry(untried, rules, DAYS, all.length > 0)]),
  ];
}

async function tryCopy({ snapshots, deployment, look }: Examination, example: SelectedCopy): Promise<Finding> {
  const { snapshot, rule, destination } = example;
  const { parameters } = copyParameters(copyRequest(snapshot, rule, destination), deployment.install.name);
  const fact = await look(['ec2:CopySnapshot'], async (): Promise<Probe> => {
    try {
      await snapshots.probeCopy(destination.region, parameters);
      return { allowed: true };
    } catch (error) {
      if (error instanceof CopierError) return { refused: error.message };
      throw error;
    }
  });
  return checkProbe(example, isKnown(fact) ? fact.value : { refused: fact.unknown }, deployment.install);
}
