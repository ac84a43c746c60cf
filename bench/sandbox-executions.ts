import type { AdmissionMachine } from '../aws/admission-machine.ts';
import type { ExecutionApi } from '../aws/executions.ts';
import type { StepFunctions } from '../sandbox/stepfunctions/step-functions.ts';
import { StepFunctionsError } from '../sandbox/stepfunctions/step-functions-error.ts';

/** `stepFunctionsExecutions` of aws/ for the sandbox's Step Functions in this process. */
export function sandboxExecutions(stepFunctions: () => StepFunctions, stateMachineArn: () => string): ExecutionApi {
  return {
    async start(name, request) {
      try {
        stepFunctions().start({ stateMachineArn: stateMachineArn(), name, input: JSON.stringify(request) });
        return 'started';
      } catch (error) {
        if (isCode(error, 'ExecutionAlreadyExists')) return 'alreadyStarted';
        throw error;
      }
    },

    async find(name) {
      const executionArn = `${stateMachineArn().replace(':stateMachine:', ':execution:')}:${name}`;
      try {
        const { arn: _, history: __, transitions: ___, ...record } = stepFunctions().execution(executionArn);
        return { executionArn, ...record };
      } catch (error) {
        if (isCode(error, 'ExecutionDoesNotExist')) return undefined;
        throw error;
      }
    },
  };
}

/** `stepFunctionsAdmission` of aws/, likewise. */
export function sandboxAdmission(stepFunctions: () => StepFunctions, stateMachineArn: () => string): AdmissionMachine {
  return {
    async wake(region) {
      stepFunctions().start({ stateMachineArn: stateMachineArn(), input: JSON.stringify({ region }) });
    },
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof StepFunctionsError && error.code === code;
}
