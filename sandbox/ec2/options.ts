import type { Clock } from '../clock.ts';
import type { BusEvent } from '../events/event.ts';
import type { Random } from '../ids.ts';
import type { KeyStore } from '../kms/key-store.ts';
import type { Authorize } from './authorization.ts';

/** A copy that is about to begin, for the one who says how long it takes. */
interface CopyToTime {
  /** GiB that move. */
  readonly gib: number;
  readonly incremental: boolean;
  readonly sourceRegion: string;
  readonly destinationRegion: string;
  readonly sourceSnapshotId: string;
}

/**
 * How events write ARNs; real events come in all three:
 * `arn:aws:ec2::eu-west-1:snapshot/…`, `arn:aws:ec2:eu-west-1::snapshot/…`, `arn:aws:ec2:eu-west-1:111122223333:snapshot/…`.
 * The first is what create, copy and share events look like (third-party reports of 2020 and 2026), the second what
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html shows in older samples.
 */
export type EventArnLayout = 'region-in-account-slot' | 'account-empty' | 'account-filled';

export interface Ec2Options {
  readonly clock: Clock;
  /** Takes every EBS event; it belongs on the default bus of `event.account` and `event.region`. */
  readonly emit: (event: BusEvent) => void;
  readonly keys: KeyStore;
  /** Whether a caller may do what it asks for. Default: everybody may. */
  readonly authorize?: Authorize;
  /** Default: seeded, so that ids are the same in every run. */
  readonly random?: Random;
  /** For the faults that happen by chance. Default 1. */
  readonly faultSeed?: number;
  /** How many calls `Ec2Service.calls` remembers. Default 100,000: a sandbox may run for weeks. */
  readonly callsKept?: number;
  /** Copies that may run at once, per account and destination Region. Default 20. */
  readonly slotsPerRegion?: number;
  /** Default 20 s. */
  readonly snapshotTakesSeconds?: (sizeGiB: number) => number;
  /** Default 60 s, and what moves at 100 MiB/s. */
  readonly copyTakesSeconds?: (copy: CopyToTime) => number;
  /** How long DescribeSnapshots does not show a new snapshot, and CreateTags and DeleteSnapshot do not find it. Default 0. */
  readonly visibleAfterSeconds?: number;
  /**
   * How many snapshots DescribeSnapshots looks through for one page, where MaxResults asks for pages; at least 1.
   * Filters choose among those, so a page may be short, or empty, and still have a NextToken. Default: no limit.
   */
  readonly largestPage?: number;
  /** How long a share, and its end, take to have effect. Default 0. */
  readonly shareVisibleAfterSeconds?: number;
  /** Enabled Regions. Default: those that are enabled in a new account. */
  readonly regions?: readonly string[];

  /** How long a copy that cannot work stays pending. Default 30 s. */
  readonly copyFailsAfterSeconds?: number;
  /** How long a copy shows size 0 and not yet its encryption, at most a tenth of its time. Default 5 s. */
  readonly copyMetadataAfterSeconds?: number;
  /** How much of each volume was ever written: only that moves in a full copy. Default 1: all. */
  readonly writtenShare?: number;
  /** How much of a volume differs between a snapshot and the next. Default 0.03. */
  readonly changePerSnapshot?: number;
  /** How long archiving and restoring take. Default 60 s. */
  readonly tierTakesSeconds?: number;
  /** Default 100,000: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html */
  readonly snapshotsPerRegion?: number;

  /** Default `region-in-account-slot`. */
  readonly eventArns?: EventArnLayout;
  /** Whether each member of a multi-volume set has a createSnapshot event of its own as well. Default false: unconfirmed. */
  readonly memberEvents?: boolean;
  /**
   * What CopySnapshot does about a destination key that cannot be used. `error-later`, the default: accepts, and the
   * copy ends in `error` (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html).
   * `refused`: answers with an error at once (third-party report).
   */
  readonly unusableKey?: 'error-later' | 'refused';
  /**
   * What DescribeSnapshots does about the id of a snapshot that the caller has no access to. `not-found`, the default:
   * an error (third-party report). `left-out`: as
   * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html says.
   */
  readonly withoutAccess?: 'not-found' | 'left-out';
}
