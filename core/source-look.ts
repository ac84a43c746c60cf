import * as z from 'zod/mini';
import { isRegion } from './region.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What people's commands ask of a source account, and hear. Only the functions may assume the companion's role there, so
 * the function lookAtSources looks; both sides read what the other sends with these schemas.
 */

/** Where a listing that did not fit into one answer goes on. */
const cursor = z.object({
  /** EC2's; absent for its first page. */
  token: z.exactOptional(z.string()),
  /** How many snapshots of that page were answered already. */
  skip: z.int().check(z.gte(0)),
});

/** EC2 takes 200 values of filters in a call. */
export const DAYS_AT_ONCE = 100;
/** Each of them takes a call. */
export const KEYS_AT_ONCE = 50;
export const IDS_AT_ONCE = 100;

const day = z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/, { error: 'is no day, for example 2026-01-05' }));
const snapshotId = z.string().check(z.regex(/^snap-[0-9a-f]{8,17}$/, { error: 'is no snapshot id' }));

const where = {
  account: z.string().check(z.regex(/^\d{12}$/, { error: 'is no account id of 12 digits' })),
  region: z.string().check(z.refine(isRegion, { error: 'is no Region, for example eu-west-1' })),
};

const listOf = <Item extends z.ZodMiniType>(item: Item, most: number) =>
  z.array(item).check(z.minLength(1, { error: 'is empty' }), z.maxLength(most, { error: `has more than ${most}` }));

/** What lookAtSources is asked. */
export const sourceLook = z.discriminatedUnion('ask', [
  /** The account's own snapshots that were begun on these days (UTC). */
  z.object({ ask: z.literal('begunOn'), ...where, days: listOf(day, DAYS_AT_ONCE), from: z.exactOptional(cursor) }),
  /** These snapshots, as far as they belong to the account. */
  z.object({ ask: z.literal('snapshots'), ...where, ids: listOf(snapshotId, IDS_AT_ONCE) }),
  /** What KMS tells of these keys of the account, by id, alias or ARN; with `usedBy`, a role, also who lets it use them. */
  z.object({
    ask: z.literal('keys'),
    ...where,
    names: listOf(z.string(), KEYS_AT_ONCE),
    usedBy: z.exactOptional(z.string()),
  }),
  /** Whether all that copies need would work, and what is left there. */
  z.object({ ask: z.literal('check'), ...where, reencrypt: z.boolean() }),
]);

export type SourceLook = z.infer<typeof sourceLook>;

const tags = z.record(z.string(), z.string());

const snapshot = z.object({
  snapshotId: z.string(),
  region: z.string(),
  ownerId: z.string(),
  volumeId: z.string(),
  state: z.literal(['pending', 'completed', 'error', 'recoverable', 'recovering']),
  stateMessage: z.exactOptional(z.string()),
  progressPercent: z.number(),
  startTime: z.string(),
  completionTime: z.exactOptional(z.string()),
  sizeGiB: z.number(),
  fullSizeBytes: z.exactOptional(z.number()),
  encrypted: z.boolean(),
  kmsKeyId: z.exactOptional(z.string()),
  storageTier: z.literal(['standard', 'archive']),
  outpostArn: z.exactOptional(z.string()),
  localZone: z.exactOptional(z.string()),
  description: z.string(),
  tags,
  viewedByOwner: z.literal(true),
});

/** Of EC2's pages: `next` is where the rest is, if there is any. */
const begunOnAnswer = z.object({ snapshots: z.array(snapshot), next: z.exactOptional(cursor) });

const snapshotsAnswer = z.object({ snapshots: z.array(snapshot) });

const key = z.object({
  keyId: z.string(),
  arn: z.string(),
  account: z.string(),
  manager: z.literal(['AWS', 'CUSTOMER']),
  state: z.string(),
  spec: z.string(),
  usage: z.string(),
  multiRegion: z.exactOptional(z.string()),
  deletionDate: z.exactOptional(z.string()),
});

const unknown = z.object({ unknown: z.string() });

const grant = z.object({
  grantee: z.string(),
  operations: z.readonly(z.array(z.string())),
  isConstrained: z.boolean(),
});

/** One of the three: what it is, that there is none, or why nobody knows. */
const keyAnswer = z.union([
  z.object({
    name: z.string(),
    key,
    /** Of customer managed keys, if it was asked for: KMS has 32 KiB at most. */
    policy: z.exactOptional(z.union([z.object({ value: z.string() }), unknown])),
    /** Those of the role. */
    grants: z.exactOptional(z.union([z.object({ value: z.readonly(z.array(grant)) }), unknown])),
  }),
  z.object({ name: z.string(), missing: z.literal(true) }),
  z.object({ name: z.string(), unknown: z.string() }),
]);

const keysAnswer = z.object({ keys: z.array(keyAnswer) });

/** What the companion's role is for, each as EC2 judged it without doing it. */
const SOURCE_PERMISSIONS = [
  'readShares',
  'share',
  'takeBack',
  'mark',
  'unmark',
  'copyUnderKey',
  'removeIntermediate',
] as const;

/** `untried`: there was nothing to try it with, or no clear answer came. */
const trial = z.object({
  permission: z.literal(SOURCE_PERMISSIONS),
  outcome: z.literal(['allowed', 'refused', 'untried']),
  /** Of EC2, or why it was not tried; empty if it is allowed. */
  words: z.string(),
});

const checkAnswer = z.object({
  /** The snapshot that permissions were tried with. */
  example: z.exactOptional(z.string()),
  trials: z.array(trial),
  /** What carries a claim of the install on a share. */
  claimed: z.array(
    z.object({ snapshotId: z.string(), claims: z.array(z.object({ tag: z.string(), execution: z.string() })) }),
  ),
  intermediates: z.array(snapshot),
  /** Of the companion, for copies that can be shared. Only if it was asked with `reencrypt`. */
  shareableKey: z.exactOptional(keyAnswer),
});

/** In place of an answer: the account is not one of the rules, or its companion refuses. For people. */
export const refusal = z.object({ refused: z.string() });

export type Refusal = z.infer<typeof refusal>;

/** What lookAtSources answers to each, unless it is a refusal. */
export const sourceAnswers = {
  begunOn: begunOnAnswer,
  snapshots: snapshotsAnswer,
  keys: keysAnswer,
  check: checkAnswer,
};

export type SourceAnswer<Ask extends SourceLook['ask']> = z.infer<(typeof sourceAnswers)[Ask]>;
export type SourceTrial = z.infer<typeof trial>;
export type SourceCheck = SourceAnswer<'check'>;
export type SourceKey = z.infer<typeof keyAnswer>;

/** Lambda takes 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LARGEST_ANSWER_BYTES = 5_000_000;

/**
 * As many of a page's snapshots as fit into an answer beside what it has already.
 *
 * @param skip how many were answered before
 * @param bytes what the answer has already
 */
export function fitting(
  page: readonly Snapshot[],
  skip: number,
  bytes: number,
): { readonly snapshots: readonly Snapshot[]; readonly bytes: number; readonly isAll: boolean } {
  const snapshots: Snapshot[] = [];
  let total = bytes;
  for (const each of page.slice(skip)) {
    const size = new TextEncoder().encode(JSON.stringify(each)).length + 1;
    // One alone always fits: EC2 has limits for tags.
    if (total + size > LARGEST_ANSWER_BYTES && total > 0) return { snapshots, bytes: total, isAll: false };
    snapshots.push(each);
    total += size;
  }
  return { snapshots, bytes: total, isAll: true };
}
