import * as z from 'zod/mini';
import { catch as otherwise } from 'zod/mini';
import { COPIER_TAG } from '../copier-tags.ts';
import { destinationId } from '../destination.ts';
import { printDuration } from '../duration.ts';
import { partitionOf } from '../region.ts';
import { parseKmsKey } from './kms-key.ts';
import { LIMITS } from './limits.ts';
import { problemAt, type RuleProblem } from './problems.ts';
import * as schema from './schema.ts';

/**
 * Checks that need more than one field. They run even if other fields are wrong, so that one look shows everything:
 * a field that is wrong by itself counts as not given here.
 */
export function crossCheck(document: unknown): readonly RuleProblem[] {
  const { rules } = readable.parse(document);
  const wrong = (path: Path, problem: string, example?: string) => problemAt(document, path, problem, example);
  return [
    ...sameNames(rules, wrong),
    ...otherPartitions(rules, wrong),
    ...rules.flatMap((rule, r) => [
      ...sameDestinations(rule, ['rules', r], wrong),
      ...rule.destinations.flatMap((destination, d) => {
        const at: Path = ['rules', r, 'destinations', d];
        return [
          ...placeProblems(destination, rule.select.regions, at, wrong),
          ...keyProblems(destination, at, wrong),
          ...timeProblems(destination, at, wrong),
          ...tagProblems(destination, at, wrong),
        ];
      }),
    ]),
  ];
}

type Path = readonly (string | number)[];
type Wrong = (path: Path, problem: string, example?: string) => RuleProblem;

const ifRight = <T>(field: z.ZodMiniType<T>) => otherwise(z.optional(field), undefined);

const readableDestination = otherwise(
  z.object({
    region: ifRight(schema.region),
    outpost: ifRight(schema.outpost),
    localZone: ifRight(schema.localZone),
    encryption: ifRight(z.object({ kmsKey: schema.kmsKey })),
    completionDuration: ifRight(schema.completionDuration),
    deadline: ifRight(schema.deadline),
    tags: otherwise(z.object({ copy: ifRight(schema.tagsToCopy), add: ifRight(schema.tagsToAdd) }), {}),
  }),
  { tags: {} },
);

const readableRule = otherwise(
  z.object({
    name: ifRight(schema.ruleName),
    select: otherwise(z.object({ regions: otherwise(z.array(ifRight(schema.region)), []) }), { regions: [] }),
    destinations: otherwise(z.array(readableDestination), []),
  }),
  { select: { regions: [] }, destinations: [] },
);

const readable = otherwise(z.object({ rules: otherwise(z.array(readableRule), []) }), { rules: [] });

type ReadableRule = z.infer<typeof readableRule>;
type ReadableDestination = z.infer<typeof readableDestination>;

function sameNames(rules: readonly ReadableRule[], wrong: Wrong): readonly RuleProblem[] {
  const names = rules.map((rule) => rule.name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [wrong(['rules', index, 'name'], `is the name of rules[${first}] already`, `${name}-${index + 1}`)];
  });
}

/** EC2 copies only within a partition, and a policy that names another one is refused. */
function otherPartitions(rules: readonly ReadableRule[], wrong: Wrong): readonly RuleProblem[] {
  const regions = rules.flatMap(({ select, destinations }, r) => [
    ...select.regions.map((region, index) => ({ region, path: ['rules', r, 'select', 'regions', index] })),
    ...destinations.map(({ region }, index) => ({ region, path: ['rules', r, 'destinations', index, 'region'] })),
  ]);
  const [first, ...others] = regions.flatMap(({ region, path }) => (region === undefined ? [] : [{ region, path }]));
  if (first === undefined) return [];
  return others
    .filter(({ region }) => partitionOf(region) !== partitionOf(first.region))
    .map(({ region, path }) =>
      wrong(
        path,
        `is in partition ${partitionOf(region)}, but ${first.region} is in ${partitionOf(first.region)}, and no copy leaves its partition`,
        first.region,
      ),
    );
}

function sameDestinations({ destinations }: ReadableRule, at: Path, wrong: Wrong): readonly RuleProblem[] {
  const ids = destinations.map(({ region, outpost, localZone }) =>
    region === undefined
      ? undefined
      : destinationId({
          region,
          ...(outpost !== undefined && { outpost }),
          ...(localZone !== undefined && { localZone }),
        }),
  );
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (id === undefined || first === index) return [];
    return [
      wrong(
        [...at, 'destinations', index],
        `is ${id}, as destinations[${first}] is; one copy goes to each destination`,
      ),
    ];
  });
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html and snapshots-localzones.html */
function placeProblems(
  { region, outpost, localZone, completionDuration }: ReadableDestination,
  sourceRegions: ReadableRule['select']['regions'],
  at: Path,
  wrong: Wrong,
): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  const place = outpost === undefined ? 'localZone' : 'outpost';
  if (outpost !== undefined && localZone !== undefined) {
    problems.push(wrong([...at, 'localZone'], 'stands beside outpost; a copy goes to one of them'));
  }
  if (outpost === undefined && localZone === undefined) return problems;
  if (completionDuration !== undefined) {
    problems.push(
      wrong([...at, 'completionDuration'], `stands beside ${place}, and EC2 makes no time-based copies there`),
    );
  }
  if (region === undefined) return problems;
  if (outpost !== undefined) {
    const [, partition = '', , outpostRegion = ''] = outpost.split(':');
    if (outpostRegion !== region || partition !== partitionOf(region)) {
      const right = outpost.replace(
        `:${partition}:outposts:${outpostRegion}:`,
        `:${partitionOf(region)}:outposts:${region}:`,
      );
      problems.push(wrong([...at, 'outpost'], `is not an Outpost of the destination's Region, ${region}`, right));
    }
  }
  if (localZone !== undefined && !localZone.startsWith(`${region}-`)) {
    const problem = `is not a Local Zone of the destination's Region, ${region}, with which its name would begin`;
    problems.push(wrong([...at, 'localZone'], problem, `${region}-lax-1a`));
  }
  const elsewhere = sourceRegions.length > 0 && !sourceRegions.some((from) => from === undefined || from === region);
  if (elsewhere) {
    const problem = `can only take snapshots of its own Region, ${region}, which select.regions leaves out`;
    problems.push(wrong([...at, place], problem));
  }
  return problems;
}

function keyProblems({ region, encryption }: ReadableDestination, at: Path, wrong: Wrong): readonly RuleProblem[] {
  const arn = encryption === undefined ? undefined : parseKmsKey(encryption.kmsKey)?.arn;
  if (encryption === undefined || arn === undefined || region === undefined) return [];
  const path = [...at, 'encryption', 'kmsKey'];
  const right = encryption.kmsKey.replace(
    `arn:${arn.partition}:kms:${arn.region}:`,
    `arn:${partitionOf(region)}:kms:${region}:`,
  );
  if (arn.region !== region) {
    return [
      wrong(path, `is a key of ${arn.region}; EC2 takes only keys of the destination's Region, ${region}`, right),
    ];
  }
  if (arn.partition !== partitionOf(region)) {
    return [wrong(path, `is an ARN of partition ${arn.partition}, but ${region} is in ${partitionOf(region)}`, right)];
  }
  return [];
}

function timeProblems(
  { completionDuration, deadline }: ReadableDestination,
  at: Path,
  wrong: Wrong,
): readonly RuleProblem[] {
  if (completionDuration === undefined) return [];
  const wanted = printDuration(completionDuration);
  if (deadline === undefined) {
    const usual = LIMITS.deadlineSeconds.usual;
    if (usual > completionDuration) return [];
    const problem = `needs a longer deadline beside it; without one it is ${printDuration(usual)}`;
    return [wrong([...at, 'completionDuration'], problem, `${wanted}, and deadline: 3d`)];
  }
  if (deadline > completionDuration) return [];
  const problem = `must be longer than completionDuration, which is ${wanted}`;
  return [wrong([...at, 'deadline'], problem, printDuration(completionDuration * 2))];
}

function tagProblems({ tags }: ReadableDestination, at: Path, wrong: Wrong): readonly RuleProblem[] {
  const own = Object.keys(COPIER_TAG).length;
  const added = Object.keys(tags.add ?? {});
  const copied = Array.isArray(tags.copy) ? tags.copy : [];
  const together = new Set([...added, ...copied]).size;
  const sum = (count: number) =>
    `${count} tags and the ${own} of this service exceed EC2's ${LIMITS.tags} on a snapshot`;
  if (added.length + own > LIMITS.tags) return [wrong([...at, 'tags', 'add'], sum(added.length))];
  if (together + own > LIMITS.tags) return [wrong([...at, 'tags', 'copy'], sum(together))];
  return [];
}
