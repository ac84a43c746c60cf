import { type Caller, scopeOf } from '../accounts.ts';
import { type Home, homeArn } from '../home.ts';
import type { Resolver } from './intrinsics.ts';
import { TemplateError } from './template.ts';

/** What follows from a template and its parameters. */
export interface StackContents extends Caller {
  readonly name: string;
  /** Its ARN, which CloudFormation calls StackId. */
  readonly id: string;
  readonly description: string | undefined;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
  readonly outputs: readonly StackOutput[];
  readonly resources: readonly StackResource[];
}

/** A stack as CloudFormation shows it. */
export interface DeployedStack extends StackContents {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The text that was deployed. */
  readonly template: string;
  readonly tags: Readonly<Record<string, string>>;
}

interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
  readonly exportName: string | undefined;
}

export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  /** Undefined where the sandbox has no Ref of the type. */
  readonly physicalId: string | undefined;
}

/** All stacks of the sandbox. */
export class DeployedStacks {
  readonly #byScope = new Map<string, readonly DeployedStack[]>();

  add(stack: DeployedStack): void {
    const scope = scopeOf(stack);
    this.#byScope.set(scope, [...(this.#byScope.get(scope) ?? []), stack]);
  }

  remove({ id, ...place }: Pick<DeployedStack, 'id' | 'account' | 'region'>): void {
    this.#byScope.set(
      scopeOf(place),
      this.of(place).filter((stack) => stack.id !== id),
    );
  }

  /** Those of an account and Region. */
  of(caller: Caller): readonly DeployedStack[] {
    return this.#byScope.get(scopeOf(caller)) ?? [];
  }

  find(caller: Caller, nameOrId: string): DeployedStack | undefined {
    return this.of(caller).find(({ name, id }) => name === nameOrId || id === nameOrId);
  }
}

export function stackId(home: Home, name: string): string {
  return homeArn(home, 'cloudformation', `stack/${name}/00000000-0000-4000-8000-000000000000`);
}

/**
 * What a stack of that name has, by its template.
 * @throws TemplateError
 */
export function contentsOf(resolver: Resolver, name: string, home: Home): StackContents {
  return {
    ...home,
    name,
    id: stackId(home, name),
    description: resolver.template.Description,
    parameters: parametersOf(resolver),
    outputs: outputsOf(resolver),
    resources: resolver
      .resources(() => true)
      .map(([logicalId, { Type }]) => ({
        logicalId,
        type: Type,
        physicalId: resolver.identity(logicalId, logicalId).ref,
      })),
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html, NoEcho */
function parametersOf({ template, parameters }: Resolver): StackContents['parameters'] {
  return [...parameters].map(([key, value]) => {
    const isHidden = String(template.Parameters[key]?.NoEcho) === 'true';
    return { key, value: isHidden ? '****' : [value].flat().join(',') };
  });
}

function outputsOf(resolver: Resolver): readonly StackOutput[] {
  const created = Object.entries(resolver.template.Outputs).filter(
    ([key, { Condition }]) => Condition === undefined || resolver.holds(Condition, `Outputs.${key}`),
  );
  return created.map(([key, { Value, Description, Export }]) => ({
    key,
    value: textOf(resolver, Value, `Outputs.${key}`),
    description: Description,
    exportName: Export && textOf(resolver, Export.Name, `Outputs.${key}.Export.Name`),
  }));
}

function textOf(resolver: Resolver, value: unknown, where: string): string {
  const text = resolver.resolve(value, where);
  if (typeof text !== 'string') throw new TemplateError(where, 'must be a text');
  return text;
}
