import * as z from 'zod';
import type { Call } from '../types.ts';
import { type ApiRequest, arnIn, inputOf } from './request.ts';

const ofMachine = z.object({ stateMachineArn: z.string() });
const ofExecution = z.object({ executionArn: z.string() });

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html */
export function statesCalls(request: ApiRequest): readonly Call[] {
  const action = `states:${request.action}`;
  switch (request.action) {
    case 'ListStateMachines':
      return [{ action, resource: '*', context: {} }];
    case 'StartExecution':
    case 'ListExecutions':
    case 'DescribeStateMachine': {
      return [{ action, resource: arnIn(inputOf(ofMachine, request).stateMachineArn, 'states'), context: {} }];
    }
    case 'StopExecution':
    case 'DescribeExecution':
    case 'GetExecutionHistory': {
      const resource = arnIn(inputOf(ofExecution, request).executionArn, 'states');
      // An execution of an Express state machine: only DescribeExecution's reference has it, and no action takes it.
      return resource.split(':')[5] === 'express' ? [] : [{ action, resource, context: {} }];
    }
    default:
      throw new Error(`the sandbox cannot say what permission ${action} needs`);
  }
}
