import * as z from 'zod/mini';
import { UnreadableInputError } from './errors.ts';
import { snapshotIdOf } from './snapshot-arn.ts';

/** Why admission looks at a Region, and for which execution of its state machine. */
export interface Wake {
  readonly region: string;
  /** A copy that is pending no more, by what an EBS event says. */
  readonly endedCopyId?: string;
  readonly execution: AdmissionExecution;
}

export interface AdmissionExecution {
  /** ARN. */
  readonly id: string;
  /** ISO 8601. */
  readonly startTime: string;
}

const execution = z.object({ id: z.string(), startTime: z.string() });
const byService = z.object({ execution, wake: z.strictObject({ region: z.string() }) });
/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html#copy-snapshot-complete */
const byEvent = z.object({
  execution,
  wake: z.object({
    'detail-type': z.literal('EBS Snapshot Notification'),
    region: z.string(),
    detail: z.object({
      event: z.literal('copySnapshot'),
      snapshot_id: z.string(),
    }),
  }),
});

/**
 * Reads the input of the state Admit: `{execution, wake}`, where `wake` is the input of the execution: `{"region": …}`,
 * or a whole `copySnapshot` event of a destination Region.
 *
 * @throws UnreadableInputError
 */
export function parseWake(input: unknown): Wake {
  const called = byService.safeParse(input);
  if (called.success) return { region: called.data.wake.region, execution: called.data.execution };
  const heard = byEvent.safeParse(input);
  if (!heard.success) {
    throw new UnreadableInputError(
      `Cannot read this wake of admission. It takes {"region":"eu-central-1"} or a copySnapshot event. Found: ${String(JSON.stringify(input)).slice(0, 1000)}`,
    );
  }
  const { region, detail } = heard.data.wake;
  const endedCopyId = snapshotIdOf(detail.snapshot_id);
  return { region, execution: heard.data.execution, ...(endedCopyId !== undefined && { endedCopyId }) };
}
