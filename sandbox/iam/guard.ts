import type { Ec2Authorization } from '../ec2/authorization.ts';
import { Ec2Error } from '../ec2/ec2-error.ts';
import { cloudformationCalls } from './calls/cloudformation.ts';
import { dynamodbCalls } from './calls/dynamodb.ts';
import { ec2Calls } from './calls/ec2.ts';
import { eventsCalls } from './calls/events.ts';
import { lambdaCalls } from './calls/lambda.ts';
import { snsCalls, sqsCalls } from './calls/messaging.ts';
import { type ApiRequest, NotReadable } from './calls/request.ts';
import { servicequotasCalls } from './calls/servicequotas.ts';
import { statesCalls } from './calls/states.ts';
import type { Iam } from './iam.ts';
import { refusalText } from './refusal.ts';
import type { Call, PolicyDocument, Principal } from './types.ts';

/** Policies of resources, by their ARNs. */
export interface PoliciesOfResources {
  readonly of: (arn: string) => PolicyDocument | undefined;
}

/** Those that are guarded here. EC2, KMS and STS know best themselves when to ask. */
const CALLS: Readonly<Record<string, (request: ApiRequest) => readonly Call[]>> = {
  cloudformation: cloudformationCalls,
  dynamodb: dynamodbCalls,
  events: eventsCalls,
  lambda: lambdaCalls,
  servicequotas: servicequotasCalls,
  sns: snsCalls,
  sqs: sqsCalls,
  states: statesCalls,
};

/** Asks IAM about the calls of APIs. */
export class Guard {
  readonly #iam: Iam;
  readonly #policies: PoliciesOfResources;

  constructor(options: { readonly iam: Iam; readonly policies: PoliciesOfResources }) {
    this.#iam = options.iam;
    this.#policies = options.policies;
  }

  /** What the service says if the caller may not; undefined: it may, or the service itself asks. */
  refusalOf(service: string, request: ApiRequest): string | undefined {
    const { principal } = request;
    const describe = CALLS[service];
    // The administrator may do everything at home, and none of these services is reached from elsewhere.
    if (principal?.roleArn === undefined || describe === undefined) return undefined;
    try {
      return this.#refusal(principal, describe(request));
    } catch (error) {
      if (error instanceof NotReadable) return undefined;
      throw error;
    }
  }

  /**
   * Lets calls of EC2 pass. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
   * @throws Ec2Error `UnauthorizedOperation`
   */
  readonly ec2 = ({ caller, action, tree, facts }: Ec2Authorization): void => {
    const { principal } = caller;
    if (principal?.roleArn === undefined) return;
    const refusal = this.#refusal(principal, ec2Calls(action, caller, tree, facts));
    if (refusal === undefined) return;
    const encoded = Buffer.from(refusal).toString('base64url');
    const message = `You are not authorized to perform this operation. ${refusal}. Encoded authorization failure message: ${encoded}`;
    throw new Ec2Error('UnauthorizedOperation', message, 403);
  };

  /**
   * Whether a role may do one thing to one resource, whose own policy counts as well. Answers what it is told if not.
   */
  refusal(principal: Principal, action: string, resource: string): string | undefined {
    return this.#refusal(principal, [{ action, resource, context: {} }]);
  }

  /** All that a call needs must be allowed. */
  #refusal(principal: Principal, calls: readonly Call[]): string | undefined {
    for (const call of calls) {
      const account = call.resource.split(':')[4] ?? '';
      const side = account === '' ? undefined : { account, policy: this.#policies.of(call.resource) };
      const verdict = this.#iam.authorize(principal, call, side);
      if (!verdict.allowed) return refusalText(principal, call, verdict);
    }
    return undefined;
  }
}
