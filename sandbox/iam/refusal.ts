import type { Call, Principal, Verdict } from './types.ts';

/**
 * What services say who refuse: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * The resource is left out where the action knows none.
 */
export function refusalText(
  { arn }: Pick<Principal, 'arn'>,
  { action, resource }: Pick<Call, 'action' | 'resource'>,
  { why }: Verdict,
): string {
  const on = resource === '*' ? '' : ` on resource: ${resource}`;
  return `User: ${arn} is not authorized to perform: ${action}${on} ${why}`.trimEnd();
}
