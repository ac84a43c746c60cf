/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#StepFunctions-StartExecution-request-name */
const EXECUTION_NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/]{1,80}$/;

/** What somebody wants to have started again. */
export type RetryTarget =
  | { readonly kind: 'snapshot'; readonly snapshotId: string }
  | { readonly kind: 'execution'; readonly name: string }
  | { readonly kind: 'none'; readonly why: string };

/**
 * Reads the id of a source snapshot, or the name or ARN of an execution.
 *
 * @param stateMachineArn of the install, for the ARN of an execution names its state machine
 */
export function parseRetryTarget(text: string, stateMachineArn: string): RetryTarget {
  if (/^snap-[0-9a-f]{8,17}$/.test(text)) return { kind: 'snapshot', snapshotId: text };
  if (!text.startsWith('arn:')) {
    if (EXECUTION_NAME.test(text)) return { kind: 'execution', name: text };
    return {
      kind: 'none',
      why: `${text} is neither the id of a snapshot nor the name or ARN of an execution. It takes for example snap-0a1b2c3d4e5f60718, or snap-0a1b2c3d4e5f60718-eu-central-1-1.`,
    };
  }
  const [, machine = '', name] = /^(arn:[^:]+:states:[^:]+:\d{12}:execution:[^:]+):([^:]+)$/.exec(text) ?? [];
  if (name === undefined) return { kind: 'none', why: `${text} is no ARN of an execution.` };
  const ours = stateMachineArn.replace(':stateMachine:', ':execution:');
  if (machine === ours) return { kind: 'execution', name };
  return { kind: 'none', why: `${text} is an execution of another state machine than ${stateMachineArn}.` };
}
