import * as z from 'zod';

const share = z.number().min(0).max(1);

/** The defaults are a week so bad that AWS is not known to have had one. */
export const troubleSchema = z.strictObject({
  /** Of all events. */
  lostEvents: share.default(0.05),
  doubledEvents: share.default(0.05),
  /** Of all calls of EC2, of the ledger, of Step Functions and of the topic; the SDK tries again where it does on AWS. */
  failingCalls: share.default(0.02),
  /** How many attempts the SDK makes of a call that is not EC2's. */
  sdkAttempts: z.int().min(1).default(3),
  /** Of all invocations. */
  killed: share.default(1 / 200),
  /** How long EC2's listings leave out a new copy. */
  hiddenSeconds: z.number().min(0).default(15),
});

/** What goes wrong, each by chance. */
export type Trouble = z.output<typeof troubleSchema>;

export const NO_TROUBLE: Trouble = {
  lostEvents: 0,
  doubledEvents: 0,
  failingCalls: 0,
  sdkAttempts: 3,
  killed: 0,
  hiddenSeconds: 0,
};
