import type { FunctionConfig, FunctionVersion } from './function-registry.ts';
import type { FunctionError } from './messages.ts';

/** How an invocation ended. `payload` is JSON text. */
export type Invocation = { readonly requestId: string; readonly executedVersion: string } & (
  | { readonly ok: true; readonly payload: string }
  | { readonly ok: false; readonly error: FunctionError }
);

/** Lambda, as the other services of the sandbox see it. */
export interface FunctionRunner {
  add(config: FunctionConfig): void;
  /** Publishes the code as it is. Numbers begin at 1. */
  publishVersion(name: string): string;
  /**
   * Function and version behind a name, an ARN, or either with `:version`.
   * @throws FunctionNotFoundError
   */
  resolve(nameOrArn: string): FunctionVersion;
  /**
   * Invokes a function and waits for its end. An error of the function is an answer.
   * @param event JSON text
   * @throws FunctionNotFoundError
   */
  invoke(nameOrArn: string, event: string, requestId?: string): Promise<Invocation>;
}
