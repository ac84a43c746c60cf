import type { Guard } from './guard.ts';
import type { Iam } from './iam.ts';
import type { SessionKeys, Sessions } from './sessions.ts';
import type { Context, Principal } from './types.ts';

/** What services do with the roles that a template gives them. */
export class ServiceRoles {
  readonly #iam: Iam;
  readonly #sessions: Sessions;
  readonly #guard: Guard;

  constructor(options: { readonly iam: Iam; readonly sessions: Sessions; readonly guard: Guard }) {
    this.#iam = options.iam;
    this.#sessions = options.sessions;
    this.#guard = options.guard;
  }

  /**
   * A service takes a role. Undefined: there is no such role, or it does not let the service in.
   * @param service `lambda.amazonaws.com`
   * @param session the name of the session
   * @param source what the service says of what it acts for; some say nothing
   */
  take(
    roleArn: string,
    service: string,
    session: string,
    source?: { readonly arn: string; readonly account: string },
  ): Principal | undefined {
    const context: Context =
      source === undefined ? {} : { 'aws:SourceArn': source.arn, 'aws:SourceAccount': source.account };
    const taken = this.#iam.assumeForService(roleArn, service, session, context);
    return 'principal' in taken ? taken.principal : undefined;
  }

  /** What the role is told if it may not do this; undefined: it may. */
  refusal(principal: Principal, action: string, resource: string): string | undefined {
    return this.#guard.refusal(principal, action, resource);
  }

  /** Keys for a session, as Lambda gives them to a function. */
  keys(principal: Principal, seconds: number): SessionKeys {
    return this.#sessions.give(principal, seconds);
  }
}
