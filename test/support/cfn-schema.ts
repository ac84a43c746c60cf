import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import * as z from 'zod';

type SpecDatabase = Awaited<ReturnType<typeof loadAwsServiceSpec>>;
type ResourceProperties = NonNullable<ReturnType<typeof resourceOf>>['properties'];
type PropertyType = ResourceProperties[string]['type'];

/** A CloudFormation template, as far as it needs no schemas. */
const template = z.strictObject({
  AWSTemplateFormatVersion: z.literal('2010-09-09').optional(),
  Description: z.string().optional(),
  Metadata: z.record(z.string(), z.unknown()).optional(),
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(
    z.string().regex(/^[A-Za-z0-9]+$/),
    z.strictObject({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      DependsOn: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
      Condition: z.string().optional(),
      DeletionPolicy: z.enum(['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot']).optional(),
      UpdateReplacePolicy: z.enum(['Delete', 'Retain', 'Snapshot']).optional(),
    }),
  ),
  Outputs: z
    .record(
      z.string(),
      z.strictObject({
        Description: z.string().optional(),
        Value: z.unknown(),
        Export: z.strictObject({ Name: z.unknown() }).optional(),
        Condition: z.string().optional(),
      }),
    )
    .default({}),
});

export type Template = z.infer<typeof template>;

/** Throws what is wrong with the template's outline. */
export function parseTemplate(document: unknown): Template {
  const parsed = template.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new Error(`This is no CloudFormation template:\n${z.prettifyError(parsed.error)}`);
}

/**
 * What CloudFormation would refuse of a template, or silently ignore: types, properties and values against its own
 * resource schemas, and everything that refers to something else. Not checked: policies and limits.
 */
export async function templateProblems(document: unknown): Promise<readonly string[]> {
  const parsed = parseTemplate(document);
  const spec = await loadedOnce();
  return [...new References(parsed, spec).problems(), ...resourceProblems(parsed, spec), ...cycles(parsed)];
}

let loading: Promise<SpecDatabase> | undefined;
function loadedOnce(): Promise<SpecDatabase> {
  loading ??= loadAwsServiceSpec();
  return loading;
}

// --- values ---

function resourceProblems({ Resources }: Template, spec: SpecDatabase): readonly string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const resource = resourceOf(spec, Type);
    if (resource === undefined) return [`${id}: there is no resource type ${Type}`];
    return propertyProblems(spec, resource.properties, Properties, id);
  });
}

function resourceOf(spec: SpecDatabase, type: string) {
  return spec.lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

function propertyProblems(
  spec: SpecDatabase,
  properties: ResourceProperties,
  values: Readonly<Record<string, unknown>>,
  at: string,
): readonly string[] {
  const missing = Object.entries(properties)
    .filter(([name, { required }]) => required === true && !Object.hasOwn(values, name))
    .map(([name]) => `${at}.${name} is missing`);
  const present = Object.entries(values).flatMap(([name, value]) => {
    const property = properties[name];
    if (property === undefined) return [`${at}.${name} is not a property`];
    const problems = [property.type, ...(property.previousTypes ?? [])].map((type) =>
      valueProblems(spec, type, value, `${at}.${name}`),
    );
    return fewest(problems);
  });
  return [...missing, ...present];
}

function valueProblems(spec: SpecDatabase, type: PropertyType, value: unknown, at: string): readonly string[] {
  const call = intrinsicOf(value);
  if (call !== undefined) {
    const [, then, otherwise] = call.name === 'Fn::If' ? list.parse(call.argument) : [];
    return [then, otherwise].flatMap((branch) => (branch === undefined ? [] : valueProblems(spec, type, branch, at)));
  }
  const wanted = (is: boolean, what: string) =>
    is ? [] : [`${at} should be ${what}, but is ${JSON.stringify(value)}`];
  switch (type.type) {
    case 'string': {
      const { allowedValues } = type;
      if (typeof value !== 'string' || allowedValues === undefined)
        return wanted(typeof value === 'string', 'a string');
      return wanted(allowedValues.includes(value), `one of ${allowedValues.join(', ')}`);
    }
    case 'number':
      return wanted(typeof value === 'number', 'a number');
    case 'integer':
      return wanted(Number.isInteger(value), 'a whole number');
    case 'boolean':
      return wanted(typeof value === 'boolean', 'true or false');
    case 'json':
      return wanted(typeof value === 'string' || (typeof value === 'object' && value !== null), 'JSON');
    case 'date-time':
      return wanted(typeof value === 'string' && !Number.isNaN(Date.parse(value)), 'a time');
    case 'null':
      return wanted(value === null, 'null');
    case 'tag':
      return wanted(tag.safeParse(value).success, 'a tag');
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => valueProblems(spec, type.element, item, `${at}[${index}]`))
        : wanted(false, 'a list');
    case 'map':
      return mapping.safeParse(value).success
        ? Object.entries(mapping.parse(value)).flatMap(([key, item]) =>
            valueProblems(spec, type.element, item, `${at}.${key}`),
          )
        : wanted(false, 'a mapping');
    case 'ref': {
      const { properties } = spec.get('typeDefinition', type.reference);
      return mapping.safeParse(value).success
        ? propertyProblems(spec, properties, mapping.parse(value), at)
        : wanted(false, 'a mapping');
    }
    case 'union':
      return fewest(type.types.map((one) => valueProblems(spec, one, value, at)));
    default:
      return type satisfies never;
  }
}

function fewest(alternatives: readonly (readonly string[])[]): readonly string[] {
  return alternatives.reduce((best, other) => (other.length < best.length ? other : best));
}

const mapping = z.record(z.string(), z.unknown()).refine((value) => !Array.isArray(value));
const list = z.array(z.unknown());
const tag = z.strictObject({ Key: z.unknown(), Value: z.unknown() });

/** The only key of an object, if it is an intrinsic function's name. */
function intrinsicOf(value: unknown): { readonly name: string; readonly argument: unknown } | undefined {
  const entries = Object.entries(mapping.safeParse(value).data ?? {});
  const [name, argument] = entries[0] ?? [''];
  return entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::')) ? { name, argument } : undefined;
}

// --- references ---

const PSEUDO_PARAMETERS = [
  'AccountId',
  'NotificationARNs',
  'NoValue',
  'Partition',
  'Region',
  'StackId',
  'StackName',
  'URLSuffix',
].map((name) => `AWS::${name}`);
const KNOWN_FUNCTIONS = [
  'Base64',
  'Cidr',
  'FindInMap',
  'GetAZs',
  'ImportValue',
  'Join',
  'Select',
  'Split',
  'And',
  'Equals',
  'Not',
  'Or',
].map((name) => `Fn::${name}`);

class References {
  readonly #template: Template;
  readonly #spec: SpecDatabase;

  constructor(of: Template, spec: SpecDatabase) {
    this.#template = of;
    this.#spec = spec;
  }

  problems(): readonly string[] {
    const { Resources, Outputs, Conditions } = this.#template;
    return [
      ...Object.entries(Resources).flatMap(([id, { Properties, DependsOn, Condition }]) => [
        ...DependsOn.filter((other) => !Object.hasOwn(Resources, other)).map(
          (other) => `${id} depends on ${other}, which is not there`,
        ),
        ...this.#condition(Condition, id),
        ...this.#within(Properties, id),
      ]),
      ...Object.entries(Outputs).flatMap(([id, { Condition, ...output }]) => [
        ...this.#condition(Condition, `output ${id}`),
        ...this.#within(output, `output ${id}`),
      ]),
      ...this.#within(Conditions, 'Conditions'),
    ];
  }

  #condition(name: string | undefined, at: string): readonly string[] {
    const known = name === undefined || Object.hasOwn(this.#template.Conditions, name);
    return known ? [] : [`${at}: there is no condition ${name}`];
  }

  #within(value: unknown, at: string): readonly string[] {
    const call = intrinsicOf(value);
    if (call !== undefined) return this.#call(call.name, call.argument, at);
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => this.#within(inner, `${at}.${key}`));
  }

  #call(name: string, argument: unknown, at: string): readonly string[] {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument), at);
      case 'Fn::GetAtt': {
        const parts = z.tuple([z.string(), z.string()]).safeParse(argument);
        return parts.success
          ? this.#getAtt(...parts.data, at)
          : [`${at}: Fn::GetAtt takes a resource and an attribute`];
      }
      case 'Fn::Sub': {
        const [text, values] = typeof argument === 'string' ? [argument, {}] : subWithValues.parse(argument);
        return [...this.#sub(text, values, at), ...this.#within(values, at)];
      }
      case 'Fn::If': {
        const [condition, ...branches] = list.parse(argument);
        return [...this.#condition(String(condition), at), ...branches.flatMap((branch) => this.#within(branch, at))];
      }
      default:
        return KNOWN_FUNCTIONS.includes(name) ? this.#within(argument, at) : [`${at}: there is no function ${name}`];
    }
  }

  #ref(name: string, at: string): readonly string[] {
    const { Resources, Parameters } = this.#template;
    const known = Object.hasOwn(Resources, name) || Object.hasOwn(Parameters, name) || PSEUDO_PARAMETERS.includes(name);
    return known ? [] : [`${at} refers to ${name}, which is not there`];
  }

  #getAtt(id: string, attribute: string, at: string): readonly string[] {
    const type = this.#template.Resources[id]?.Type;
    if (type === undefined) return [`${at} refers to ${id}, which is not there`];
    const known = Object.hasOwn(resourceOf(this.#spec, type)?.attributes ?? {}, attribute);
    return known ? [] : [`${at}: ${type} has no attribute ${attribute}`];
  }

  #sub(text: string, values: Readonly<Record<string, unknown>>, at: string): readonly string[] {
    const used = placeholders(text);
    const unused = Object.keys(values).filter((name) => !used.includes(name));
    return [
      ...unused.map((name) => `${at}: Fn::Sub has a value for ${name}, which is not in the text`),
      ...used
        .filter((name) => !Object.hasOwn(values, name))
        .flatMap((name) => {
          const dot = name.indexOf('.');
          return dot < 0 ? this.#ref(name, at) : this.#getAtt(name.slice(0, dot), name.slice(dot + 1), at);
        }),
    ];
  }
}

const subWithValues = z.tuple([z.string(), z.record(z.string(), z.unknown())]);

/** `${!text}` is literal. */
function placeholders(text: string): readonly string[] {
  return [...text.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name.trim());
}

// --- cycles ---

/** The logical ids that a value refers to. */
function idsWithin(value: unknown): readonly string[] {
  const call = intrinsicOf(value);
  if (call?.name === 'Ref') return [String(call.argument)];
  if (call?.name === 'Fn::GetAtt') return [String(list.parse(call.argument)[0])];
  if (call?.name === 'Fn::Sub') {
    const [text, values] = typeof call.argument === 'string' ? [call.argument, {}] : subWithValues.parse(call.argument);
    const names = placeholders(text).filter((name) => !Object.hasOwn(values, name));
    return [...names.map((name) => name.split('.')[0] ?? ''), ...idsWithin(values)];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(idsWithin) : [];
}

/** CloudFormation creates nothing of a template in which two resources wait for each other. */
function cycles({ Resources }: Template): readonly string[] {
  const needs = new Map(
    Object.entries(Resources).map(([id, { Properties, DependsOn }]) => [id, [...DependsOn, ...idsWithin(Properties)]]),
  );
  const done = new Set<string>();
  const visit = (id: string, way: readonly string[]): readonly string[] => {
    if (way.includes(id)) return [`these wait for each other: ${[...way.slice(way.indexOf(id)), id].join(' -> ')}`];
    if (done.has(id)) return [];
    const found = (needs.get(id) ?? []).flatMap((other) => visit(other, [...way, id]));
    done.add(id);
    return found;
  };
  return [...needs.keys()].flatMap((id) => visit(id, []));
}
