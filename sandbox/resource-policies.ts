import { awsService, Iam } from './iam/iam.ts';
import { type PolicyDocument, parsePolicy } from './iam/policy-document.ts';

/** An AWS service that wants to do something to a resource, on behalf of another one of this account. */
export interface ServiceRequest {
  /** `events.amazonaws.com` */
  readonly service: string;
  /** `sqs:SendMessage` */
  readonly action: string;
  readonly resource: string;
  /** ARN of what the service acts for, for example a rule. */
  readonly sourceArn: string;
}

/** The policies of queues, topics and functions. Some are made of several: each Lambda permission is a statement. */
export class ResourcePolicies {
  readonly #iam: Pick<Iam, 'authorize'>;
  readonly #policies = new Map<string, PolicyDocument>();

  constructor(iam: Pick<Iam, 'authorize'> = new Iam()) {
    this.#iam = iam;
  }

  /** @throws PolicyError for something in the policy that is wrong or not known here */
  add(resource: string, policy: unknown): void {
    const added = parsePolicy('resource', policy, `policy of ${resource}`);
    const known = this.#policies.get(resource);
    const Statement = [...(known?.Statement ?? []), ...added.Statement];
    this.#policies.set(resource, { ...added, Statement });
  }

  /** The policy of a resource, by its ARN. */
  of(resource: string): PolicyDocument | undefined {
    return this.#policies.get(resource);
  }

  allows({ service, action, resource, sourceArn }: ServiceRequest): boolean {
    const context = { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': sourceArn.split(':')[4] ?? '' };
    const side = { account: resource.split(':')[4] ?? '', policy: this.of(resource) };
    return this.#iam.authorize(awsService(service), { action, resource, context }, side).allowed;
  }
}
