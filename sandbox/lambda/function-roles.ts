import { type Home, homeArn } from '../home.ts';
import type { ServiceRoles } from '../iam/service-roles.ts';
import type { SessionKeys } from '../iam/sessions.ts';
import type { Principal } from '../iam/types.ts';
import type { FunctionConfig } from './function-registry.ts';

/** No number is documented; third parties saw keys of this age, and execution environments that are replaced before. */
const KEYS_LAST_SECONDS = 12 * 3600;

/** What an execution environment of a function is and may do. */
export interface FunctionSession extends SessionKeys {
  /** Whether it may write to this stream of the function's log group. Without, what it writes is lost. */
  readonly mayLog: (stream: string) => boolean;
}

/** The roles of functions, and what Lambda itself does with them. */
export class FunctionRoles {
  readonly #roles: ServiceRoles;
  readonly #home: Home;

  constructor(roles: ServiceRoles, home: Home) {
    this.#roles = roles;
    this.#home = home;
  }

  /**
   * Refuses a function as CreateFunction does.
   * https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
   * https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
   * @throws Error
   */
  check(config: FunctionConfig): void {
    const principal = this.#principal(config);
    if (principal === undefined) throw new Error('The role defined for the function cannot be assumed by Lambda.');
    if (config.traces !== true) return;
    for (const action of ['PutTraceSegments', 'PutTelemetryRecords']) {
      if (this.#roles.refusal(principal, `xray:${action}`, '*') === undefined) continue;
      throw new Error(`The provided execution role does not have permissions to call ${action} on XRAY`);
    }
  }

  /**
   * What Lambda is told if the function's role may not send to this queue or topic; undefined: it may.
   * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
   */
  refusalOfDestination(config: FunctionConfig, destinationArn: string): string | undefined {
    const principal = this.#principal(config);
    const action = destinationArn.startsWith('arn:aws:sns:') ? 'sns:Publish' : 'sqs:SendMessage';
    return principal === undefined
      ? `${config.shown.role} cannot be assumed by Lambda`
      : this.#roles.refusal(principal, action, destinationArn);
  }

  /** Undefined: the role is gone, or lets Lambda in no more. */
  open(config: FunctionConfig): FunctionSession | undefined {
    const principal = this.#principal(config);
    if (principal === undefined) return undefined;
    const keys = this.#roles.keys(principal, KEYS_LAST_SECONDS);
    const mayLog = (stream: string): boolean => {
      const group = `log-group:/aws/lambda/${config.name}:log-stream:${stream}`;
      const resource = homeArn(this.#home, 'logs', group);
      return ['logs:CreateLogStream', 'logs:PutLogEvents'].every(
        (action) => this.#roles.refusal(principal, action, resource) === undefined,
      );
    };
    return { ...keys, mayLog };
  }

  /** The session has the function's name. Lambda tells the trust policy nothing of the function. */
  #principal({ name, shown }: FunctionConfig): Principal | undefined {
    return this.#roles.take(shown.role, 'lambda.amazonaws.com', name);
  }
}
