import * as z from 'zod/mini';
import { UnreadableInputError } from './errors.ts';
import { isRegion } from './region.ts';
import { snapshotIdOf } from './snapshot-arn.ts';

/**
 * What an EBS event says, in our words: snapshots to look at, or why there is nothing to do.
 * Shapes: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 */
export type SnapshotNews =
  | {
      readonly kind: 'snapshots';
      /** `created`: they completed in this account. `shared`: another account shared them with this one. */
      readonly trigger: 'created' | 'shared';
      readonly snapshotIds: readonly string[];
      readonly region: string;
      /** 12 digits: where it happened, as EventBridge says; absent from events that people write. */
      readonly account?: string;
      /** ISO 8601: when EventBridge says it happened. */
      readonly eventTime: string;
      /** 12 digits; who shared, where the event says so. */
      readonly sharedBy?: string;
    }
  | { readonly kind: 'ignored'; readonly reason: string };

const envelope = z.object({
  source: z.string(),
  'detail-type': z.string(),
  account: z.exactOptional(z.string()),
  region: z.string(),
  time: z.string(),
  resources: z._default(z.array(z.string()), []),
  detail: z.record(z.string(), z.unknown()),
});

/**
 * Reads an event as EventBridge delivers it. Fields are read defensively: ARNs come in three layouts, account ids as
 * string or number, and field names of older events are capitalised.
 *
 * @throws UnreadableInputError if it is no EBS event, or names no snapshot: it then goes to the stuck-events queue.
 */
export function readSnapshotEvent(event: unknown): SnapshotNews {
  const parsed = envelope.safeParse(event);
  if (!parsed.success) throw unreadable(event, `not an EventBridge event: ${z.prettifyError(parsed.error)}`);
  const { source, 'detail-type': detailType, account, region, time, resources } = parsed.data;
  if (source !== 'aws.ec2') throw unreadable(event, `it is from ${source}, not from aws.ec2`);
  if (!isRegion(region)) throw unreadable(event, `region is ${JSON.stringify(region)}, which is no Region`);

  const detail = new Map(Object.entries(parsed.data.detail).map(([key, value]) => [key.toLowerCase(), value]));
  const happened = text(detail.get('event'));
  const result = text(detail.get('result'));

  const wanted = wantedEvents.get(`${detailType} ${happened}`);
  if (wanted === undefined) {
    return { kind: 'ignored', reason: `nobody asks for ${detailType} ${JSON.stringify(happened)}` };
  }
  if (result !== 'succeeded') {
    const cause = text(detail.get('cause'));
    return {
      kind: 'ignored',
      reason: `${happened} ${result === '' ? 'has no result' : result}${cause && `: ${cause}`}`,
    };
  }

  const ids = new Set(snapshotArns(detail, resources).flatMap((arn) => snapshotIdOf(arn) ?? []));
  if (ids.size === 0) throw unreadable(event, 'no snapshot id in detail.snapshot_id, detail.snapshots or resources');
  const sharedBy = wanted === 'shared' ? accountId(detail.get('source')) : undefined;
  return {
    kind: 'snapshots',
    trigger: wanted,
    snapshotIds: [...ids],
    region,
    ...(account !== undefined && { account }),
    eventTime: time,
    ...(sharedBy !== undefined && { sharedBy }),
  };
}

/** The account that an event says it is from, before anything else of it is trusted; undefined if it names none. */
export function accountOfEvent(event: unknown): string | undefined {
  return z.object({ account: z.string() }).safeParse(event).data?.account;
}

/** detail-type and detail.event to what they mean for us; whatever is not here is ignored. */
const wantedEvents: ReadonlyMap<string, 'created' | 'shared'> = new Map([
  ['EBS Snapshot Notification createSnapshot', 'created'],
  ['EBS Snapshot Notification shareSnapshot', 'shared'],
  ['EBS Multi-Volume Snapshots Completion Status createSnapshots', 'created'],
]);

const memberOfSet = z.object({ snapshot_id: z.string() });

/** The event's own field if it has one, else the resources of the envelope. */
function snapshotArns(detail: ReadonlyMap<string, unknown>, resources: readonly string[]): readonly string[] {
  const single = text(detail.get('snapshot_id'));
  if (single !== '') return [single];
  const set = z.array(memberOfSet).safeParse(detail.get('snapshots'));
  return set.success && set.data.length > 0 ? set.data.map((member) => member.snapshot_id) : resources;
}

/** AWS's own sample has an account id as a bare number, which loses leading zeros. */
function accountId(value: unknown): string | undefined {
  const digits = typeof value === 'number' ? String(value) : text(value);
  return /^\d{1,12}$/.test(digits) ? digits.padStart(12, '0') : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unreadable(event: unknown, problem: string): UnreadableInputError {
  const shown = String(JSON.stringify(event));
  return new UnreadableInputError(`Cannot read this event, ${problem}. Found: ${shown.slice(0, 1000)}`);
}
