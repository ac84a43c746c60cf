import type { Caller } from '../accounts.ts';
import { ACTIONS } from './actions/all.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Ec2Fault, Ec2Faults, FaultSubject } from './faults.ts';
import type { Ec2Options } from './options.ts';
import { withoutSignature } from './presigned-url.ts';
import { parseQuery } from './query.ts';
import { addSnapshot, endSnapshot } from './snapshot-life.ts';
import { recordOf, type SnapshotRecord } from './snapshot-record.ts';
import { Ec2World } from './world.ts';
import { answerXml, errorXml, type XmlTree } from './xml.ts';

export { FaultError } from './faults.ts';
export type { Ec2Options } from './options.ts';
export type { SnapshotRecord } from './snapshot-record.ts';

/** One Query-protocol call: `params` is its form-encoded body, with Action and Version. */
export interface Ec2Request extends Caller {
  readonly params: URLSearchParams;
}

export interface Ec2Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** The connection must be cut without an answer. */
export interface NoAnswer {
  readonly drop: true;
}

/** The connection must stay open without an answer. */
export interface Hang {
  readonly hang: true;
}

/** How a call ended, before it is written as XML. */
export type Ec2Result =
  | { readonly requestId: string; readonly body: XmlTree }
  | { readonly requestId: string; readonly error: Ec2Error }
  | NoAnswer
  | Hang;

export interface CompletedSnapshot extends Caller {
  readonly volumeId: string;
  /** The how manieth snapshot of the volume it is. */
  readonly sequence: number;
  readonly sizeGiB: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** A call that came in, as it was dealt with. */
export interface Ec2Call extends Caller {
  /** Milliseconds since 1970, sandbox time. */
  readonly at: number;
  readonly action: string;
  /** As on the wire, but a PresignedUrl comes without its signature and session token. */
  readonly params: Readonly<Record<string, string>>;
  /** `answer-lost`: it was done, and the caller was not told. `unanswered`: it was not done either. */
  readonly outcome: 'accepted' | 'refused' | 'answer-lost' | 'unanswered';
  /** Of a refused call. */
  readonly errorCode?: string;
}

/** HTTP statuses of the codes that a fault may name without one, if it is not 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  RequestLimitExceeded: 503,
  BandwidthLimitExceeded: 503,
  ServiceUnavailable: 503,
  Unavailable: 503,
  InternalError: 500,
  InternalFailure: 500,
  ServerInternal: 500,
  UnauthorizedOperation: 403,
};

/** EC2's snapshots, volumes and all that belongs to them, in any number of accounts and Regions, in memory. */
export class Ec2Service {
  readonly #world: Ec2World;
  /** Up to twice as many as are kept, so that they are seldom moved. */
  readonly #calls: Ec2Call[] = [];
  /** By action, Region and error code. */
  readonly #counts = new Map<string, number>();

  constructor(options: Ec2Options) {
    this.#world = new Ec2World(options);
  }

  /** Trouble to come, on request. */
  get faults(): Ec2Faults {
    return this.#world.faults;
  }

  /** Copies that may run at once, per account and destination Region. */
  get slotsPerRegion(): number {
    return this.#world.settings.slotsPerRegion;
  }

  /** The calls, accepted or refused, in order: the last ones, as many as `callsKept` says. */
  get calls(): readonly Ec2Call[] {
    const { callsKept } = this.#world.settings;
    return this.#calls.length <= callsKept ? this.#calls : this.#calls.slice(this.#calls.length - callsKept);
  }

  /**
   * How often an action was called in a Region since the beginning: whatever the answer, or those calls that were
   * refused with this code.
   */
  callCount(action: string, region: string, errorCode?: string): number {
    return this.#counts.get(countKey(action, region, errorCode)) ?? 0;
  }

  /** Never throws for expected trouble: an error is an answer. */
  handle(request: Ec2Request): Ec2Answer | NoAnswer | Hang {
    const result = this.call(request);
    if (!('requestId' in result)) return result;
    const { requestId } = result;
    if ('error' in result) {
      const { code, message, status } = result.error;
      return { status, body: errorXml(requestId, code, message), headers: headers(requestId) };
    }
    const body = answerXml(request.params.get('Action') ?? '', requestId, result.body);
    return { status: 200, body, headers: headers(requestId) };
  }

  /** The same call for those who live in this process: its answer is not written as XML. */
  call(request: Ec2Request): Ec2Result {
    const action = request.params.get('Action') ?? '';
    const requestId = this.#world.newUuid();
    const subject = subjectOf(request, action);
    if (this.#world.faults.take('hang', subject) !== undefined) {
      this.#note(request, action, { outcome: 'unanswered' });
      return { hang: true };
    }
    try {
      const fault = this.#world.faults.take('error', subject);
      if (fault !== undefined) throw errorOf(fault);
      const body = runAction(this.#world, request, action);
      const lost = this.#world.faults.take('lost-answer', subject) !== undefined;
      this.#note(request, action, { outcome: lost ? 'answer-lost' : 'accepted' });
      return lost ? { drop: true } : { requestId, body };
    } catch (error) {
      if (!(error instanceof Ec2Error)) throw error;
      this.#note(request, action, { outcome: 'refused', errorCode: error.code });
      return { requestId, error };
    }
  }

  /** What there is, with all that EC2 does not show: oldest first. Snapshots in the recycle bin too. */
  snapshots(filter: { readonly account?: string; readonly region?: string } = {}): readonly SnapshotRecord[] {
    return [...this.#world.snapshots.all()]
      .filter(
        (snapshot) =>
          snapshot.account === (filter.account ?? snapshot.account) &&
          snapshot.region === (filter.region ?? snapshot.region),
      )
      .map((snapshot) => recordOf(snapshot, this.#world.now));
  }

  /**
   * A snapshot that was begun at `startedAt` completes now, of a volume that may be gone: for bursts of more pending
   * snapshots than CreateSnapshot allows. Answers its id.
   */
  completeSnapshot(of: CompletedSnapshot): string {
    const { account, region, volumeId, sequence, sizeGiB, startedAt, tags } = of;
    const snapshot = addSnapshot(this.#world, {
      account,
      region,
      outpostArn: undefined,
      localZone: undefined,
      volumeId,
      description: '',
      sizeGiB,
      kmsKeyArn: undefined,
      lineage: { volumeId, sequence },
      copy: undefined,
      startedAt,
      work: { startsAt: startedAt, takesMs: this.#world.now - startedAt },
      ownTags: new Map(Object.entries(tags)),
    });
    endSnapshot(this.#world, snapshot, undefined);
    this.#world.events.createSnapshot(snapshot);
    return snapshot.snapshotId;
  }

  /** Every copy that was ever made in a Region, oldest first: those that are deleted as they were last. */
  copiesEverMade(where: Caller): readonly SnapshotRecord[] {
    return this.#world.snapshots.copiesEverMade(where).map((copy) => recordOf(copy, this.#world.now));
  }

  /**
   * From now on snapshots that the account deletes in the Region go to the recycle bin for so many days, as with a
   * Region-level retention rule: https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html
   * `days: undefined` ends that.
   */
  keepDeleted(where: Caller, days: number | undefined): void {
    this.#world.settingsOf(where).keepDeletedDays = days;
  }

  /** The snapshot cannot be deleted, because `user` (an AMI's id, for example) needs it. Answers how to end that. */
  hold(snapshotId: string, user: string): () => void {
    const snapshot = this.#world.snapshots.findAnywhere(snapshotId);
    if (snapshot === undefined) throw new Error(`There is no snapshot ${snapshotId}`);
    snapshot.heldBy.add(user);
    return () => snapshot.heldBy.delete(user);
  }

  /** Puts tags that only AWS's own services can write (`aws:backup:…`, `aws:dlm:…`) on a snapshot of its owner. */
  putServiceTags(snapshotId: string, tags: Readonly<Record<string, string>>): void {
    const snapshot = this.#world.snapshots.findAnywhere(snapshotId);
    if (snapshot === undefined) throw new Error(`There is no snapshot ${snapshotId}`);
    for (const [key, value] of Object.entries(tags)) {
      this.#world.snapshots.putTag(snapshot, snapshot.account, key, value);
    }
  }

  #note({ account, region, params }: Ec2Request, action: string, end: Pick<Ec2Call, 'outcome' | 'errorCode'>): void {
    for (const code of end.errorCode === undefined ? [undefined] : [undefined, end.errorCode]) {
      const key = countKey(action, region, code);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    const { callsKept } = this.#world.settings;
    if (callsKept === 0) return;
    const seen = Object.fromEntries(
      [...params].map(([name, value]) => [name, name === 'PresignedUrl' ? withoutSignature(value) : value]),
    );
    this.#calls.push({ at: this.#world.now, account, region, action, params: seen, ...end });
    if (this.#calls.length > 2 * callsKept) this.#calls.splice(0, this.#calls.length - callsKept);
  }
}

function countKey(action: string, region: string, errorCode = ''): string {
  return `${action} ${region} ${errorCode}`;
}

function runAction(world: Ec2World, { params, ...caller }: Ec2Request, name: string): XmlTree {
  // What a disabled Region answers: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
  if (!world.settings.regions.includes(caller.region)) {
    throw new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
  }
  const action = ACTIONS.get(name);
  if (action === undefined) {
    throw new Ec2Error('InvalidAction', `The action ${name} is not valid for this web service.`);
  }
  return action.run(world, caller, parseQuery(params));
}

function subjectOf({ account, region, params }: Ec2Request, action: string): FaultSubject {
  return {
    account,
    region,
    action,
    sourceSnapshotId: params.get('SourceSnapshotId') ?? undefined,
    destinationRegion: action === 'CopySnapshot' ? region : undefined,
  };
}

function errorOf(fault: Extract<Ec2Fault, { kind: 'error' }>): Ec2Error {
  return new Ec2Error(
    fault.code,
    fault.message ?? `${fault.code}, as asked for`,
    fault.status ?? STATUS_OF[fault.code] ?? 400,
  );
}

function headers(requestId: string): Record<string, string> {
  return { 'Content-Type': 'text/xml;charset=UTF-8', 'x-amzn-RequestId': requestId };
}
