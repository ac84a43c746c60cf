import type { Snapshot } from './snapshot.ts';

/** Where a copy goes to, and under which key (undefined = not encrypted). */
export interface CopyTarget {
  readonly account: string;
  readonly region: string;
  readonly outpostArn: string | undefined;
  readonly localZone: string | undefined;
  readonly kmsKeyArn: string | undefined;
}

export interface Transfer {
  readonly incremental: boolean;
  /** The copy that the new one is the difference to. */
  readonly basedOn: string | undefined;
  readonly gibMoved: number;
}

/**
 * Whether a copy moves everything or only what changed:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html#ebs-incremental-copy
 *
 * Within one account and Region: incremental if the encryption stays the same, full otherwise. Elsewhere: incremental
 * if the newest copy of this volume there still exists, is not archived, and all copies there and the new one are
 * unencrypted or under one key. Only finished copies count; copies that ended in `error` do not (unconfirmed).
 *
 * `copiesThere`: all copies of this volume's data at the target, deleted ones too. Of each volume: `writtenShare` = which
 * part of it has data, `changePerSnapshot` = which part of it differs from one snapshot to the next.
 */
export function decideTransfer(
  source: Snapshot,
  target: CopyTarget,
  copiesThere: readonly Snapshot[],
  { writtenShare, changePerSnapshot }: { readonly writtenShare: number; readonly changePerSnapshot: number },
): Transfer {
  const full: Transfer = { incremental: false, basedOn: undefined, gibMoved: source.sizeGiB * writtenShare };
  if (source.account === target.account && isSamePlace(source, target)) {
    // Such a copy refers to the source's data and moves none.
    return source.kmsKeyArn === target.kmsKeyArn ? { incremental: true, basedOn: undefined, gibMoved: 0 } : full;
  }
  const finished = copiesThere.filter(
    (copy) => isSamePlace(copy, target) && copy.state !== 'pending' && copy.state !== 'error',
  );
  const newest = finished.reduce<Snapshot | undefined>(
    (newer, copy) => (newer === undefined || copy.startedAt >= newer.startedAt ? copy : newer),
    undefined,
  );
  if (newest === undefined || !exists(newest) || newest.storageTier === 'archive') return full;
  const existing = finished.filter(exists);
  if (existing.some((copy) => copy.kmsKeyArn !== target.kmsKeyArn)) return full;
  const apart = Math.abs(source.lineage.sequence - newest.lineage.sequence);
  return {
    incremental: true,
    basedOn: newest.snapshotId,
    gibMoved: source.sizeGiB * Math.min(writtenShare, apart * changePerSnapshot),
  };
}

/** A snapshot in the recycle bin counts as deleted (unconfirmed). */
function exists(snapshot: Snapshot): boolean {
  return !snapshot.gone && snapshot.state === 'completed';
}

interface Place {
  readonly region: string;
  readonly outpostArn: string | undefined;
  readonly localZone: string | undefined;
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.region === b.region && a.outpostArn === b.outpostArn && a.localZone === b.localZone;
}
