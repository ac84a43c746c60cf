import type { AdmissionState } from '../../../core/admission-state.ts';
import { attemptOf } from '../../../core/admission-state.ts';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import {
  itemOf,
  type LedgerRequest,
  type RequestKey,
  type RequestStatus,
  type RunningRequest,
  type WaitingRequest,
} from '../../../core/ledger-request.ts';
import type { CopyExecution } from './copy-executions.ts';
import type { FakeCopy, FakeEc2 } from './fake-ec2.ts';

/** What one look of admission has read of the ledger. */
export interface ReadByLook {
  running: readonly RunningRequest[];
  waiting: readonly WaitingRequest[];
}

/** What may follow on what. A request that EC2 refused may be back before the ledger heard that it was started. */
const MAY_BECOME: Readonly<Record<RequestStatus | 'nothing', readonly RequestStatus[]>> = {
  nothing: ['waiting'],
  waiting: ['running', 'waiting', 'copied', 'failed', 'skipped'],
  running: ['running', 'waiting', 'copied', 'failed', 'skipped'],
  failed: ['waiting', 'copied'],
  skipped: ['waiting'],
  copied: [],
};

/** What must hold at every moment. Collects what did not. */
export class Invariants {
  readonly broken: string[] = [];
  readonly #slots: number;
  readonly #lagSeconds: number;
  readonly #ec2: FakeEc2;
  readonly #executions: () => Iterable<CopyExecution>;
  readonly #now: () => Date;
  /** The fewest copies of other tools that any listing at this time has shown. */
  readonly #foreignListed = new Map<string, number>();
  /** By Region: those of the count that the last decision was made by. */
  readonly #foreignCounted = new Map<string, number>();

  constructor(options: {
    readonly slots: number;
    readonly lagSeconds: number;
    readonly ec2: FakeEc2;
    readonly executions: () => Iterable<CopyExecution>;
    readonly now: () => Date;
  }) {
    this.#slots = options.slots;
    this.#lagSeconds = options.lagSeconds;
    this.#ec2 = options.ec2;
    this.#executions = options.executions;
    this.#now = options.now;
  }

  wrong(what: string): void {
    this.broken.push(`${this.#now().toISOString()} ${what}`);
  }

  listed(region: string): void {
    const key = `${region} ${this.#now().toISOString()}`;
    const shown = this.#ec2.foreignShownIn(region);
    this.#foreignListed.set(key, Math.min(shown, this.#foreignListed.get(key) ?? shown));
  }

  changed(key: RequestKey, before: LedgerRequest | undefined, after: LedgerRequest): void {
    const from = before?.status ?? 'nothing';
    if (!MAY_BECOME[from].includes(after.status)) this.wrong(`${itemOf(key)} went from ${from} to ${after.status}`);
    const attempts = after.attempt - (before?.attempt ?? 0);
    if (attempts < 0 || attempts > 1) this.wrong(`${itemOf(key)} went on by ${attempts} attempts`);
    if (before !== undefined && after.requestedAt !== before.requestedAt) this.wrong(`${itemOf(key)} forgot its past`);
  }

  /** A decision of admission was written. */
  decided(region: string, { starting, ended, count }: AdmissionState, { running, waiting }: ReadByLook): void {
    const listed = this.#foreignListed.get(`${region} ${count?.at}`);
    if (listed !== undefined) this.#foreignCounted.set(region, listed);

    const over = new Set(ended.map(attemptOf));
    const startsNow = new Set(starting.map((attempt) => itemOf(attempt)));
    const busy = new Set(running.filter((request) => !over.has(attemptOf(request))).map(lineageOf));
    const isBusyElsewhere = (request: WaitingRequest) =>
      count?.volumes.some(
        // What an execution of its own left behind does not keep a request waiting: it adopts that copy.
        (copy) => lineageOf(copy) === lineageOf(request) && copy.snapshotId !== request.snapshotId,
      ) === true;
    let startable: WaitingRequest | undefined;
    let last = '';
    for (const request of waiting) {
      if (request.sourceStartTime < last) this.wrong(`${itemOf(request)} was read out of its turn`);
      last = request.sourceStartTime;
      const mayStart = !busy.has(lineageOf(request)) && !isBusyElsewhere(request);
      busy.add(lineageOf(request));
      if (!startsNow.has(itemOf(request))) {
        if (mayStart) startable ??= request;
        continue;
      }
      if (!mayStart) this.wrong(`${itemOf(request)} was let in while its volume was busy`);
      if (startable !== undefined) this.wrong(`${itemOf(request)} was let in before ${itemOf(startable)}`);
    }
  }

  /** After every step. */
  check(): void {
    for (const region of new Set([...this.#executions()].map(({ request }) => request.destination.region))) {
      const own = this.#slotsOfOurs(region);
      if (own > this.#slots) this.wrong(`${own} copies of ours in ${region}, of ${this.#slots} slots`);
    }
    this.#checkVolumes();
  }

  /** An execution was started: was there a slot for it, as far as could be known? */
  started(region: string): void {
    const own = this.#slotsOfOurs(region);
    const foreign = this.#foreignCounted.get(region) ?? 0;
    if (own + foreign > this.#slots) {
      this.wrong(`${own} of ours and ${foreign} of others in ${region}, of ${this.#slots} slots`);
    }
  }

  /** How many slots executions take: those that may still begin a copy, and those whose copies are under way. */
  #slotsOfOurs(region: string): number {
    return [...this.#executions()].filter((execution) => {
      if (execution.status !== 'RUNNING' || execution.request.destination.region !== region) return false;
      const copies = this.#copiesOf(execution);
      return copies.length === 0 ? execution.isStarting : copies.some(({ state }) => state === 'pending');
    }).length;
  }

  #checkVolumes(): void {
    const seen = new Map<string, string>();
    for (const copy of this.#ec2.copies) {
      const volumeId = copy.tags[COPIER_TAG.sourceVolume];
      if (volumeId === undefined || copy.state !== 'pending' || (this.#lagSeconds > 0 && !this.isAwaited(copy)))
        continue;
      const lineage = `${volumeId} to ${copy.region}${copy.outpostArn ?? ''}`;
      const other = seen.get(lineage);
      if (other !== undefined) this.wrong(`${other} and ${copy.snapshotId} are both under way from ${lineage}`);
      seen.set(lineage, copy.snapshotId);
    }
  }

  /** Does an execution wait for it? One that was stopped leaves its copy behind. */
  isAwaited(copy: FakeCopy): boolean {
    return [...this.#executions()].some((each) => each.status === 'RUNNING' && this.#copiesOf(each).includes(copy));
  }

  #copiesOf({ request: { source, destination } }: CopyExecution): readonly FakeCopy[] {
    return this.#ec2.copies.filter(
      ({ region, outpostArn, tags }) =>
        region === destination.region &&
        outpostArn === destination.outpost &&
        tags[COPIER_TAG.sourceSnapshot] === source.snapshotId,
    );
  }
}

function lineageOf({ volumeId, destination }: { readonly volumeId: string; readonly destination: string }): string {
  return `${volumeId}#${destination}`;
}
