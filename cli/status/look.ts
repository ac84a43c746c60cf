import { dynamoDbLedger } from '../../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { type EndedStatus, executionListing, type ListedExecution } from '../../aws/execution-listing.ts';
import { stepFunctionsExecutions } from '../../aws/executions.ts';
import type { Ledger } from '../../aws/ledger.ts';
import { type LedgerListing, ledgerListing, type UnreadableItem } from '../../aws/ledger-listing.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { NO_ADMISSION_YET } from '../../core/admission-state.ts';
import { CopierError } from '../../core/errors.ts';
import { parseExecutionName } from '../../core/execution-name.ts';
import type { LedgerRequest, RequestKey } from '../../core/ledger-request.ts';
import type { SucceededExecution } from '../../core/status/copy-pace.ts';
import { type FailedExecutionEntry, type Failures, failuresOf, keyOfExecution } from '../../core/status/failures.ts';
import { type RegionSight, regionsOf, type Status, statusOf } from '../../core/status/status.ts';
import { parseCopyRequest } from '../../core/task-input.ts';
import type { Deployed } from '../deployed.ts';

/** All that one look finds. */
export interface Seen {
  readonly status: Status;
  /** Those of `since` and later. */
  readonly failures: Failures;
  /** ISO 8601. */
  readonly since: string;
  readonly unreadable: readonly UnreadableItem[];
  /** What could not be looked at, and so is not known. */
  readonly gaps: readonly string[];
}

interface Ports {
  readonly listing: LedgerListing;
  readonly ledger: Pick<Ledger, 'admission'>;
  readonly snapshots: Pick<SnapshotApi, 'pending'>;
  readonly executions: ReturnType<typeof executionListing>;
  readonly inputOf: (name: string) => Promise<{ readonly input?: string; readonly cause?: string } | undefined>;
}

/** What ended is looked at so seldom while somebody watches: it costs more, and few wait for it. */
const LOOK_AT_ENDED_EVERY_SECONDS = 60;
/** A day's copies into one destination, or the last ones of a burst: enough for a median. */
const PACE_OF_LAST = 300;
/** The time limit of the state machine: an execution that ended just now started no earlier. */
const LONGEST_EXECUTION_SECONDS = 1_468_800;
/** Each costs a call; only names that people gave, and dry runs, need one. */
const INPUTS_AT_MOST = 20;

/** Looks again and again at the same install. */
export class StatusLooks {
  readonly #deployed: Deployed;
  readonly #sinceSeconds: number;
  readonly #ports: Ports;
  #ended:
    | { readonly at: Date; readonly failures: Failures; readonly succeeded: readonly SucceededExecution[] }
    | undefined;
  /** What names do not tell, which never changes. */
  readonly #details = new Map<string, Pick<FailedExecutionEntry, 'asked' | 'cause'>>();

  constructor(deployed: Deployed, sinceSeconds: number) {
    this.#deployed = deployed;
    this.#sinceSeconds = sinceSeconds;
    const copies = stepFunctionsExecutions(deployed.stateMachineArn);
    this.#ports = {
      listing: ledgerListing(deployed.ledgerTable, { now: deployed.now }),
      ledger: dynamoDbLedger(deployed.ledgerTable),
      snapshots: ec2Snapshots(),
      executions: executionListing(deployed.stateMachineArn),
      inputOf: (name) => copies.find(name),
    };
  }

  /** @throws errors of core/errors.ts if the queue cannot be read; without the rest there is something to show. */
  async look(): Promise<Seen> {
    const { rules, install } = this.#deployed;
    const { at, waiting, running, unreadable } = await this.#ports.listing.queue();
    const gaps: string[] = [];
    const regions = regionsOf({ waiting, running }, rules.rules);
    const [sights, ended] = await Promise.all([
      Promise.all(regions.map(async (region) => [region, await this.#sightOf(region, gaps)] as const)),
      this.#endedAt(at, gaps),
    ]);
    const look = { at, waiting, running, regions: new Map(sights), succeeded: ended.succeeded };
    return {
      status: statusOf(look, rules.rules, install.name),
      failures: ended.failures,
      since: this.#since(at).toISOString(),
      unreadable,
      gaps,
    };
  }

  /** What became of requests that wait and run no more. */
  async whatBecameOf(keys: readonly RequestKey[]): Promise<readonly LedgerRequest[]> {
    return (await this.#ports.listing.find(keys)).requests;
  }

  async #sightOf(region: string, gaps: string[]): Promise<RegionSight> {
    const { ledger, snapshots } = this.#ports;
    const [admission, pending] = await Promise.all([
      orGap(ledger.admission(region), gaps, `What admission knows of ${region} is left out`),
      orGap(snapshots.pending(region), gaps, `Progress and slots in ${region} are not known`),
    ]);
    return { admission: admission?.state ?? NO_ADMISSION_YET, ...(pending !== undefined && { pending }) };
  }

  async #endedAt(at: Date, gaps: string[]) {
    const age = this.#ended === undefined ? Number.POSITIVE_INFINITY : at.getTime() - this.#ended.at.getTime();
    if (this.#ended !== undefined && age < LOOK_AT_ENDED_EVERY_SECONDS * 1000) return this.#ended;
    const found = await orGap(
      this.#lookAtEnded(at),
      gaps,
      'What failed lately, and how long copies take, is not known',
    );
    this.#ended = found ?? this.#ended;
    return this.#ended ?? { failures: failuresOf([], []), succeeded: [] };
  }

  async #lookAtEnded(at: Date) {
    const { executions, listing } = this.#ports;
    const since = this.#since(at);
    const startedSince = new Date(since.getTime() - LONGEST_EXECUTION_SECONDS * 1000);
    const [succeeded, ...failed] = await Promise.all([
      executions.ended('SUCCEEDED', { atMost: PACE_OF_LAST }),
      ...(['FAILED', 'TIMED_OUT', 'ABORTED'] as const).map((status) => executions.ended(status, { startedSince })),
    ]);
    const entries = await this.#entriesOf(failed.flat().filter(({ endedAt }) => new Date(endedAt) >= since));
    const keys = entries.flatMap((entry) => keyOfExecution(entry) ?? []);
    const { requests } = await listing.find(keys);
    return { at, failures: failuresOf(entries, requests), succeeded: succeeded.flatMap(asSucceeded) };
  }

  #since(at: Date): Date {
    return new Date(at.getTime() - this.#sinceSeconds * 1000);
  }

  async #entriesOf(failed: readonly ListedExecution[]): Promise<readonly FailedExecutionEntry[]> {
    let asked = 0;
    const entries: FailedExecutionEntry[] = [];
    for (const { name, status, endedAt } of failed) {
      if (!isFailed(status)) continue;
      if (parseExecutionName(name) === undefined && !this.#details.has(name) && asked < INPUTS_AT_MOST) {
        asked += 1;
        this.#details.set(name, await this.#detailsOf(name));
      }
      entries.push({ name, status, endedAt, ...this.#details.get(name) });
    }
    return entries;
  }

  async #detailsOf(name: string): Promise<Pick<FailedExecutionEntry, 'asked' | 'cause'>> {
    const found = await this.#ports.inputOf(name);
    const { cause } = found ?? {};
    const said = cause !== undefined && { cause };
    try {
      return { asked: parseCopyRequest(JSON.parse(found?.input ?? '')), ...said };
    } catch {
      // Somebody gave it an input that is no request, which is why it failed.
      return { ...said };
    }
  }
}

function isFailed(status: EndedStatus): status is FailedExecutionEntry['status'] {
  return status !== 'SUCCEEDED';
}

function asSucceeded({ name, startedAt, endedAt }: ListedExecution): readonly SucceededExecution[] {
  const parts = parseExecutionName(name);
  return parts === undefined ? [] : [{ destination: parts.destination, startedAt, endedAt }];
}

/** What cannot be looked at leaves a gap, and the rest is shown. */
async function orGap<Found>(work: Promise<Found>, gaps: string[], what: string): Promise<Found | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    gaps.push(`${what}: ${error.message}`);
    return undefined;
  }
}
