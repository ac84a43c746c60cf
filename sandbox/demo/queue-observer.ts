import { type DynamoDBClient, ListTablesCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  type Item,
  keyOfAdmission,
  readAdmission,
  readRequest,
  readRunning,
  readWaiting,
} from '../../aws/ledger-items.ts';
import { decideAdmission } from '../../core/admission.ts';
import { NO_ADMISSION_YET } from '../../core/admission-state.ts';
import { NOT_COUNTED } from '../../core/copy-count.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import type { Burst, BurstSnapshot } from './burst.ts';
import { copiesSeenBy, type SeenCopy } from './seen-copies.ts';

/** One snapshot of the burst, and what the ledger and EC2 say of it now. */
export interface QueueRow {
  readonly snapshot: BurstSnapshot;
  /** Undefined before it was asked for. */
  readonly request: LedgerRequest | undefined;
  /** Only while it waits. */
  readonly waiting?: {
    /** Place in the queue, from 1. */
    readonly place: number;
    readonly why: string;
  };
  readonly copies: readonly SeenCopy[];
}

/** Looks at the queue of one Region: at the items of the ledger, and at the copies in the Region. */
export class QueueObserver {
  readonly #dynamodb: DynamoDBClient;
  readonly #ec2: EC2Client;
  readonly #burst: Burst;
  #table: string | undefined;

  /** @param ports.ec2 in the Region of the burst's copies */
  constructor(ports: { readonly dynamodb: DynamoDBClient; readonly ec2: EC2Client; readonly burst: Burst }) {
    this.#dynamodb = ports.dynamodb;
    this.#ec2 = ports.ec2;
    this.#burst = ports.burst;
  }

  /** @param now of the sandbox */
  async look(now: Date): Promise<readonly QueueRow[]> {
    const items = await this.#items();
    // After the ledger: of a request that has ended, the copy must be seen as it was at its end.
    const copies = await copiesSeenBy(this.#ec2);
    const requests = requestsIn(items, this.#burst.region);
    const waiting = whyTheyWait(items, this.#burst.region, now);
    return this.#burst.snapshots.map((snapshot) => {
      const { snapshotId } = snapshot;
      const held = waiting.get(snapshotId);
      return {
        snapshot,
        request: requests.get(snapshotId),
        ...(held !== undefined && { waiting: held }),
        copies: copies.filter(({ sourceSnapshotId }) => sourceSnapshotId === snapshotId),
      };
    });
  }

  /** All that the ledger has for the Region. */
  async #items(): Promise<readonly Item[]> {
    this.#table ??= await this.#findTable();
    const pages = paginateQuery(
      { client: this.#dynamodb },
      {
        TableName: this.#table,
        KeyConditionExpression: '#region = :region',
        ExpressionAttributeNames: { '#region': 'region' },
        ExpressionAttributeValues: { ':region': { S: this.#burst.region } },
        ConsistentRead: true,
      },
    );
    const items: Item[] = [];
    for await (const { Items = [] } of pages) items.push(...Items);
    return items;
  }

  async #findTable(): Promise<string> {
    const { TableNames = [] } = await this.#dynamodb.send(new ListTablesCommand({}));
    const table = TableNames.find((name) => name.includes('LedgerTable'));
    if (table === undefined) throw new Error('The sandbox has no table for the ledger.');
    return table;
  }
}

function isAdmission(item: Item, region: string): boolean {
  return item['item']?.S === keyOfAdmission(region).item;
}

function requestsIn(items: readonly Item[], region: string): ReadonlyMap<string, LedgerRequest> {
  const requests = items.filter((item) => !isAdmission(item, region)).map((item) => readRequest(item).request);
  return new Map(requests.map((request) => [request.request.source.snapshotId, request]));
}

/** Place and reason of each request that waits. Admission's own function gives the reason, for what admission knows. */
function whyTheyWait(items: readonly Item[], region: string, now: Date) {
  const inOrder = (status: string) =>
    items
      .map((item) => ({ item, place: item['place']?.S ?? '' }))
      .filter(({ place }) => place.startsWith(`${status}#`))
      .toSorted((a, b) => (a.place < b.place ? -1 : 1))
      .map(({ item }) => item);
  const found = items.find((item) => isAdmission(item, region));
  const { ended, count = NOT_COUNTED, refusal } = found === undefined ? NO_ADMISSION_YET : readAdmission(found).state;
  const view = {
    running: inOrder('running').map(readRunning),
    ended,
    count,
    ...(refusal !== undefined && { refusal }),
    mostSlots: 0,
  };
  const { admissions } = decideAdmission(view, inOrder('waiting').map(readWaiting), now);
  return new Map(
    admissions.map(({ action, request, reason }, index) => [
      request.snapshotId,
      { place: index + 1, why: action === 'start' ? 'about to start' : reason },
    ]),
  );
}
