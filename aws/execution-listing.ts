import { callStepFunctions } from './step-functions.ts';

/** Executions of the state machine that copies, for people. Every method throws errors of core/errors.ts only. */
export interface ExecutionListing {
  /**
   * Executions that ended in this way, latest start first: those that started since a moment, and no more than some.
   * 1,000 a call: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
   */
  ended(status: EndedStatus, which: WhichExecutions): Promise<readonly ListedExecution[]>;
}

export type EndedStatus = 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

interface WhichExecutions {
  readonly startedSince?: Date;
  readonly atMost?: number;
}

export interface ListedExecution {
  readonly name: string;
  readonly status: EndedStatus;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
}

const PAGE = 1000;

/** Executions on Step Functions. */
export function executionListing(stateMachineArn: string): ExecutionListing {
  return {
    ended: (status, { startedSince = new Date(0), atMost = Number.POSITIVE_INFINITY }) =>
      callStepFunctions(`ListExecutions of ${stateMachineArn}, ${status}`, async (sdk, client) => {
        const found: ListedExecution[] = [];
        let nextToken: string | undefined;
        do {
          const page = await client.send(
            new sdk.ListExecutionsCommand({
              stateMachineArn,
              statusFilter: status,
              maxResults: Math.min(PAGE, atMost - found.length),
              ...(nextToken !== undefined && { nextToken }),
            }),
          );
          for (const { name = '', startDate, stopDate } of page.executions ?? []) {
            if (startDate === undefined || stopDate === undefined) continue;
            if (startDate < startedSince) return found;
            found.push({ name, status, startedAt: startDate.toISOString(), endedAt: stopDate.toISOString() });
          }
          nextToken = page.nextToken;
        } while (nextToken !== undefined && found.length < atMost);
        return found;
      }),
  };
}
