import type { Install } from '../install.ts';
import type { LedgerRequest } from '../ledger-request.ts';
import type { RegionKeys } from '../plan-keys.ts';
import type { CopyRule } from '../rules.ts';
import type { UnseenAccount } from '../seen-sources.ts';
import type { Snapshot } from '../snapshot.ts';

/** All that an audit judges by: what EC2 shows, what the rules ask for, and what the ledger says of the gaps. */
export interface Evidence {
  readonly install: Pick<Install, 'name' | 'account' | 'region'>;
  readonly rules: readonly CopyRule[];
  readonly now: Date;
  /** The audit looks at data that were taken then or later. */
  readonly since: Date;
  /** How old the newest good copy of a volume may be, and how long a copy may take. */
  readonly rpoSeconds: number;
  /**
   * Every snapshot that was begun in that time and that the account, or one with the companion, sees in `sourceRegions`,
   * selected or not.
   */
  readonly sources: readonly Snapshot[];
  /** Accounts with the companion: of their snapshots all are seen, unless they are among `unseen`. */
  readonly companions: readonly string[];
  /** Those that could not be looked into, and in which Region. */
  readonly unseen: readonly UnseenInRegion[];
  /** The install's own Region, and others that its copies name as theirs, as far as they could be listed. */
  readonly sourceRegions: readonly string[];
  /** Everything of this product in the destination Regions, of whatever age, state and install. */
  readonly copies: readonly Snapshot[];
  /** Ids of copies that the ledger names and that are there, but without the tags that make them ours. */
  readonly untagged: ReadonlySet<string>;
  /** Undefined if it could not be read: then nobody knows what waits. */
  readonly ledger: LedgerEvidence | undefined;
  /** What EC2 says of a volume; of those that are not in here nothing is known. */
  readonly volumes: ReadonlyMap<string, VolumeEvidence>;
  /** What is known of the keys of the destination Regions, by Region. */
  readonly keys: ReadonlyMap<string, RegionKeys>;
}

/** A source account of whose snapshots in a Region nothing is known. */
export interface UnseenInRegion extends UnseenAccount {
  readonly region: string;
}

/** It explains why a copy is missing. It never proves that one exists. */
export interface LedgerEvidence {
  readonly requests: readonly LedgerRequest[];
  /** `itemOf` of the requests that make no sense any more. */
  readonly unreadable: ReadonlySet<string>;
}

export interface VolumeEvidence {
  readonly exists: boolean;
  /** Its tag `Name`, if it exists and has one. */
  readonly name?: string;
}
