import { type CopyRule, NO_SOURCE_ACCOUNTS, type SourceAccounts } from '../core/rules.ts';
import { capitalised, FUNCTION_NAMES, permissionsOf, ROLE_OWNERS, type RoleOwner } from './derive-permissions.ts';
import type { Permission } from './permission.ts';
import { plainError } from './plain-error.ts';

/** IAM's limit for all inline policies of a role together, in characters without white space. */
const LONGEST_POLICY = 10_240;

/**
 * One AWS::IAM::Role for each function, state machine, rule and schedule that needs one, by logical id (`StartCopyRole`, …), as CloudFormation
 * resources. None has a fixed name, so that installs do not get in each other's way; those of functions have a path.
 *
 * @throws Error if the rules need a longer policy than IAM allows.
 */
export function roles(
  rules: readonly CopyRule[],
  install: string,
  sourceAccounts: SourceAccounts = NO_SOURCE_ACCOUNTS,
) {
  return Object.fromEntries(
    ROLE_OWNERS.map((owner) => [`${capitalised(owner)}Role`, role(owner, rules, install, sourceAccounts)]),
  );
}

function role(owner: RoleOwner, rules: readonly CopyRule[], install: string, sourceAccounts: SourceAccounts) {
  const policy = {
    Version: '2012-10-17',
    Statement: permissionsOf(owner, rules, install, sourceAccounts).map(statement),
  };
  const length = policyLength(policy);
  if (length > LONGEST_POLICY) {
    throw plainError(
      `The rules need a policy of about ${length} characters for ${owner}, and IAM allows ${LONGEST_POLICY}. ` +
        'Have the same key alias in all Regions, or fewer destinations or source accounts, or two installs with a rules file each.',
    );
  }
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      ...(isFunction(owner) && { Path: functionRolePath(install) }),
      Description: `What ${owner} of ${install} may do`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [trustOf(owner)],
      },
      Policies: [{ PolicyName: capitalised(owner), PolicyDocument: policy }],
    },
  };
}

/**
 * Where the roles of an install's functions are, and no others: policies in source accounts name them so, for they have no
 * names that could be known before. companions/source-account.yml has it too.
 */
function functionRolePath(install: string): string {
  return `/snapshot-copier/${install}/`;
}

function isFunction(owner: RoleOwner): boolean {
  return FUNCTION_NAMES.some((name) => name === owner);
}

function trustOf(owner: RoleOwner) {
  switch (owner) {
    case 'copySnapshotMachine':
    case 'admitCopiesMachine':
      return trustIn('states', OF_THIS_ACCOUNT);
    case 'copyEventsRule':
      return trustIn('events', OF_THIS_ACCOUNT);
    case 'schedules':
      return trustIn('scheduler', OF_THIS_ACCOUNT);
    default:
      return trustIn('lambda');
  }
}

/** Not the ARN of the machine, rule or schedule as condition: each needs its role first. */
const OF_THIS_ACCOUNT = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

function trustIn(service: string, condition?: typeof OF_THIS_ACCOUNT) {
  return {
    Effect: 'Allow',
    Principal: { Service: `${service}.amazonaws.com` },
    Action: 'sts:AssumeRole',
    ...(condition !== undefined && { Condition: condition }),
  };
}

function statement({ sid, actions, resources, conditions }: Permission) {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(conditions !== undefined && { Condition: conditions }),
  };
}

/** Intrinsics are written out first, each pseudo parameter as the longest text that it can become. */
function policyLength(policy: unknown): number {
  const longest: Readonly<Record<string, string>> = {
    'AWS::Partition': 'aws-us-gov',
    'AWS::Region': 'ap-southeast-1',
    'AWS::AccountId': '111122223333',
  };
  const written = JSON.stringify(policy, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('Fn::Sub' in value)
      return String(value['Fn::Sub']).replaceAll(/\$\{(AWS::\w+)\}/g, (_all, name: string) => longest[name] ?? '');
    return 'Ref' in value ? (longest[String(value.Ref)] ?? '') : value;
  });
  return written.length;
}
