import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { SOURCE_ACCOUNTS } from './accounts-scenario.ts';

/** What became of events that nobody should believe. */
export interface Refusals {
  /** The error that the account got that nobody knows; undefined if its event was taken. */
  readonly ofBus: string | undefined;
  /** What the function said that refused the others. */
  readonly ofFunction: readonly string[];
}

interface Ports {
  /** As the administrator of an account, in the Region of the bus. */
  readonly events: (account: string) => EventBridgeClient;
  /** Gives something to an endpoint of docs/sandbox.md: there an event can say anything. */
  readonly post: (path: string, body: Readonly<Record<string, unknown>>) => Promise<void>;
  /** ARN of the bus for source accounts. */
  readonly bus: string;
  readonly region: string;
}

/**
 * Tells the service, as three who have no business to, of a snapshot that it would copy if its owner had shared it.
 * @returns the error that the first one got
 */
export async function forgeEvents(decoy: string, { events, post, bus, region }: Ports): Promise<string | undefined> {
  const { shop, stranger } = SOURCE_ACCOUNTS;
  const type = 'EBS Snapshot Notification';
  const detail = {
    event: 'createSnapshot',
    result: 'succeeded',
    snapshot_id: `arn:aws:ec2::${region}:snapshot/${decoy}`,
  };
  const entry = { EventBusName: bus, Source: 'my.backup', DetailType: type, Detail: JSON.stringify(detail) };
  const tell = new PutEventsCommand({ Entries: [entry] });

  const refusal = await events(stranger)
    .send(tell)
    .then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );
  // It may put events on the bus, but not in the name of EC2.
  await events(shop).send(tell);
  // And this says it was EC2, of an account that sees the snapshot, and does not own it.
  await post('/events', { 'detail-type': type, detail, account: shop, region, bus });
  return refusal;
}

const lines = z.array(z.object({ text: z.string() }));
const REFUSED = 'Refused: ';
const warning = z.object({ message: z.string().startsWith(REFUSED) });

/** What onSnapshotEvent said of events that it refused, in its log. */
export function refusalsIn(log: unknown): readonly string[] {
  return lines.parse(log).flatMap(({ text }) => {
    const said = text.startsWith('{') ? warning.safeParse(JSON.parse(text)).data : undefined;
    return said === undefined ? [] : [said.message.slice(REFUSED.length)];
  });
}
