import type { ServiceRoles } from '../iam/service-roles.ts';
import type { Principal } from '../iam/types.ts';
import { hexDigits, type Random } from '../ids.ts';

/** What a state machine does by itself, for which its role needs permissions. */
export interface MachineDuties {
  /** Whether it writes a log. */
  readonly logs: boolean;
  /** Whether it sends traces to X-Ray. */
  readonly traces: boolean;
}

/**
 * For the log: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html , but for the two that are of functions.
 * For traces: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
 */
const LOG_ACTIONS = [
  'CreateLogDelivery',
  'GetLogDelivery',
  'UpdateLogDelivery',
  'DeleteLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'DescribeResourcePolicies',
  'DescribeLogGroups',
];
const TRACE_ACTIONS = ['PutTraceSegments', 'PutTelemetryRecords', 'GetSamplingRules', 'GetSamplingTargets'];

/** Asks what a state machine's role may do. */
export type MayDo = (action: string, resource: string) => string | undefined;

/** Step Functions with the role of one state machine. */
export class MachineRole {
  readonly #take: () => Principal | undefined;
  readonly #roles: ServiceRoles;

  constructor(
    roles: ServiceRoles,
    machine: { readonly arn: string; readonly roleArn: string; readonly account: string },
    random: Random,
  ) {
    this.#roles = roles;
    const { arn, account, roleArn } = machine;
    this.#take = () => roles.take(roleArn, 'states.amazonaws.com', hexDigits(random, 32), { arn, account });
  }

  /**
   * Refuses a state machine as CreateStateMachine does.
   * https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
   * @throws Error
   */
  check({ logs, traces }: MachineDuties): void {
    const principal = this.#take();
    if (principal === undefined) {
      throw new Error(
        'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
      );
    }
    const wanted = [
      ...(logs ? LOG_ACTIONS.map((action) => `logs:${action}`) : []),
      ...(traces ? TRACE_ACTIONS.map((action) => `xray:${action}`) : []),
    ];
    const refusals = wanted.flatMap((action) => this.#roles.refusal(principal, action, '*') ?? []);
    const [refusal] = refusals;
    // Step Functions itself refuses for the log only; without traces nobody would notice.
    if (refusal !== undefined) throw new Error(`The state machine IAM Role is not authorized: ${refusal}`);
  }

  /** What the role is told if it may not do this; undefined: it may. */
  readonly refusal: MayDo = (action, resource) => {
    const principal = this.#take();
    return principal === undefined
      ? 'states.amazonaws.com is not authorized to assume the role of the state machine'
      : this.#roles.refusal(principal, action, resource);
  };
}
