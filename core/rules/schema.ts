import * as z from 'zod/mini';
import { parseDuration } from '../duration.ts';
import { isRegion, LOCAL_ZONE_PATTERN } from '../region.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseKmsKey } from './kms-key.ts';
import { LIMITS, PLACEHOLDERS } from './limits.ts';

/**
 * The shape of `copy-rules.yml`, and for each single field what EC2 or the service would refuse of it.
 * What needs two fields to see is in cross-checks.ts; the wording of wrong kinds of values is in fields.ts.
 */

/** A check whose answer is the problem, or undefined. */
function but<T>(problemOf: (value: T) => string | undefined): z.core.$ZodCheck<T> {
  return z.check<T>((payload) => {
    const message = problemOf(payload.value);
    if (message !== undefined) {
      payload.issues.push({ code: 'custom', message, input: payload.value, continue: true });
    }
  });
}

const someOf = <T>(items: z.ZodMiniType<T>, ifEmpty = 'is empty; leave the key out or name at least one') =>
  z.array(items).check(but((list) => (list.length === 0 ? ifEmpty : undefined)));

const matching = (pattern: RegExp, problem: string) =>
  z.string().check(but((text) => (pattern.test(text) ? undefined : problem)));

/** Ids end in a direction and a number, so a typing error or an Availability Zone can be told without a list of Regions. */
const DIRECTION = /-(?:north|south)?(?:east|west)-\d$|-(?:north|south|central)-\d$/;

export const region = z.string().check(
  but((text) => {
    if (isRegion(text) && DIRECTION.test(text)) return undefined;
    return isRegion(text.slice(0, -1)) ? 'is an Availability Zone, not a Region' : 'is not the id of a Region';
  }),
);

const tagKey = (longest: number) =>
  z.string().check(
    but((key) => {
      if (key === '') return 'is empty';
      return key.length > longest ? `has ${key.length} characters; EC2 takes ${longest} at most` : undefined;
    }),
  );

const writableTagKey = tagKey(LIMITS.tagKey).check(
  but((key) => {
    if (/^aws:/i.test(key)) return 'begins with aws:, and only AWS can write such tags';
    return key.startsWith('snapshot-copier:')
      ? "begins with snapshot-copier:, the prefix of this service's own tags"
      : undefined;
  }),
);

const tagValue = z
  .string()
  .check(
    but((text) =>
      text.length > LIMITS.tagValue ? `has ${text.length} characters; EC2 takes ${LIMITS.tagValue} at most` : undefined,
    ),
  );

const criteriaFields = {
  tags: z.exactOptional(
    z
      .record(
        tagKey(128),
        z.union([z.literal(true), someOf(z.string(), 'is empty; give values, or true for any value')]),
      )
      .check(but((tags) => (Object.keys(tags).length === 0 ? 'is empty; leave the key out or name a tag' : undefined))),
  ),
  owners: z.exactOptional(someOf(matching(/^(?:self|\d{12})$/, 'is neither self nor an account id of 12 digits'))),
  description: z.exactOptional(z.string().check(but(regularExpressionProblem))),
  volumes: z.exactOptional(someOf(matching(/^vol-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 'is not a volume id'))),
  regions: z.exactOptional(someOf(region)),
};

const select = z.strictObject({
  ...criteriaFields,
  except: z.exactOptional(
    z
      .strictObject(criteriaFields)
      .check(
        but((criteria) =>
          Object.keys(criteria).length === 0
            ? 'is empty, and would except every snapshot; leave the key out'
            : undefined,
        ),
      ),
  ),
});

function regularExpressionProblem(text: string): string | undefined {
  if (text === '') return 'is empty, and would match every description; leave the key out';
  try {
    new RegExp(text, 'u');
    return undefined;
  } catch (error) {
    return `is no regular expression (${String(error)})`;
  }
}

/** A duration, read as seconds. */
const duration = (problemOf: (seconds: number) => string | undefined) =>
  z.pipe(
    z.string(),
    z.transform((text, context) => {
      const seconds = parseDuration(text);
      const message = seconds === undefined ? 'is not a duration: a whole number and m, h or d' : problemOf(seconds);
      if (seconds !== undefined && message === undefined) return seconds;
      context.issues.push({ code: 'custom', message, input: text });
      return z.NEVER;
    }),
  );

export const deadline = duration((seconds) => {
  if (seconds < LIMITS.deadlineSeconds.least) return 'is shorter than 15m, the shortest deadline';
  return seconds > LIMITS.deadlineSeconds.most ? 'is longer than 14d, the longest deadline' : undefined;
});

export const completionDuration = duration((seconds) => {
  const { least, most, step } = LIMITS.completionDurationMinutes;
  if (seconds < least * 60) return 'is shorter than 15m, the shortest that EC2 takes';
  if (seconds > most * 60) return 'is longer than 48h, the longest that EC2 takes';
  return seconds % (step * 60) === 0 ? undefined : 'is no multiple of 15m, and EC2 takes no other';
});

function descriptionProblem(template: string): string | undefined {
  const names = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const unknown = names.find((name) => !PLACEHOLDERS.includes(name));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, PLACEHOLDERS);
    const help = meant === undefined ? `known are {${PLACEHOLDERS.join('}, {')}}` : `did you mean {${meant}}?`;
    return `has the unknown placeholder {${unknown}}; ${help}`;
  }
  const fixed = template.replaceAll(/\{\w+\}/g, '');
  if (/[{}]/.test(fixed)) return 'has a brace without its partner; braces are for placeholders only';
  return fixed.length > LIMITS.description
    ? `has ${fixed.length} characters beside its placeholders; EC2 takes ${LIMITS.description} in all`
    : undefined;
}

export const ruleName = matching(/^[A-Za-z0-9_-]{1,64}$/, `must be 1 to ${LIMITS.ruleName} letters, digits, _ or -`);

export const kmsKey = z
  .string()
  .check(
    but((text) => (parseKmsKey(text) ? undefined : 'is neither a key id, alias/name, a key ARN nor an alias ARN')),
  );

export const outpost = matching(
  /^arn:aws[a-z-]*:outposts:[a-z0-9-]+:\d{12}:outpost\/op-[0-9a-f]{17}$/,
  'is not the ARN of an Outpost',
);

export const localZone = matching(LOCAL_ZONE_PATTERN, 'is not the name of a Local Zone');

export const tagsToCopy = z.union([
  z.literal(['all', 'none']),
  someOf(writableTagKey, 'is empty; write none to copy no tags'),
]);

export const tagsToAdd = z.record(writableTagKey, tagValue);

const destination = z.strictObject({
  region,
  outpost: z.exactOptional(outpost),
  localZone: z.exactOptional(localZone),
  encryption: z.exactOptional(z.union([z.literal(['as-source', 'account-default']), z.strictObject({ kmsKey })])),
  description: z.exactOptional(z.string().check(but(descriptionProblem))),
  tags: z.exactOptional(z.strictObject({ copy: z.exactOptional(tagsToCopy), add: z.exactOptional(tagsToAdd) })),
  slots: z.exactOptional(
    z
      .int()
      .check(
        but((slots) => (slots < 1 || slots > LIMITS.slots.most ? `must be from 1 to ${LIMITS.slots.most}` : undefined)),
      ),
  ),
  deadline: z.exactOptional(deadline),
  completionDuration: z.exactOptional(completionDuration),
});

const accountId = matching(/^\d{12}$/, 'is no account id of 12 digits');

const sourceAccounts = z.strictObject({
  accounts: someOf(accountId, 'is empty; name at least one, or leave sourceAccounts out').check(
    but((accounts) => {
      const twice = accounts.find((account, index) => accounts.indexOf(account) !== index);
      return twice === undefined ? undefined : `has ${twice} twice`;
    }),
  ),
  organization: z.exactOptional(matching(/^o-[a-z0-9]{10,32}$/, 'is not the id of an organisation')),
  externalId: z.exactOptional(
    matching(/^[\w+=,.@:/-]{2,1224}$/, 'is no external id: 2 to 1224 letters, digits and + = , . @ : / - _'),
  ),
});

export const rulesFile = z.strictObject({
  sourceAccounts: z.exactOptional(sourceAccounts),
  rules: someOf(
    z.strictObject({
      name: ruleName,
      select: z.exactOptional(select),
      destinations: someOf(destination, 'is empty; a rule needs at least one destination'),
      dryRun: z.exactOptional(z.boolean()),
      reencrypt: z.exactOptional(z.boolean()),
    }),
    'is empty; without a rule nothing is ever copied',
  ),
});

/** The file as written: every field right by itself, defaults not filled in. */
export type RulesFile = z.infer<typeof rulesFile>;
export type RuleAsWritten = RulesFile['rules'][number];
export type DestinationAsWritten = RuleAsWritten['destinations'][number];
