import { COPIER_TAG } from '../copier-tags.ts';
import { destinationId } from '../destination.ts';
import { printDuration } from '../duration.ts';
import { partitionOf } from '../region.ts';
import { parseKmsKey } from './kms-key.ts';
import { LIMITS } from './limits.ts';
import { problemAt, type RuleProblem } from './problems.ts';
import { isRight, type ReadableDestination, type ReadableRule, readWhatIsRight } from './readable.ts';

/**
 * Checks that need more than one field. They run even if other fields are wrong, so that one look shows everything; a
 * check that would need a field that is wrong by itself is left out.
 */
export function crossCheck(document: unknown): readonly RuleProblem[] {
  const { rules, hasSourceAccounts } = readWhatIsRight(document);
  const findings = [
    ...sameNames(rules),
    ...otherPartitions(rules),
    ...(hasSourceAccounts ? [] : reencryptsNowhere(rules)),
    ...rules.flatMap((rule, r) => [
      ...sameDestinations(rule, ['rules', r, 'destinations']),
      ...rule.destinations.flatMap((destination, d) => {
        const at: Path = ['rules', r, 'destinations', d];
        return [
          ...outpostFindings(destination, at),
          ...localZoneFindings(destination, at),
          ...outOfReach(destination, rule.select.regions, at),
          ...keyFindings(destination, at),
          ...timeFindings(destination, at),
          ...tagFindings(destination, at),
        ];
      }),
    ]),
  ];
  return findings.map(({ path, problem, example }) => problemAt(document, path, problem, example));
}

type Path = readonly (string | number)[];

interface Finding {
  readonly path: Path;
  readonly problem: string;
  readonly example?: string;
}

function sameNames(rules: readonly ReadableRule[]): readonly Finding[] {
  const names = rules.map((rule) => rule.name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (!isRight(name) || first === index) return [];
    const problem = `is the name of rules[${first}] already`;
    return [{ path: ['rules', index, 'name'], problem, example: `${name.slice(0, 60)}-${index + 1}` }];
  });
}

/** EC2 copies only within a partition, and IAM refuses a policy that names another one. */
function otherPartitions(rules: readonly ReadableRule[]): readonly Finding[] {
  const places = rules.flatMap(({ select, destinations }, r) => [
    ...select.regions.map((region, index) => ({ region, path: ['rules', r, 'select', 'regions', index] })),
    ...destinations.map(({ region }, index) => ({ region, path: ['rules', r, 'destinations', index, 'region'] })),
  ]);
  const [first, ...others] = places.flatMap(({ region, path }) => (isRight(region) ? [{ region, path }] : []));
  if (first === undefined) return [];
  const home = `${first.region} is in ${partitionOf(first.region)}`;
  return others
    .filter(({ region }) => partitionOf(region) !== partitionOf(first.region))
    .map(({ region, path }) => ({
      path,
      problem: `is in partition ${partitionOf(region)}, but ${home}, and no copy leaves its partition`,
      example: first.region,
    }));
}

/** Beside `rules`. */
const SOURCE_ACCOUNTS = 'sourceAccounts: { accounts: ["111122223333"] }';

/** A copy under another key in the source account is made by the companion's role, so there has to be a companion. */
function reencryptsNowhere(rules: readonly ReadableRule[]): readonly Finding[] {
  const problem =
    'needs sourceAccounts, beside rules: only accounts with the companion can copy under a shareable key first';
  return rules.flatMap(({ reencrypt }, r) =>
    reencrypt === true ? [{ path: ['rules', r, 'reencrypt'], problem, example: SOURCE_ACCOUNTS }] : [],
  );
}

function sameDestinations({ destinations }: ReadableRule, at: Path): readonly Finding[] {
  const ids = destinations.map(({ region, outpost, localZone }) =>
    isRight(region) && outpost !== null && localZone !== null
      ? destinationId({
          region,
          ...(outpost !== undefined && { outpost }),
          ...(localZone !== undefined && { localZone }),
        })
      : undefined,
  );
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (id === undefined || first === index) return [];
    return [{ path: [...at, index], problem: `is ${id}, as destinations[${first}] is; a destination gets one copy` }];
  });
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html */
function outpostFindings({ region, outpost, completionDuration }: ReadableDestination, at: Path): readonly Finding[] {
  if (!isRight(outpost)) return [];
  const findings: Finding[] = [];
  if (isRight(completionDuration)) findings.push(noTimeBasedCopies(at, 'outpost'));
  const [, partition = '', , outpostRegion = ''] = outpost.split(':');
  if (isRight(region) && (outpostRegion !== region || partition !== partitionOf(region))) {
    const example = outpost
      .replace(`:${partition}:`, `:${partitionOf(region)}:`)
      .replace(`:${outpostRegion}:`, `:${region}:`);
    const problem = `is not an Outpost of the destination's Region, ${region}`;
    findings.push({ path: [...at, 'outpost'], problem, example });
  }
  return findings;
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html */
function localZoneFindings(destination: ReadableDestination, at: Path): readonly Finding[] {
  const { region, outpost, localZone, completionDuration } = destination;
  if (!isRight(localZone)) return [];
  const path = [...at, 'localZone'];
  const findings: Finding[] = [];
  if (isRight(outpost)) findings.push({ path, problem: 'stands beside outpost; a copy goes to one of them' });
  else if (isRight(completionDuration)) findings.push(noTimeBasedCopies(at, 'localZone'));
  if (isRight(region) && !localZone.startsWith(`${region}-`)) {
    const problem = `is not a Local Zone of the destination's Region, ${region}, with which its name would begin`;
    findings.push({ path, problem, example: `${region}-lax-1a` });
  }
  return findings;
}

function noTimeBasedCopies(at: Path, place: string): Finding {
  return {
    path: [...at, 'completionDuration'],
    problem: `stands beside ${place}, and EC2 makes no time-based copies there; leave it out`,
  };
}

/** Both kinds of place take snapshots of their own Region only, so a rule for others would never copy anything there. */
function outOfReach(
  { region, outpost, localZone }: ReadableDestination,
  sourceRegions: ReadableRule['select']['regions'],
  at: Path,
): readonly Finding[] {
  const place = isRight(outpost) ? 'outpost' : 'localZone';
  if (!isRight(region) || !isRight(outpost ?? localZone)) return [];
  if (sourceRegions.length === 0 || sourceRegions.some((from) => from === null || from === region)) return [];
  const problem = `takes snapshots of its own Region only, ${region}, which select.regions leaves out`;
  return [{ path: [...at, place], problem }];
}

function keyFindings({ region, encryption }: ReadableDestination, at: Path): readonly Finding[] {
  const kmsKey = encryption?.kmsKey ?? '';
  const arn = parseKmsKey(kmsKey)?.arn;
  if (arn === undefined || !isRight(region)) return [];
  const partition = partitionOf(region);
  if (arn.region === region && arn.partition === partition) return [];
  const start = `arn:${partition}:kms:${region}:`;
  const problem = `is a key of ${arn.region}; EC2 takes only keys of the destination's Region, whose ARNs begin with ${start}`;
  return [
    {
      path: [...at, 'encryption', 'kmsKey'],
      problem,
      example: kmsKey.replace(`arn:${arn.partition}:kms:${arn.region}:`, start),
    },
  ];
}

function timeFindings({ completionDuration, deadline }: ReadableDestination, at: Path): readonly Finding[] {
  if (!isRight(completionDuration) || deadline === null) return [];
  const { usual } = LIMITS.deadlineSeconds;
  if ((deadline ?? usual) > completionDuration) return [];
  const wanted = printDuration(completionDuration);
  if (deadline === undefined) {
    const problem = `needs a longer deadline beside it; without one it is ${printDuration(usual)}`;
    return [{ path: [...at, 'completionDuration'], problem, example: '24h' }];
  }
  const problem = `must be longer than completionDuration, which is ${wanted}`;
  return [{ path: [...at, 'deadline'], problem, example: printDuration(completionDuration * 2) }];
}

function tagFindings({ tags }: ReadableDestination, at: Path): readonly Finding[] {
  const own = Object.keys(COPIER_TAG).length;
  const added = Object.keys(tags.add ?? {});
  const copied = Array.isArray(tags.copy) ? tags.copy : [];
  const together = new Set([...added, ...copied]).size;
  const tooMany = (count: number) =>
    `makes ${count} tags, and with the ${own} of this service EC2's ${LIMITS.tags} are exceeded`;
  if (added.length + own > LIMITS.tags) return [{ path: [...at, 'tags', 'add'], problem: tooMany(added.length) }];
  if (together + own > LIMITS.tags) return [{ path: [...at, 'tags', 'copy'], problem: tooMany(together) }];
  return [];
}
