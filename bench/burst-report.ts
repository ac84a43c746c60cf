import * as z from 'zod';
import { burstRow } from './results.ts';

export const BURST_VARIANTS = ['events', 'heartbeat', 'trouble'] as const;
export type BurstVariant = (typeof BURST_VARIANTS)[number];

/** What a burst came to, beside what the table of results has room for. */
export const burstReport = z.object({
  row: burstRow,
  /** Copies that began while the request of an older snapshot could have begun in hindsight, by EC2's record. */
  outOfOrderInHindsight: z.number(),
  /** By the name in serverless.yml. */
  invocations: z.record(z.string(), z.number()),
  killed: z.number(),
  expressExecutions: z.number(),
  /** Of all Standard executions. */
  transitions: z.number(),
  alerts: z.number(),
  stuckEvents: z.number(),
});

export type BurstReport = z.infer<typeof burstReport>;
