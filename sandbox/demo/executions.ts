import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ExecutionDoesNotExist,
  ListStateMachinesCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** The state machine that copies. */
export async function findStateMachine(stepFunctions: SFNClient): Promise<string> {
  const { stateMachines = [] } = await stepFunctions.send(new ListStateMachinesCommand({}));
  const found = stateMachines.find(({ type }) => type === 'STANDARD')?.stateMachineArn;
  if (found === undefined) throw new Error('The sandbox has no state machine.');
  return found;
}

/** Undefined if there is none of this name. */
export async function findExecution(
  stepFunctions: SFNClient,
  stateMachineArn: string,
  name: string,
): Promise<DescribeExecutionOutput | undefined> {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  try {
    return await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return undefined;
    throw error;
  }
}
