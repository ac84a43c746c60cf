import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { readCloudFormationYaml } from './cloudformation-yaml.ts';
import type { EventBus } from './events/event-bus.ts';
import { ruleOfResource } from './events/rule-resource.ts';
import { type Home, homeArn } from './home.ts';
import { contentsOf, type StackContents } from './stack/deployed-stacks.ts';
import { identitiesOf } from './stack/identities.ts';
import { Resolver } from './stack/intrinsics.ts';
import { ruleProperties } from './stack/resource-schemas.ts';
import { parseTemplate, type Template, TemplateError } from './stack/template.ts';

/** A plain template beside the service's own stack, and where it is deployed. */
export interface Companion {
  /** YAML file; from the repository's root, if it is relative: `companions/destination-region.yml`. */
  readonly template: string;
  /** The Region, in the home account. */
  readonly region: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default: `companion-<number>`. */
  readonly stackName?: string;
}

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const sections = z.looseObject({
  Rules: z
    .record(
      z.string(),
      z.strictObject({
        RuleCondition: z.unknown().optional(),
        Assertions: z.array(z.strictObject({ Assert: z.unknown(), AssertDescription: z.string() })).min(1),
      }),
    )
    .default({}),
});

type Rules = z.output<typeof sections>['Rules'];

/**
 * Deploys a companion: its event rules are put on the bus of its Region; its roles have no effect. Answers what it made.
 * @param place where, with the account
 * @throws TemplateError for everything else in the template, and if a rule of the template forbids it
 */
export function deployCompanion(
  { template: file, parameters = {} }: Companion,
  { place, stackName, seed }: { readonly place: Home; readonly stackName: string; readonly seed: number },
  bus: Pick<EventBus, 'addRule'>,
): StackContents & { readonly template: string } {
  const text = readFileSync(resolve(REPOSITORY, file), 'utf8');
  const { Rules, ...rest } = sections.parse(readCloudFormationYaml(text));
  const template = parseTemplate(rest);
  checkParameters(template, parameters);
  const resolverOf = (each: Template): Resolver =>
    new Resolver({
      template: each,
      pseudo: {
        'AWS::AccountId': place.account,
        'AWS::Region': place.region,
        'AWS::Partition': 'aws',
        'AWS::StackName': stackName,
      },
      parameters,
      identify: identitiesOf({ home: place, stackName, seed, queueUrl: (name) => homeArn(place, 'sqs', name) }),
    });
  checkRules(Rules, (condition, where) =>
    resolverOf({ ...template, Conditions: { [where]: condition } }).holds(where, where),
  );

  const resolver = resolverOf(template);
  for (const [id, { Type, Properties }] of resolver.resources(() => true)) {
    const properties = resolver.resolve(Properties, id);
    switch (Type) {
      case 'AWS::Events::Rule': {
        const rule = parseOrThrow(ruleProperties, properties, `${id} (${Type})`);
        bus.addRule(ruleOfResource(rule, resolver.identity(id, id).attributes['Arn'] ?? ''));
        break;
      }
      case 'AWS::IAM::Role':
        break;
      default:
        throw new TemplateError(id, `the sandbox does not know resources of type ${Type} in a companion`);
    }
  }
  return { ...contentsOf(resolver, stackName, place), template: text };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html */
function checkParameters({ Parameters }: Template, given: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(Parameters, name)) throw new TemplateError('Parameters', `there is no parameter ${name}`);
  }
  for (const [name, { Default, AllowedPattern, ConstraintDescription }] of Object.entries(Parameters)) {
    const value = given[name] ?? Default;
    if (value === undefined) throw new TemplateError(`Parameters.${name}`, 'has no default and was not given');
    if (typeof AllowedPattern === 'string' && !new RegExp(`^(?:${AllowedPattern})$`).test(String(value))) {
      throw new TemplateError(`Parameters.${name}`, `"${value}": ${String(ConstraintDescription ?? AllowedPattern)}`);
    }
  }
}

/**
 * CloudFormation makes nothing of a template whose rules do not hold.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
 */
function checkRules(rules: Rules, holds: (condition: unknown, where: string) => boolean): void {
  for (const [name, { RuleCondition, Assertions }] of Object.entries(rules)) {
    const where = `Rules.${name}`;
    if (RuleCondition !== undefined && !holds(RuleCondition, where)) continue;
    for (const { Assert, AssertDescription } of Assertions) {
      if (!holds(Assert, where)) throw new TemplateError(where, AssertDescription);
    }
  }
}

function parseOrThrow<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new TemplateError(where, z.prettifyError(parsed.error));
  return parsed.data;
}
