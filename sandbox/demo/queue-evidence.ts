import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { findExecution } from './executions.ts';
import { incrementalCopies } from './incremental-copies.ts';
import type { QueueRow } from './queue-observer.ts';
import type { SeenCopy } from './seen-copies.ts';

/** What the queue did, looked up when all is over. */
export interface QueueEvidence {
  /** In the order in which their executions started. */
  readonly starts: readonly Start[];
  /** Everything in the destination that is tagged as a copy. */
  readonly copies: readonly SeenCopy[];
  /** How often EC2 was asked for a copy into the Region, whatever it answered. */
  readonly copySnapshotCalls: number;
}

/** A request that had its turn. */
export interface Start {
  readonly row: QueueRow;
  /** When the source snapshot was begun. */
  readonly takenAt: Date;
  /** When the ledger got the request. */
  readonly requestedAt: Date;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  /** When EC2 copied, and how much of the volume; absent if there is no complete copy. */
  readonly copied?: { readonly from: Date; readonly to: Date; readonly how: 'full' | 'incremental' };
}

const calls = z.array(z.object({ region: z.string() }));

/** Asks Step Functions, EC2's own record of its calls, and its events. */
export async function findQueueEvidence(
  rows: readonly QueueRow[],
  ports: {
    readonly stepFunctions: SFNClient;
    readonly stateMachineArn: string;
    readonly copies: readonly SeenCopy[];
    readonly region: string;
    /** What the sandbox's own endpoint answers at this path, see docs/sandbox.md. */
    readonly control: (path: string) => Promise<unknown>;
  },
): Promise<QueueEvidence> {
  const { stepFunctions, stateMachineArn, copies, region, control } = ports;
  const isIncremental = incrementalCopies(await control('/events'));
  const starts = await Promise.all(
    rows.map(async (row): Promise<Start[]> => {
      const { request } = row;
      if (request?.execution === undefined) return [];
      const execution = await findExecution(stepFunctions, stateMachineArn, request.execution);
      if (execution?.startDate === undefined) return [];
      const copied = row.copies.flatMap(({ copyId, startTime: from, completionTime: to }) => {
        const incremental = isIncremental.get(copyId);
        if (from === undefined || to === undefined || incremental === undefined) return [];
        return [{ from, to, how: incremental ? ('incremental' as const) : ('full' as const) }];
      })[0];
      return [
        {
          row,
          takenAt: new Date(request.request.source.startTime),
          requestedAt: new Date(request.requestedAt),
          startedAt: execution.startDate,
          ...(execution.stopDate !== undefined && { endedAt: execution.stopDate }),
          ...(copied !== undefined && { copied }),
        },
      ];
    }),
  );
  return {
    starts: starts.flat().toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime()),
    copies,
    copySnapshotCalls: calls.parse(await control('/calls?action=CopySnapshot')).filter((call) => call.region === region)
      .length,
  };
}
