import '../../support/function-modules.ts';
// Loaded by settle.ts when it is needed: the first time, that takes a while, and no run could be repeated.
import '../../../core/alert.ts';
import type { Scheduler } from 'fast-check';
import type { AdmissionMachine } from '../../../aws/admission-machine.ts';
import type { DeadLetterTopic } from '../../../aws/dead-letter-topic.ts';
import type { ExecutionApi } from '../../../aws/executions.ts';
import type { Ledger } from '../../../aws/ledger.ts';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import type { CopyRequest } from '../../../core/copy-request.ts';
import { type LedgerRequest, type RequestKey, requestKey } from '../../../core/ledger-request.ts';
import { requested } from '../../../core/request-transitions.ts';
import type { CopyRule } from '../../../core/rules.ts';
import { admitCopies } from '../../../functions/admit-copies.ts';
import { checkCopy } from '../../../functions/check-copy.ts';
import { onCopyEnded } from '../../../functions/on-copy-ended.ts';
import { removeFailedCopy } from '../../../functions/remove-failed-copy.ts';
import { requestCopy } from '../../../functions/request-copy.ts';
import { returnToQueue } from '../../../functions/return-to-queue.ts';
import { metrics } from '../../../functions/shell.ts';
import { startCopy } from '../../../functions/start-copy.ts';
import { sweep } from '../../../functions/sweep.ts';
import { memoryLedger } from '../../../sandbox/ledger/memory-ledger.ts';
import { destination, HOME, INSTALL, request, snapshot } from '../../support/examples.ts';
import { AdmissionExecutions } from './admission-executions.ts';
import { Agenda } from './agenda.ts';
import { type CopyExecution, CopyExecutions, recordOf } from './copy-executions.ts';
import { type FakeCopy, FakeEc2 } from './fake-ec2.ts';
import { type Fault, Interleaving, Life } from './interleaving.ts';
import { Invariants, type ReadByLook } from './invariants.ts';

/** How often an event is heard. */
type Hearing = 0 | 1 | 2;

export interface Arrival {
  readonly volume: number;
  /** Of the start of the source. */
  readonly minute: number;
  readonly place: (typeof PLACES)[number];
  readonly isWoken: boolean;
}

export interface WorldOptions {
  readonly slots: number;
  /** Of EC2. */
  readonly limit: number;
  readonly lagSeconds: number;
  readonly deadlineSeconds: number;
  readonly faults: readonly Fault[];
  /** Of the end of each execution, in turn. */
  readonly endsHeard: readonly Hearing[];
}

/** Where copies go: two places of one Region, and another Region. */
export const PLACES = [
  { region: 'eu-central-1' },
  { region: 'eu-central-1', outpost: 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0' },
  { region: 'us-east-1' },
] as const;

const SWEEP_SECONDS = 300;
const KEEP_DAYS = 90;
const install = {
  name: INSTALL,
  account: HOME,
  region: 'eu-west-1',
  roleArn: `arn:aws:iam::${HOME}:role/StartCopyRole`,
};

/** The whole service around admission: real functions over a ledger in memory, EC2 and Step Functions that keep state. */
export class World {
  readonly agenda: Agenda;
  readonly ec2: FakeEc2;
  readonly executions: CopyExecutions;
  readonly admissions: AdmissionExecutions;
  readonly invariants: Invariants;
  /** Source snapshots of which the topic was told, by others than the state machine. */
  readonly told: string[] = [];
  readonly #options: WorldOptions;
  readonly #interleaving: Interleaving;
  readonly #ledger: Ledger;
  readonly #rules: readonly CopyRule[];
  readonly #requests: CopyRequest[] = [];
  readonly #spoiled = new Set<string | undefined>();
  #ended = 0;

  constructor(scheduler: Scheduler, options: WorldOptions) {
    this.#options = options;
    const { slots, limit, lagSeconds, faults } = options;
    this.#interleaving = new Interleaving(scheduler, faults, () => this.invariants.check());
    this.agenda = new Agenda('2026-03-02T04:00:00Z', (work) => this.#interleaving.run(work));
    const { now } = this.agenda;
    this.ec2 = new FakeEc2({ now, limit, lagSeconds });
    this.#ledger = memoryLedger({ now });
    const destinations = PLACES.map((place) => destination({ ...place, slots }));
    this.#rules = [{ name: 'nightly', select: {}, destinations, dryRun: false }];
    this.invariants = new Invariants({
      slots,
      lagSeconds,
      ec2: this.ec2,
      executions: () => this.executions.all.values(),
      now,
    });
    this.ec2.onListed = (region) => this.invariants.listed(region);
    this.ec2.onRefused = (region) => this.#refused(region);

    const names = { installName: INSTALL, accountId: HOME };
    this.executions = new CopyExecutions({
      agenda: this.agenda,
      functions: {
        startCopy: (input) => this.#invoke((ports) => startCopy(ports, names)(input)),
        checkCopy: (input) => this.#invoke((ports) => checkCopy(ports.snapshots, now)(input)),
        removeFailedCopy: (input) => this.#invoke((ports) => removeFailedCopy(ports.snapshots, names)(input)),
        returnToQueue: (input) => this.#invoke((ports) => returnToQueue(ports.ledger, now)(input)),
      },
      onEnded: (execution) => this.#executionEnded(execution),
      onWrong: (what) => this.invariants.wrong(what),
    });
    this.admissions = new AdmissionExecutions(this.agenda, (input) =>
      this.#invoke((ports) => admitCopies(ports, this.#rules, names)(input)),
    );
    this.agenda.after(SWEEP_SECONDS, () => this.#sweep());
  }

  /** A source snapshot is selected; `isWoken` is false if the wake of admission is lost. */
  arrive({ volume, minute, place, isWoken }: Arrival): void {
    const source = {
      snapshotId: `snap-a${String(this.#requests.length).padStart(7, '0')}`,
      volumeId: `vol-${String(volume).padStart(8, '0')}`,
      startTime: `2026-03-02T03:${String(minute).padStart(2, '0')}:00.000Z`,
    };
    const { slots, deadlineSeconds } = this.#options;
    const asked = request({ source, destination: { ...place, slots, deadlineSeconds } });
    this.#requests.push(asked);
    this.ec2.sources.set(source.snapshotId, snapshot(source));
    const wish = requested(asked, 'rule nightly wants every snapshot', this.agenda.now());
    this.agenda.after(0, async () => {
      await this.#ledgerOf({ running: [], waiting: [] }).change(requestKey(asked.source, asked.destination), wish);
      if (isWoken) this.wake(place.region);
    });
  }

  wake(region: string): void {
    this.admissions.start({ region });
  }

  /** Copies of this service that are under way. */
  ownPending(): readonly FakeCopy[] {
    return this.ec2.copies.filter((copy) => copy.state === 'pending' && isOwn(copy));
  }

  /** A copy ends at EC2. */
  endCopy(copy: FakeCopy, state: 'completed' | 'error', heard: Hearing): void {
    if (state === 'error') this.#spoiled.add(copy.tags[COPIER_TAG.sourceSnapshot]);
    this.ec2.end(copy, state);
    for (let time = 0; time < heard; time++) this.admissions.start(copyEvent(copy));
  }

  /** The oldest copy of another tool ends, if there is one. */
  endForeign(region: string): void {
    const foreign = this.ec2.pendingIn(region).find((copy) => !isOwn(copy));
    if (foreign !== undefined) this.endCopy(foreign, 'completed', 1);
  }

  /** Somebody stops an execution. */
  abort(execution: CopyExecution): void {
    this.#spoiled.add(execution.request.source.snapshotId);
    this.executions.abort(execution);
  }

  deleteSource(snapshotId: string): void {
    this.#spoiled.add(snapshotId);
    this.ec2.sources.delete(snapshotId);
  }

  /** Somebody asks again for all failed and skipped requests; not so soon that EC2 may hide what the failure left behind. */
  async askAgain(): Promise<void> {
    const longAgo = this.agenda.now().getTime() - 300_000;
    for (const { request: asked, status, changedAt } of await this.requests()) {
      if ((status !== 'failed' && status !== 'skipped') || Date.parse(changedAt) > longAgo) continue;
      this.agenda.after(0, async () => {
        await this.#invoke((ports) => requestCopy(ports, this.#rules, { installName: INSTALL })(asked)).catch(() => {});
      });
    }
  }

  /** Nothing goes wrong any more, and every copy completes; but no event tells of it. Until nothing is left to do. */
  async settle(): Promise<void> {
    this.#interleaving.calm = true;
    for (let round = 0; !(await this.#isSettled()); round++) {
      if (round > 1000) throw new Error(`never settled: ${JSON.stringify(await this.requests())}`);
      const longAgo = this.agenda.now().getTime() - 60_000;
      for (const copy of this.ec2.copies) {
        if (copy.state === 'pending' && copy.begunAt <= longAgo) this.endCopy(copy, 'completed', 0);
      }
      await this.agenda.advance(30);
    }
  }

  /** Everything that was asked for, as the ledger has it now. */
  async requests(): Promise<readonly LedgerRequest[]> {
    const found = await Promise.all(
      this.#requests.map(({ source, destination: place }) => this.#ledger.request(requestKey(source, place))),
    );
    return found.filter((each) => each !== undefined);
  }

  /** Requests that could start now: a slot is free, and so is their volume. */
  async startable(): Promise<readonly string[]> {
    const pending = this.ownPending();
    const lineageOf = (volumeId: string | undefined, { region, outpost }: Place) => `${volumeId} ${region} ${outpost}`;
    const busy = new Set(
      pending.map(({ tags, region, outpostArn }) =>
        lineageOf(tags[COPIER_TAG.sourceVolume], { region, ...(outpostArn !== undefined && { outpost: outpostArn }) }),
      ),
    );
    return (await this.requests()).flatMap(({ status, request: { source, destination: to } }) => {
      const hasSlot = pending.filter(({ region }) => region === to.region).length < this.#options.slots;
      return status === 'waiting' && hasSlot && !busy.has(lineageOf(source.volumeId, to)) ? [source.snapshotId] : [];
    });
  }

  /** Whether something happened to it that lets its copy fail. */
  isSpoiled({ source }: CopyRequest): boolean {
    return this.#spoiled.has(source.snapshotId);
  }

  /** The good copies of a request. */
  goodCopiesOf({ source, destination: place }: CopyRequest): readonly FakeCopy[] {
    return this.ec2.copies.filter(
      ({ region, outpostArn, tags, state }) =>
        region === place.region &&
        outpostArn === place.outpost &&
        tags[COPIER_TAG.sourceSnapshot] === source.snapshotId &&
        tags[COPIER_TAG.state] !== 'failed' &&
        state === 'completed',
    );
  }

  async #isSettled(): Promise<boolean> {
    const isCopying = this.ec2.copies.some(({ state }) => state === 'pending');
    const isQuiet = this.admissions.running === 0 && this.executions.running().length === 0 && !isCopying;
    return isQuiet && (await this.requests()).every(({ status }) => status !== 'waiting' && status !== 'running');
  }

  async #invoke<Answer>(run: (ports: Ports) => Promise<Answer>): Promise<Answer> {
    const life = new Life();
    const of = <Port extends object>(port: Port): Port => this.#interleaving.port(life, port);
    const answer = run({
      ledger: of(this.#ledgerOf({ running: [], waiting: [] })),
      snapshots: of(this.ec2),
      executions: of(this.#startsWatched()),
      admission: of({ wake: async (region: string) => this.wake(region) }),
      topic: of({
        tell: async ({ attributes }) => {
          this.told.push(attributes.sourceSnapshot);
        },
      } satisfies DeadLetterTopic),
      now: this.agenda.now,
    });
    // Nobody publishes them here.
    return answer.finally(() => metrics.clearDimensions());
  }

  #startsWatched(): ExecutionApi {
    return {
      find: (name) => this.executions.find(name),
      start: async (name, asked) => {
        const isNew = !this.executions.all.has(name);
        const answer = await this.executions.start(name, asked);
        if (isNew) this.invariants.started(asked.destination.region);
        return answer;
      },
    };
  }

  /** The ledger, watched. */
  #ledgerOf(read: ReadByLook): Ledger {
    const ledger = this.#ledger;
    return {
      request: (key) => ledger.request(key),
      change: (key: RequestKey, transition) =>
        ledger.change(key, (current) => {
          const next = transition(current);
          if (next !== undefined) this.invariants.changed(key, current, next);
          return next;
        }),
      waiting: async (region, page) => {
        const found = await ledger.waiting(region, page);
        read.waiting = page.after === undefined ? found.requests : [...read.waiting, ...found.requests];
        return found;
      },
      running: async (region) => {
        read.running = await ledger.running(region);
        return read.running;
      },
      admission: (region) => ledger.admission(region),
      changeAdmission: async (region, revision, next) => {
        const isChanged = await ledger.changeAdmission(region, revision, next);
        if (isChanged && read.waiting.length > 0) this.invariants.decided(region, next, read);
        return isChanged;
      },
    };
  }

  #executionEnded(execution: CopyExecution): void {
    const { endsHeard } = this.#options;
    const heard = this.#interleaving.calm ? 1 : (endsHeard[this.#ended % endsHeard.length] ?? 1);
    this.#ended += 1;
    const isLate = execution.cause?.includes('deadline') === true;
    if (isLate) this.#spoiled.add(execution.request.source.snapshotId);
    const event = { detail: recordOf(execution) };
    for (let time = 0; time < heard; time++) this.agenda.after(0, () => this.#hearEnd(event, [60, 120]));
  }

  /** Lambda tries an event again after a minute, and after two more. */
  async #hearEnd(event: unknown, [pause, ...pauses]: readonly number[]): Promise<void> {
    try {
      await this.#invoke((ports) => onCopyEnded(ports, install, KEEP_DAYS)(event));
    } catch {
      if (pause !== undefined) this.agenda.after(pause, () => this.#hearEnd(event, pauses));
    }
  }

  async #sweep(): Promise<void> {
    this.agenda.after(SWEEP_SECONDS, () => this.#sweep());
    await this.#invoke((ports) => sweep(ports, this.#rules, install, KEEP_DAYS)()).catch(() => {});
  }

  /** With as many slots at EC2 as the rules use, and nobody else there, EC2 has nothing to refuse. */
  #refused(region: string): void {
    const { slots, limit } = this.#options;
    const pending = this.ec2.pendingIn(region);
    const isAllOurs = pending.every((copy) => this.invariants.isAwaited(copy));
    if (limit >= slots && isAllOurs) this.invariants.wrong(`EC2 refused a copy into ${region}`);
  }
}

type Place = Pick<CopyRequest['destination'], 'region' | 'outpost'>;

interface Ports {
  readonly ledger: Ledger;
  readonly snapshots: FakeEc2;
  readonly executions: ExecutionApi;
  readonly admission: AdmissionMachine;
  readonly topic: DeadLetterTopic;
  readonly now: () => Date;
}

function copyEvent({ region, snapshotId }: FakeCopy) {
  return {
    'detail-type': 'EBS Snapshot Notification',
    source: 'aws.ec2',
    region,
    detail: {
      event: 'copySnapshot',
      result: 'succeeded',
      snapshot_id: `arn:aws:ec2::${region}:snapshot/${snapshotId}`,
    },
  };
}

function isOwn({ tags }: FakeCopy): boolean {
  return tags[COPIER_TAG.managed] !== undefined;
}
