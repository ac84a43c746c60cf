import { type Home, homeArn } from '../home.ts';
import type { EnvironmentSettings } from './messages.ts';

/** A function as the template describes it. */
export interface FunctionConfig {
  readonly name: string;
  readonly code: EnvironmentSettings;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether Lambda sends traces of it to X-Ray. Default false. */
  readonly traces?: boolean;
  /** What only GetFunctionConfiguration tells. */
  readonly shown: {
    readonly description: string;
    readonly handler: string;
    readonly role: string;
    readonly runtime: string;
  };
}

/** A function and one version of it. */
export interface FunctionVersion {
  readonly config: FunctionConfig;
  readonly version: string;
  readonly arn: string;
}

/** No function has that name or ARN. */
export class FunctionNotFoundError extends Error {
  override readonly name = 'FunctionNotFoundError';
}

/** The functions of the home account and Region, and their versions. */
export class FunctionRegistry {
  readonly #home: Home;
  readonly #functions = new Map<string, FunctionConfig>();
  readonly #versions = new Map<string, number>();

  constructor(home: Home) {
    this.#home = home;
  }

  add(config: FunctionConfig): void {
    this.#functions.set(config.name, config);
  }

  /** Publishes the code as it is. Numbers begin at 1. */
  publishVersion(name: string): string {
    const number = (this.#versions.get(name) ?? 0) + 1;
    this.#versions.set(name, number);
    return String(number);
  }

  functions(): readonly FunctionConfig[] {
    return [...this.#functions.values()];
  }

  /**
   * Function and version behind a name, an ARN, or either with `:version`.
   * @throws FunctionNotFoundError
   */
  resolve(nameOrArn: string): FunctionVersion {
    const prefix = homeArn(this.#home, 'lambda', 'function:');
    const [name = '', version = '$LATEST', ...rest] = (
      nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn
    ).split(':');
    const config = this.#functions.get(name);
    const known = version === '$LATEST' || Number(version) <= (this.#versions.get(name) ?? 0);
    if (config === undefined || rest.length > 0 || !known) {
      throw new FunctionNotFoundError(`Function not found: ${nameOrArn}`);
    }
    return { config, version, arn: version === '$LATEST' ? prefix + name : `${prefix}${name}:${version}` };
  }
}

/** Whether a function has this name, or its name ends with it after a `-`. */
export function isNamed(functionName: string, wanted: string): boolean {
  return functionName === wanted || functionName.endsWith(`-${wanted}`);
}
