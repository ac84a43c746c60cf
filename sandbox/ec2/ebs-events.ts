import { partitionOf } from '../../core/region.ts';
import type { Caller } from '../accounts.ts';
import type { Clock } from '../clock.ts';
import type { BusEvent } from '../events/event.ts';
import type { EventArnLayout } from './options.ts';
import type { CopyFacts, Snapshot } from './snapshot.ts';
import { isoTime } from './xml.ts';

const NOTIFICATION = 'EBS Snapshot Notification';

/**
 * The events of EBS: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 * `request-id` is empty and times have milliseconds, as third-party reports of real events have them.
 */
export class EbsEvents {
  readonly #clock: Clock;
  readonly #emit: (event: BusEvent) => void;
  readonly #newId: () => string;
  readonly #arns: EventArnLayout;

  constructor({
    clock,
    emit,
    newId,
    arns,
  }: {
    readonly clock: Clock;
    readonly emit: (event: BusEvent) => void;
    readonly newId: () => string;
    readonly arns: EventArnLayout;
  }) {
    this.#clock = clock;
    this.#emit = emit;
    this.#newId = newId;
    this.#arns = arns;
  }

  /** To the owner, in the snapshot's Region. */
  createSnapshot(snapshot: Snapshot): void {
    this.#notify(snapshot, [this.#snapshotArn(snapshot)], {
      ...outcome('createSnapshot', snapshot),
      snapshot_id: this.#snapshotArn(snapshot),
      source: this.#arn(snapshot, `volume/${snapshot.volumeId}`),
      ...span(snapshot),
    });
  }

  /**
   * One event for a multi-volume set, of another detail-type, with an array instead of one id:
   * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html#create-snapshots-complete
   */
  createSnapshots(members: readonly Snapshot[]): void {
    const [first] = members;
    if (first === undefined) return;
    const failed = members.find((member) => member.state === 'error');
    this.#send('EBS Multi-Volume Snapshots Completion Status', first, members.map(this.#snapshotArn), {
      event: 'createSnapshots',
      result: failed === undefined ? 'succeeded' : 'failed',
      cause: failed === undefined ? '' : `Snapshot ${failed.snapshotId} is in status error`,
      'request-id': '',
      ...span(first),
      snapshots: members.map((member) => ({
        snapshot_id: this.#snapshotArn(member),
        source: this.#arn(member, `volume/${member.volumeId}`),
        status: member.state === 'error' ? 'error' : 'completed',
      })),
    });
  }

  /**
   * To the account that made the copy, in the destination Region; a failed copy too, and its cause is the snapshot's
   * StateMessage. `completionDurationStartTime`, `metCompletionDuration`, and the fields of a failed copy: as a
   * third-party report of real events has them.
   */
  copySnapshot(snapshot: Snapshot, copy: CopyFacts): void {
    const failed = snapshot.state === 'error';
    const timeBased = copy.timeBased;
    this.#notify(snapshot, [this.#snapshotArn(snapshot)], {
      ...outcome('copySnapshot', snapshot),
      snapshot_id: this.#snapshotArn(snapshot),
      source: this.#sourceArn(snapshot, copy),
      incremental: String(copy.incremental && !failed),
      transferType: timeBased === undefined ? 'standard' : 'time-based',
      ...(failed ? {} : { completionDurationStartTime: isoTime(timeBased?.clockStartsAt ?? snapshot.startedAt) }),
      ...(failed || timeBased === undefined ? {} : punctuality(snapshot, timeBased.dueAt)),
      ...span(snapshot),
    });
  }

  /**
   * A time-based copy is late; it carries on. What `detail.event` says is unconfirmed.
   * https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html
   */
  missedCompletionDuration(snapshot: Snapshot, copy: CopyFacts): void {
    const own = arn('account-filled', snapshot, `snapshot/${snapshot.snapshotId}`);
    this.#send('EBS Copy Snapshot Missed Completion Duration', snapshot, [own], {
      event: 'copySnapshot',
      missedCompletionDurationCause: LATE,
      snapshot_id: own,
      source: arn(
        'account-filled',
        { account: copy.sourceAccount ?? snapshot.account, region: copy.sourceRegion },
        `snapshot/${copy.sourceSnapshotId}`,
      ),
      startTime: wordyTime(snapshot.startedAt),
      transferType: 'time-based',
    });
  }

  /** To the account that is given the snapshot, in the snapshot's own Region; `source` is who gives it. */
  shareSnapshot(snapshot: Snapshot, receiver: string): void {
    const at = isoTime(this.#clock.now());
    this.#notify({ account: receiver, region: snapshot.region }, [this.#snapshotArn(snapshot)], {
      event: 'shareSnapshot',
      result: 'succeeded',
      cause: '',
      'request-id': '',
      snapshot_id: this.#snapshotArn(snapshot),
      source: snapshot.account,
      startTime: at,
      endTime: at,
    });
  }

  /** Fails if the snapshot that was locked while pending ends in `error`. Fields beyond the common ones: unconfirmed. */
  lockSnapshot(snapshot: Snapshot, lockedAt: number): void {
    this.#notify(snapshot, [this.#snapshotArn(snapshot)], {
      ...outcome('lockSnapshot', snapshot),
      snapshot_id: this.#snapshotArn(snapshot),
      source: this.#snapshotArn(snapshot),
      startTime: isoTime(lockedAt),
      endTime: isoTime(this.#clock.now()),
    });
  }

  /** https://docs.aws.amazon.com/ebs/latest/userguide/monitor-snapshot-archiving.html */
  tier(
    event: 'archiveSnapshot' | 'permanentRestoreSnapshot' | 'temporaryRestoreSnapshot' | 'restoreExpiry',
    snapshot: Snapshot,
    { startedAt, restoreExpiresAt }: { readonly startedAt: number; readonly restoreExpiresAt?: number | undefined },
  ): void {
    const own = arn('account-empty', snapshot, `snapshot/${snapshot.snapshotId}`);
    this.#notify(snapshot, [own], {
      event,
      result: 'succeeded',
      cause: '',
      'request-id': '',
      snapshot_id: own,
      startTime: isoTime(startedAt),
      endTime: isoTime(this.#clock.now()),
      ...(restoreExpiresAt === undefined ? {} : { restoreExpiryTime: isoTime(restoreExpiresAt) }),
    });
  }

  readonly #snapshotArn = (snapshot: Snapshot): string => this.#arn(snapshot, `snapshot/${snapshot.snapshotId}`);

  #sourceArn(snapshot: Snapshot, copy: CopyFacts): string {
    const place = { account: copy.sourceAccount ?? snapshot.account, region: copy.sourceRegion };
    return this.#arn(place, `snapshot/${copy.sourceSnapshotId}`);
  }

  #arn(place: Caller, resource: string): string {
    return arn(this.#arns, place, resource);
  }

  #notify(to: Caller, resources: readonly string[], detail: Readonly<Record<string, unknown>>): void {
    this.#send(NOTIFICATION, to, resources, detail);
  }

  #send(type: string, to: Caller, resources: readonly string[], detail: Readonly<Record<string, unknown>>): void {
    this.#emit({
      version: '0',
      id: this.#newId(),
      'detail-type': type,
      source: 'aws.ec2',
      account: to.account,
      time: isoTime(this.#clock.now()).replace(/\.\d+Z$/, 'Z'),
      region: to.region,
      resources,
      detail,
    });
  }
}

const LATE = 'The copy did not complete within the requested completion duration';

function outcome(event: string, snapshot: Snapshot): Record<string, string> {
  const failed = snapshot.state === 'error';
  return {
    event,
    result: failed ? 'failed' : 'succeeded',
    cause: failed ? (snapshot.stateMessage ?? '') : '',
    'request-id': '',
  };
}

function span(snapshot: Snapshot): Record<string, string> {
  return {
    startTime: isoTime(snapshot.startedAt),
    endTime: isoTime(snapshot.endedAt ?? snapshot.startedAt),
  };
}

function punctuality(snapshot: Snapshot, dueAt: number): Record<string, string> {
  const met = (snapshot.endedAt ?? 0) <= dueAt;
  return { metCompletionDuration: String(met), ...(met ? {} : { missedCompletionDurationCause: LATE }) };
}

function arn(layout: EventArnLayout, { account, region }: Caller, resource: string): string {
  const place = {
    'region-in-account-slot': `:${region}`,
    'account-empty': `${region}:`,
    'account-filled': `${region}:${account}`,
  }[layout];
  return `arn:${partitionOf(region)}:ec2:${place}:${resource}`;
}

/** `Sun Nov 24 22:32:55 UTC 2024`, as the documentation's sample of this one event has it. */
function wordyTime(ms: number): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(ms).toUTCString().split(/,? /);
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}
