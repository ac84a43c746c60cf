import type { PolicyDocument } from './policy-document.ts';

export type { PolicyDocument } from './policy-document.ts';

/** Condition keys of one request, and their value or values. Keys are compared without regard to case. */
export type Context = Readonly<Record<string, string | readonly string[]>>;

/** What AWS evaluates: one action on one resource. An API call can be several of them. */
export interface Call {
  /** `kms:CreateGrant` */
  readonly action: string;
  /** ARN, or `*` if the action knows no resources. */
  readonly resource: string;
  /** Only keys that the service authorization reference gives for the action, and global ones. */
  readonly context: Context;
}

/** Who calls. */
export interface Principal {
  readonly account: string;
  /** As AWS shows the caller: `arn:aws:sts::<account>:assumed-role/<role>/<session>`, or of the account's root. */
  readonly arn: string;
  /** Absent: the account's administrator, who may do everything in the account. */
  readonly roleArn?: string;
  readonly sessionPolicy?: PolicyDocument;
  /** An AWS service that acts on its own behalf, `events.amazonaws.com`: only resource policies let it in. */
  readonly service?: string;
}

export interface Verdict {
  readonly allowed: boolean;
  /** As at the end of AWS's message: `because no identity-based policy allows the ec2:CopySnapshot action`. */
  readonly why: string;
}

/** The policy of the resource that a call is about. */
export interface ResourceSide {
  /** Who owns the resource. */
  readonly account: string;
  readonly policy: PolicyDocument | undefined;
  /** `key`: the policy is the authority; identity policies count only where it gives them to the account's root. */
  readonly kind?: 'usual' | 'key';
  /** For reports, if the policy is of something else than the call's resource: ARN of what it is the policy of. */
  readonly from?: string;
}

/** What a role is made of. */
export interface RoleOptions {
  /** `arn:aws:iam::<account>:role/<path><name>` */
  readonly arn: string;
  readonly account: string;
  /** Of the stack that made it. */
  readonly region?: string | undefined;
  readonly stack: string;
  readonly logicalId: string;
  readonly trust: PolicyDocument;
  readonly policies: readonly PolicyDocument[];
  /** Default 3600. */
  readonly maxSessionSeconds?: number | undefined;
}

export interface Role extends RoleOptions {
  readonly name: string;
  readonly maxSessionSeconds: number;
}
