import type { Caller } from '../accounts.ts';
import { ACTIONS } from './actions/all.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Ec2Fault, Ec2Faults, FaultSubject } from './faults.ts';
import type { Ec2Options } from './options.ts';
import { withoutSignature } from './presigned-url.ts';
import { parseQuery } from './query.ts';
import { tagsOf } from './snapshot.ts';
import { recordOf, type SnapshotRecord } from './snapshot-record.ts';
import { Ec2World } from './world.ts';
import { answerXml, errorXml, type XmlTree } from './xml.ts';

export type { Ec2Faults } from './faults.ts';
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

/** A sandbox may run for weeks, and nobody looks further back. */
const CALLS_KEPT = 100_000;

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
  readonly #calls: Ec2Call[] = [];

  constructor(options: Ec2Options) {
    this.#world = new Ec2World(options);
  }

  /** Trouble to come, on request. */
  get faults(): Ec2Faults {
    return this.#world.faults;
  }

  /** The calls, accepted or refused, in order: the last 100,000. */
  get calls(): readonly Ec2Call[] {
    return this.#calls;
  }

  /** Never throws for expected trouble: an error is an answer. */
  handle(request: Ec2Request): Ec2Answer | NoAnswer | Hang {
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
      if (lost) return { drop: true };
      return { status: 200, body: answerXml(action, requestId, body), headers: headers(requestId) };
    } catch (error) {
      if (!(error instanceof Ec2Error)) throw error;
      this.#note(request, action, { outcome: 'refused', errorCode: error.code });
      return {
        status: error.status,
        body: errorXml(requestId, error.code, error.message),
        headers: headers(requestId),
      };
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
    for (const [key, value] of Object.entries(tags)) tagsOf(snapshot, snapshot.account).set(key, value);
  }

  #note({ account, region, params }: Ec2Request, action: string, end: Pick<Ec2Call, 'outcome' | 'errorCode'>): void {
    const seen = Object.fromEntries(
      [...params].map(([name, value]) => [name, name === 'PresignedUrl' ? withoutSignature(value) : value]),
    );
    this.#calls.push({ at: this.#world.now, account, region, action, params: seen, ...end });
    if (this.#calls.length > CALLS_KEPT) this.#calls.shift();
  }
}

function runAction(world: Ec2World, { account, region, params }: Ec2Request, name: string): XmlTree {
  // What a disabled Region answers: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
  if (!world.settings.regions.includes(region)) {
    throw new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
  }
  const action = ACTIONS.get(name);
  if (action === undefined) {
    throw new Ec2Error('InvalidAction', `The action ${name} is not valid for this web service.`);
  }
  return action.run(world, { account, region }, parseQuery(params));
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
