import { type AttributeValue, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { CopySnapshotCommand } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { type Item, readAdmission, readRequest } from '../../aws/ledger-items.ts';
import { type AdmissionState, NO_ADMISSION_YET } from '../../core/admission-state.ts';
import { itemOf, type LedgerRequest, type RequestStatus } from '../../core/ledger-request.ts';
import type { SnapshotRecord } from '../../sandbox/ec2/snapshot-record.ts';
import type { ExpressTotals } from '../../sandbox/stepfunctions/express-executions.ts';
import { FRANKFURT, type World } from './world.ts';

/** The ledger of a world, read from its table. */
export class LedgerView {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** All requests, in no order. */
  async requests(): Promise<readonly LedgerRequest[]> {
    const items = await this.#items();
    return items.filter((item) => !isAdmission(item)).map((item) => readRequest(item).request);
  }

  async request(snapshotId: string, destination: string = FRANKFURT): Promise<LedgerRequest> {
    return readRequest(await this.#item(snapshotId, destination)).request;
  }

  /** How many requests are in each status that some are in. */
  async statuses(): Promise<Readonly<Partial<Record<RequestStatus, number>>>> {
    const counts: Partial<Record<RequestStatus, number>> = {};
    for (const { status } of await this.requests()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  async admission(region: string = FRANKFURT): Promise<AdmissionState> {
    const item = (await this.#items()).find((each) => isAdmission(each) && each['region']?.S === region);
    return item === undefined ? NO_ADMISSION_YET : readAdmission(item).state;
  }

  /** Writes attributes of a request by hand. */
  async edit(snapshotId: string, changed: Readonly<Record<string, AttributeValue>>): Promise<void> {
    const Item = { ...(await this.#item(snapshotId, FRANKFURT)), ...changed };
    await this.#client().send(new PutItemCommand({ TableName: this.#table, Item }));
  }

  get #table(): string {
    return this.#world.sandbox.outputs['LedgerTableName'] ?? '';
  }

  async #item(snapshotId: string, destination: string): Promise<Item> {
    const key = itemOf({ destination, snapshotId });
    const found = (await this.#items()).find((item) => item['item']?.S === key);
    if (found === undefined) throw new Error(`The ledger has no request ${key}.`);
    return found;
  }

  async #items(): Promise<readonly Item[]> {
    const { Items = [] } = await this.#client().send(new ScanCommand({ TableName: this.#table, ConsistentRead: true }));
    return Items;
  }

  #client(): DynamoDBClient {
    const { endpoint, home } = this.#world.sandbox;
    const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
    return new DynamoDBClient({ endpoint, region: home.region, maxAttempts: 1, credentials });
  }
}

function isAdmission(item: Item): boolean {
  return item['item']?.S?.startsWith('#') ?? false;
}

/** Copies that EC2 has ever made into a Region, oldest first. */
export function copiesInto(world: World, region: string = FRANKFURT): readonly SnapshotRecord[] {
  return world.sandbox.ec2.copiesEverMade({ account: world.sandbox.home.account, region });
}

/** How long something took; milliseconds since 1970. */
interface Span {
  readonly startedAt: number;
  readonly endedAt?: number | undefined;
}

/** The most of these that ever were under way at a time. */
export function mostAtOnce(copies: readonly Span[]): number {
  const atStartOf = ({ startedAt }: Span) =>
    copies.filter((copy) => copy.startedAt <= startedAt && (copy.endedAt ?? Number.POSITIVE_INFINITY) > startedAt);
  return Math.max(0, ...copies.map((copy) => atStartOf(copy).length));
}

/** Seconds from the end of each copy to the next start after it. */
export function secondsToNextStart(copies: readonly SnapshotRecord[]): readonly number[] {
  const starts = copies.map(({ startedAt }) => startedAt).toSorted((a, b) => a - b);
  return copies.flatMap(({ endedAt }) => {
    const next = endedAt === undefined ? undefined : starts.find((startedAt) => startedAt >= endedAt);
    return next === undefined || endedAt === undefined ? [] : [(next - endedAt) / 1000];
  });
}

const answer = z.object({
  accepted: z.boolean(),
  status: z.string(),
  reason: z.string(),
  copyId: z.string().optional(),
});

/** Asks the function requestCopy for a copy, as an alert says it: with the input of an execution. */
export async function requestCopy(world: World, input: string): Promise<z.infer<typeof answer>> {
  const { endpoint, home } = world.sandbox;
  const response = await fetch(`${endpoint}/2015-03-31/functions/ebs-snapshot-copier-test-requestCopy/invocations`, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${home.account}/20260105/${home.region}/lambda/aws4_request`,
    },
    body: input,
  });
  return answer.parse(await response.json());
}

/** A copy that another tool of the account makes, of some snapshot that no rule selects; answers its id. */
export async function copyOfAnotherTool(world: World, sourceSnapshotId: string, region = FRANKFURT): Promise<string> {
  const { SnapshotId = '' } = await world
    .ec2(region)
    .send(new CopySnapshotCommand({ SourceRegion: world.home, SourceSnapshotId: sourceSnapshotId }));
  return SnapshotId;
}

/** What the executions of the admission machine add up to. */
export function admissionTotals(world: World): ExpressTotals {
  const totals = world.sandbox.stepFunctions.expressTotals().get('ebs-snapshot-copier-test-admission');
  return (
    totals ?? {
      started: 0,
      running: 0,
      ended: { SUCCEEDED: 0, FAILED: 0, TIMED_OUT: 0, ABORTED: 0 },
      runMs: 0,
      billedMs: 0,
    }
  );
}
