import * as z from 'zod';
import { parameterValues } from './parameters.ts';
import { type Resource, type Template, TemplateError } from './template.ts';

/** What `Ref` and `Fn::GetAtt` give for a resource. */
export interface Identity {
  /** Absent if nothing can be said of it here. */
  readonly ref?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Gives the identity of a resource; `nameOr` reads a name property, or makes a name as CloudFormation does. */
export type Identify = (logicalId: string, resource: Resource, resolver: Resolver) => Identity;

const NO_VALUE = Symbol('AWS::NoValue');

const getAtt = z.union([
  z.tuple([z.string(), z.string()]),
  z
    .string()
    .regex(/^[A-Za-z0-9]+\../)
    .transform((text) => splitName(text)),
]);
const join = z.tuple([z.string(), z.unknown()]);
const pair = z.tuple([z.unknown(), z.unknown()]);
const three = z.tuple([z.string(), z.unknown(), z.unknown()]);
const fields = z.record(z.string(), z.unknown());
const sub = z.union([z.string(), z.tuple([z.string(), fields])]);
const conditions = z.array(z.unknown()).min(2).max(10);

/**
 * Resolves the intrinsic functions of a template, each name of a resource only when somebody asks for it: that is the
 * order of dependencies. An intrinsic that it does not know is an error.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export class Resolver {
  readonly template: Template;
  /** The values of the template's parameters. */
  readonly parameters: ReadonlyMap<string, string | readonly string[]>;
  readonly #pseudo: Readonly<Record<string, string>>;
  readonly #identify: Identify;
  readonly #identities = new Map<string, Identity>();
  readonly #underWay: string[] = [];

  /**
   * @param options.pseudo values of the pseudo parameters, such as `AWS::Region`
   * @param options.parameters values instead of the parameters' defaults
   * @throws TemplateError if a parameter has a value that the template does not allow
   */
  constructor(options: {
    readonly template: Template;
    readonly pseudo: Readonly<Record<string, string>>;
    readonly parameters: Readonly<Record<string, string>>;
    readonly identify: Identify;
  }) {
    this.template = options.template;
    this.#pseudo = options.pseudo;
    this.parameters = parameterValues(options.template.Parameters, options.parameters);
    this.#identify = options.identify;
  }

  /** The resources whose condition holds, of these types, in the template's order. */
  resources(isWanted: (type: string) => boolean): readonly (readonly [string, Resource])[] {
    return Object.entries(this.template.Resources).filter(
      ([id, { Type, Condition }]) => isWanted(Type) && (Condition === undefined || this.holds(Condition, id)),
    );
  }

  /** @throws TemplateError */
  holds(condition: string, where: string): boolean {
    const definition = this.template.Conditions[condition];
    if (definition === undefined) throw new TemplateError(where, `there is no condition ${condition}`);
    return this.#guarded(`Conditions.${condition}`, () => this.#condition(definition, `Conditions.${condition}`));
  }

  /**
   * Whether a condition of the section Rules holds, which has functions of its own.
   * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
   * @throws TemplateError
   */
  ruleHolds(definition: unknown, where: string): boolean {
    return this.#condition(definition, where, true);
  }

  /** Ref and attributes of a resource. @throws TemplateError */
  identity(logicalId: string, where: string): Identity {
    const known = this.#identities.get(logicalId);
    if (known !== undefined) return known;
    const resource = this.template.Resources[logicalId];
    if (resource === undefined) throw new TemplateError(where, `there is no resource or parameter ${logicalId}`);
    if (resource.Condition !== undefined && !this.holds(resource.Condition, logicalId)) {
      throw new TemplateError(
        where,
        `${logicalId} is not created, because its condition ${resource.Condition} does not hold`,
      );
    }
    const identity = this.#guarded(logicalId, () => this.#identify(logicalId, resource, this));
    this.#identities.set(logicalId, identity);
    return identity;
  }

  /** The value with every intrinsic resolved, and what is `AWS::NoValue` left out. @throws TemplateError */
  resolve(value: unknown, where: string): unknown {
    const resolved = this.#resolve(value, where);
    return resolved === NO_VALUE ? undefined : resolved;
  }

  #resolve(value: unknown, where: string): unknown {
    if (Array.isArray(value)) {
      return value.map((each, index) => this.#resolve(each, `${where}[${index}]`)).filter((each) => each !== NO_VALUE);
    }
    const object = fields.safeParse(value);
    if (!object.success) return value;
    const entries = Object.entries(object.data);
    const [name, argument] = entries[0] ?? [];
    if (name !== undefined && (name === 'Ref' || name.startsWith('Fn::')) && entries.length === 1) {
      return this.#call(name, argument, where);
    }
    const resolved = entries.map(([key, each]) => {
      if (key.startsWith('Fn::')) throw new TemplateError(where, `${key} beside other fields`);
      return [key, this.#resolve(each, `${where}.${key}`)] as const;
    });
    return Object.fromEntries(resolved.filter(([, each]) => each !== NO_VALUE));
  }

  #call(name: string, argument: unknown, where: string): unknown {
    switch (name) {
      case 'Ref':
        return this.#ref(read(z.string(), argument, `${where}.Ref`), where);
      case 'Fn::GetAtt': {
        const [logicalId, attribute] = read(getAtt, argument, `${where}.Fn::GetAtt`);
        return this.#attribute(logicalId, attribute, where);
      }
      case 'Fn::Sub':
        return this.#sub(argument, where);
      case 'Fn::Join': {
        const [separator, list] = read(join, argument, `${where}.Fn::Join`);
        return this.#texts(list, where).join(separator);
      }
      case 'Fn::Select': {
        const [index, list] = read(pair, argument, `${where}.Fn::Select`);
        const chosen = this.#list(list, where)[Number(this.#resolve(index, where))];
        if (chosen === undefined) throw new TemplateError(where, 'Fn::Select beyond the end of its list');
        return chosen;
      }
      case 'Fn::Split': {
        const [separator, text] = read(join, argument, `${where}.Fn::Split`);
        return this.#text(text, where).split(separator);
      }
      case 'Fn::If': {
        const [condition, yes, no] = read(three, argument, `${where}.Fn::If`);
        return this.#resolve(this.holds(condition, where) ? yes : no, where);
      }
      default:
        throw new TemplateError(where, `the sandbox does not know ${name}`);
    }
  }

  #ref(name: string, where: string): unknown {
    if (name === 'AWS::NoValue') return NO_VALUE;
    const pseudo = this.#pseudo[name];
    if (pseudo !== undefined) return pseudo;
    if (name.startsWith('AWS::')) throw new TemplateError(where, `the sandbox does not know ${name}`);
    const value = this.parameters.get(name);
    if (value !== undefined) return value;
    if (Object.hasOwn(this.template.Parameters, name)) {
      throw new TemplateError(where, `parameter ${name} has no default and was not given`);
    }
    const { ref } = this.identity(name, where);
    if (ref === undefined) throw new TemplateError(where, `the sandbox has no Ref of ${name}`);
    return ref;
  }

  #attribute(logicalId: string, attribute: string, where: string): string {
    const value = this.identity(logicalId, where).attributes[attribute];
    if (value === undefined)
      throw new TemplateError(where, `the sandbox has no attribute ${attribute} of ${logicalId}`);
    return value;
  }

  #sub(argument: unknown, where: string): string {
    const parsed = read(sub, argument, `${where}.Fn::Sub`);
    const [text, given] = typeof parsed === 'string' ? [parsed, {}] : parsed;
    return text.replaceAll(/\$\{([^}]*)\}/g, (whole, inner: string) => {
      if (inner.startsWith('!')) return `\${${inner.slice(1)}}`;
      const name = inner.trim();
      if (Object.hasOwn(given, name)) return this.#text(new Map(Object.entries(given)).get(name), where);
      const value = name.includes('.') ? this.#attribute(...splitName(name), where) : this.#ref(name, where);
      if (typeof value !== 'string') throw new TemplateError(where, `${whole} is no text`);
      return value;
    });
  }

  #condition(definition: unknown, where: string, inRules = false): boolean {
    const object = fields.safeParse(definition);
    const [name, argument] = (object.success ? Object.entries(object.data)[0] : undefined) ?? [];
    switch (name) {
      case 'Condition':
        return this.holds(read(z.string(), argument, where), where);
      case 'Fn::Equals': {
        const [left, right] = read(pair, argument, where).map((each) => this.#text(each, where));
        return left === right;
      }
      case 'Fn::Not': {
        const [only] = read(z.tuple([z.unknown()]), argument, where);
        return !this.#condition(only, where, inRules);
      }
      case 'Fn::And':
        return read(conditions, argument, where).every((each) => this.#condition(each, where, inRules));
      case 'Fn::Or':
        return read(conditions, argument, where).some((each) => this.#condition(each, where, inRules));
      case 'Fn::Contains': {
        if (!inRules) throw new TemplateError(where, 'Fn::Contains belongs to the section Rules');
        const [list, value] = read(pair, argument, where);
        return this.#texts(list, where).includes(this.#text(value, where));
      }
      default:
        throw new TemplateError(where, `the sandbox does not know the condition ${JSON.stringify(definition)}`);
    }
  }

  #list(value: unknown, where: string): readonly unknown[] {
    const list = this.#resolve(value, where);
    if (!Array.isArray(list)) throw new TemplateError(where, 'must be a list');
    return list;
  }

  #texts(value: unknown, where: string): string[] {
    return this.#list(value, where).map((each) => this.#text(each, where));
  }

  #text(value: unknown, where: string): string {
    const text = this.#resolve(value, where);
    if (['string', 'number', 'boolean'].includes(typeof text)) return String(text);
    throw new TemplateError(where, `must be a text, not ${JSON.stringify(text)}`);
  }

  #guarded<T>(name: string, work: () => T): T {
    if (this.#underWay.includes(name)) {
      throw new TemplateError(name, `circular reference: ${[...this.#underWay, name].join(' -> ')}`);
    }
    this.#underWay.push(name);
    try {
      return work();
    } finally {
      this.#underWay.pop();
    }
  }
}

/** `Topic.TopicName` is the attribute TopicName of Topic. */
function splitName(text: string): [logicalId: string, attribute: string] {
  const dot = text.indexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}

function read<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TemplateError(where, z.prettifyError(parsed.error));
  return parsed.data;
}
