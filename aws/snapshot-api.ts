import type { CopyParameters } from '../core/copy-parameters.ts';
import type { CopyRequest } from '../core/copy-request.ts';
import type { Snapshot } from '../core/snapshot.ts';

/**
 * What the service does with EBS snapshots. `ec2Snapshots()` does it on EC2; tests hand over others.
 * Every method throws errors of core/errors.ts only.
 */
export interface SnapshotApi {
  /** The snapshot, or undefined if this account cannot see it (yet, or any more). */
  find(region: string, snapshotId: string): Promise<Snapshot | undefined>;

  /** Everything of this account that is pending in a Region: copies, whoever makes them, and snapshots of volumes. */
  pending(region: string): Promise<readonly Snapshot[]>;

  /**
   * The snapshots that were begun on one of these days (UTC, `2026-01-05`): this account's own, or those that others
   * share with it.
   */
  begunOn(region: string, days: readonly string[], whose: 'own' | 'shared'): Promise<readonly Snapshot[]>;

  /** Every copy of this product that this account owns in a Region: whatever carries `COPIER_TAG.managed`, in any state. */
  managedCopies(region: string): Promise<readonly Snapshot[]>;

  /** Everything this account owns in the destination Region that was copied from the request's volume or snapshot. */
  copiesOf(request: CopyRequest): Promise<readonly Snapshot[]>;

  /**
   * Begins a copy in `region` and returns its id. Never tried twice in here, because a second try is a second copy.
   *
   * @throws CopyOutcomeUnknownError if no clear answer came: the copy may have begun.
   */
  copy(region: string, parameters: CopyParameters): Promise<string>;

  /** Asks EC2 whether the copy would be allowed; nothing is copied. */
  probeCopy(region: string, parameters: CopyParameters): Promise<void>;

  /** Adds or overwrites tags. */
  tag(region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void>;

  /** Deletes a snapshot. One that is gone already is fine; a pending copy goes when EC2 has finished it. */
  remove(region: string, snapshotId: string): Promise<void>;
}
