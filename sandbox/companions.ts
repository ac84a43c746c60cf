import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Clock } from './clock.ts';
import { readCloudFormationYaml } from './cloudformation-yaml.ts';
import { type Home, homeArn } from './home.ts';
import { ACCOUNT_TYPES, type AccountServices, makeAccountResources } from './stack/account-resources.ts';
import { contentsOf, type DeployedStacks, type StackContents } from './stack/deployed-stacks.ts';
import { identitiesOf } from './stack/identities.ts';
import { Resolver } from './stack/intrinsics.ts';
import { parseTemplate, type Template, TemplateError } from './stack/template.ts';

/** A plain template beside the service's own stack, and where it is deployed. */
export interface Companion {
  /** YAML file; from the repository's root, if it is relative: `companions/destination-region.yml`. */
  readonly template: string;
  readonly region: string;
  /** Default: the home account. */
  readonly account?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default: `companion-<number>`. */
  readonly stackName?: string;
}

/** A companion's stack. */
export interface CompanionStack extends Home {
  readonly stackName: string;
  /** As it was given. */
  readonly template: string;
  readonly outputs: Readonly<Record<string, string>>;
}

interface Deployed {
  readonly contents: StackContents;
  /** The text that was deployed. */
  readonly template: string;
  /** Takes away what the stack made, as its deletion does. */
  readonly remove: () => void;
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

const KNOWN_TYPES: ReadonlySet<string> = new Set(ACCOUNT_TYPES);

/** The companions of a sandbox. */
export class Companions {
  readonly #options: CompanionsOptions;
  /** By the ARN of the stack. */
  readonly #removals = new Map<string, () => void>();
  #made = 0;

  constructor(options: CompanionsOptions) {
    this.#options = options;
  }

  /** @throws TemplateError, see deployCompanion */
  deploy(companion: Companion): CompanionStack {
    const { home, clock, seed, stacks } = this.#options;
    const place = { account: companion.account ?? home.account, region: companion.region };
    this.#made += 1;
    const { stackName = `companion-${this.#made}` } = companion;
    if (stacks.find(place, stackName) !== undefined) {
      throw new Error(`Account ${place.account} has a stack ${stackName} in ${place.region} already.`);
    }
    const { contents, template, remove } = deployCompanion(
      companion,
      { place, stackName, seed: seed + this.#made },
      this.#options,
    );
    stacks.add({ ...contents, template, createdAt: clock.now(), tags: {} });
    this.#removals.set(contents.id, remove);
    const outputs = Object.fromEntries(contents.outputs.map(({ key, value }) => [key, value]));
    return { ...place, stackName, template: companion.template, outputs };
  }

  /** @throws Error if there is no such stack, or no longer */
  remove({ account, region, stackName }: Home & Pick<CompanionStack, 'stackName'>): void {
    const stack = this.#options.stacks.find({ account, region }, stackName);
    const remove = stack && this.#removals.get(stack.id);
    if (stack === undefined || remove === undefined) {
      throw new Error(`Account ${account} has no companion ${stackName} in ${region}.`);
    }
    remove();
    this.#removals.delete(stack.id);
    this.#options.stacks.remove(stack);
  }
}

interface CompanionsOptions extends AccountServices {
  readonly home: Home;
  readonly clock: Clock;
  /** For the names that CloudFormation makes up. */
  readonly seed: number;
  readonly stacks: DeployedStacks;
}

/**
 * Makes the resources of a companion's template in its account and Region.
 * @param place.account of the companion
 * @throws TemplateError for everything else in the template, and if a rule of the template forbids it
 */
export function deployCompanion(
  { template: file, parameters = {} }: Companion,
  { place, stackName, seed }: { readonly place: Home; readonly stackName: string; readonly seed: number },
  services: AccountServices,
): Deployed {
  const text = readFileSync(resolve(REPOSITORY, file), 'utf8');
  const { Rules, ...rest } = sections.parse(readCloudFormationYaml(text));
  const template = parseTemplate(rest);
  checkParameters(template, parameters);
  const resolver = new Resolver({
    template,
    pseudo: {
      'AWS::AccountId': place.account,
      'AWS::Region': place.region,
      'AWS::Partition': 'aws',
      'AWS::StackName': stackName,
    },
    parameters,
    identify: identitiesOf({ home: place, stackName, seed, queueUrl: (name) => homeArn(place, 'sqs', name) }),
  });
  checkRules(Rules, resolver);
  for (const [id, { Type }] of resolver.resources((type) => !KNOWN_TYPES.has(type))) {
    throw new TemplateError(id, `the sandbox does not know resources of type ${Type} in a companion`);
  }
  const remove = makeAccountResources({ resolver, stackName, place }, services);
  return { contents: contentsOf(resolver, stackName, place), template: text, remove };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html */
function checkParameters({ Parameters }: Template, given: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(Parameters, name)) throw new TemplateError('Parameters', `there is no parameter ${name}`);
  }
  for (const [name, { Default }] of Object.entries(Parameters)) {
    if ((given[name] ?? Default) === undefined) {
      throw new TemplateError(`Parameters.${name}`, 'has no default and was not given');
    }
  }
}

/**
 * CloudFormation makes nothing of a template whose rules do not hold.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
 */
function checkRules(rules: Rules, resolver: Resolver): void {
  for (const [name, { RuleCondition, Assertions }] of Object.entries(rules)) {
    const where = `Rules.${name}`;
    if (RuleCondition !== undefined && !resolver.ruleHolds(RuleCondition, where)) continue;
    for (const { Assert, AssertDescription } of Assertions) {
      if (!resolver.ruleHolds(Assert, where)) throw new TemplateError(where, AssertDescription);
    }
  }
}
