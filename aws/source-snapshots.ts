import { refusalOf } from '../core/ec2-error-codes.ts';
import { readEc2Answer } from '../core/ec2-errors.ts';
import { RequestRefusedError, SourceAccountRefusedError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { ActingInstall } from '../core/source-account.ts';
import { companionSessions } from './companion-role.ts';
import { type Ec2Snapshots, ec2Snapshots } from './ec2-snapshots.ts';
import { perRegion } from './per-region.ts';

/**
 * Snapshots of a source account, through the role of companions/source-account.yml: with their owner's tags, those of the
 * account itself with `viewedByOwner`. Every method throws errors of core/errors.ts only, SourceAccountRefusedError for
 * what the role cannot do or is not allowed to do.
 */
export interface SourceSnapshots {
  /** The snapshot, or undefined if that account cannot see it (yet, or any more). */
  find(region: string, snapshotId: string): Promise<Snapshot | undefined>;
  /** Its own snapshots that were begun on one of these days (UTC, `2026-01-05`). */
  begunOn(region: string, days: readonly string[]): Promise<readonly Snapshot[]>;
  tag(region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void>;
}

/** Those of each source account, by its id. Clients are kept for the life of the function. */
export function sourceSnapshotsOf(install: ActingInstall, externalId: string): (account: string) => SourceSnapshots {
  const sessions = companionSessions(install, externalId);
  return perRegion((account) => throughCompanion(account, ec2Snapshots(sessions(account))));
}

export function throughCompanion(account: string, snapshots: Ec2Snapshots): SourceSnapshots {
  return {
    async find(region, snapshotId) {
      const found = await inSourceAccount(account, snapshots.find(region, snapshotId));
      return found && asOwner(found, account);
    },
    async begunOn(region, days) {
      const found = await inSourceAccount(account, snapshots.begunOn(region, days, 'own'));
      return found.map((each) => asOwner(each, account));
    },
    tag: (region, snapshotId, tags) => inSourceAccount(account, snapshots.tag(region, snapshotId, tags)),
  };
}

/** An account may see snapshots of others as well, and then those have no tags here. */
export function asOwner(found: Snapshot, account: string): Snapshot {
  return found.ownerId === account ? { ...found, viewedByOwner: true } : found;
}

/** A refusal concerns the companion, not the role that is deployed with the service. */
export async function inSourceAccount<Answer>(account: string, work: Promise<Answer>): Promise<Answer> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RequestRefusedError)) throw error;
    const answer = readEc2Answer(error.message);
    if (answer === undefined || refusalOf(answer.code, answer.words).kind !== 'permission') throw error;
    throw new SourceAccountRefusedError(`In account ${account}: ${error.message}`, { cause: error });
  }
}
