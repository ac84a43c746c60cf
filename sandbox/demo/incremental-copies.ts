import * as z from 'zod';
import { snapshotIdOf } from '../../core/snapshot-arn.ts';

const heard = z.object({ events: z.array(z.looseObject({ detail: z.record(z.string(), z.unknown()) })) });
const endOfCopy = z.object({
  event: z.literal('copySnapshot'),
  snapshot_id: z.string(),
  incremental: z.enum(['true', 'false']),
});

/**
 * Id of each copy that has ended, and whether it was incremental.
 *
 * @param answer the sandbox's record of events
 */
export function incrementalCopies(answer: unknown): ReadonlyMap<string, boolean> {
  return new Map(
    heard.parse(answer).events.flatMap(({ detail }): [string, boolean][] => {
      const { data } = endOfCopy.safeParse(detail);
      const copyId = data === undefined ? undefined : snapshotIdOf(data.snapshot_id);
      return data === undefined || copyId === undefined ? [] : [[copyId, data.incremental === 'true']];
    }),
  );
}
