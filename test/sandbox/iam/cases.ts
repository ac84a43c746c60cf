import { Iam } from '../../../sandbox/iam/iam.ts';
import { type PolicyKind, parsePolicy } from '../../../sandbox/iam/policy-document.ts';
import type { Call, PolicyDocument, Principal, ResourceSide } from '../../../sandbox/iam/types.ts';

export const HOME = '444455556666';
export const OTHER = '111122223333';
export const ROLE = `arn:aws:iam::${HOME}:role/copier`;
export const SESSION = `arn:aws:sts::${HOME}:assumed-role/copier/run`;

/** A policy of these statements. */
export function policy(kind: PolicyKind, ...Statement: readonly unknown[]): PolicyDocument {
  return parsePolicy(kind, { Version: '2012-10-17', Statement }, kind);
}

/** A statement that lets sessions read the queue. */
export function allow(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { Effect: 'Allow', Action: 'sqs:ReceiveMessage', Resource: '*', ...more };
}

/** The session of a role with these statements. */
export function world(
  statements: readonly unknown[],
  { organization, now = '2026-01-05T09:00:00Z' }: { organization?: string; now?: string } = {},
): {
  readonly iam: Iam;
  readonly session: Principal;
  may: (call: Partial<Call>, resource?: ResourceSide, as?: Partial<Principal>) => boolean;
  why: (call: Partial<Call>, resource?: ResourceSide, as?: Partial<Principal>) => string;
} {
  const iam = new Iam({
    clock: { now: () => Date.parse(now) },
    ...(organization !== undefined && { organizationOf: () => organization }),
  });
  iam.addRole({
    arn: ROLE,
    account: HOME,
    stack: 'stack',
    logicalId: 'CopierRole',
    trust: policy('trust', { Effect: 'Allow', Principal: { AWS: HOME }, Action: 'sts:AssumeRole' }),
    policies: [policy('identity', ...statements)],
  });
  const session: Principal = { account: HOME, arn: SESSION, roleArn: ROLE };
  const ask = (call: Partial<Call>, resource?: ResourceSide, as: Partial<Principal> = {}) =>
    iam.authorize(
      { ...session, ...as },
      { action: 'sqs:ReceiveMessage', resource: `arn:aws:sqs:eu-west-1:${HOME}:inbox`, context: {}, ...call },
      resource,
    );
  return {
    iam,
    session,
    may: (...of) => ask(...of).allowed,
    why: (...of) => ask(...of).why,
  };
}
