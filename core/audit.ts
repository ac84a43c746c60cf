import { byText, placeOf } from './audit/copies.ts';
import type { Evidence } from './audit/evidence.ts';
import { type Finding, findingsOf } from './audit/findings.ts';
import { type FullCopy, fullCopies, type Transfer, transfers } from './audit/full-copies.ts';
import { findOrphans, type Orphan } from './audit/orphans.ts';
import { type JudgedPair, judgePairs, type PairVerdict, selectedPairs } from './audit/pairs.ts';
import { type AuditedVolume, auditVolumes, volumesToAsk } from './audit/volumes.ts';
import { COPIER_TAG } from './copier-tags.ts';
import { destinationId } from './destination.ts';
import { type RequestKey, requestKey } from './ledger-request.ts';
import type { UnseenAccount } from './seen-sources.ts';

/** Whether every selected snapshot has exactly one good copy at every destination, and what is there beside them. */
export interface Audit {
  /**
   * No volume is behind its RPO, no snapshot of the time that is audited lacks its copy for good or for too long, and
   * every source account could be looked into.
   */
  readonly isProtected: boolean;
  /** Source accounts of which nothing is known. */
  readonly unseenAccounts: readonly UnseenAccount[];
  readonly pairs: readonly JudgedPair[];
  readonly volumes: readonly AuditedVolume[];
  readonly destinations: readonly AuditedDestination[];
  readonly orphans: readonly Orphan[];
  /** By copy id. */
  readonly transfers: ReadonlyMap<string, Transfer>;
  readonly findings: readonly Finding[];
}

export interface AuditedDestination {
  /** `destinationId`. */
  readonly destination: string;
  readonly snapshots: number;
  readonly verdicts: Readonly<Record<PairVerdict, number>>;
  readonly volumes: number;
  /** How many of these are behind their RPO here. */
  readonly volumesBehind: number;
  /** Of all volumes that exist, the one whose newest good copy here is the oldest. */
  readonly oldest?: { readonly volumeId: string; readonly dataTime: number };
  readonly orphans: number;
  readonly fullCopies: number;
  /** Copies of other installs in the same account, by the install's name. They are not looked at any further. */
  readonly otherInstalls: Readonly<Record<string, number>>;
}

/** What has to be looked up once snapshots and copies are known. */
export interface ToLookUp {
  /** Requests in the ledger: of the pairs without a good copy. */
  readonly requests: readonly RequestKey[];
  /** Volumes of this account: whether they exist. */
  readonly volumeIds: readonly string[];
}

export function toLookUp(evidence: Omit<Evidence, 'volumes' | 'ledger' | 'untagged'>): ToLookUp {
  const known = { ...evidence, volumes: new Map(), ledger: undefined, untagged: new Set<string>() };
  const pairs = judgePairs(selectedPairs(known), known);
  return {
    requests: pairs
      .filter(({ goodCopies }) => goodCopies.length === 0)
      .map(({ source, destination }) => requestKey(source, destination)),
    volumeIds: volumesToAsk(known, pairs),
  };
}

export function audit(evidence: Evidence): Audit {
  const selected = selectedPairs(evidence);
  const pairs = judgePairs(selected, evidence);
  const { volumes, unseen } = auditVolumes(evidence, pairs);
  const orphans = findOrphans(evidence, selected);
  const ofCopies = transfers(evidence);
  const full = fullCopies(evidence, ofCopies);
  const unseenAccounts = evidence.unseen
    .filter(({ region }) => region === evidence.install.region)
    .map(({ account, why }) => ({ account, why }));
  return {
    isProtected: volumes.every(({ status }) => status === 'protected') && unseenAccounts.length === 0,
    unseenAccounts,
    pairs,
    volumes,
    destinations: destinationsOf(evidence, pairs, volumes, { orphans, full }),
    orphans,
    transfers: ofCopies,
    findings: findingsOf({ pairs, volumes, unseen, orphans, fullCopies: full, unseenAccounts }),
  };
}

function destinationsOf(
  { rules, copies, install }: Evidence,
  pairs: readonly JudgedPair[],
  volumes: readonly AuditedVolume[],
  { orphans, full }: { readonly orphans: readonly Orphan[]; readonly full: readonly FullCopy[] },
): readonly AuditedDestination[] {
  const wanted = rules.filter(({ dryRun }) => !dryRun).flatMap((rule) => rule.destinations.map(destinationId));
  const ids = new Set([...wanted, ...orphans.map(({ destination }) => destination)]);
  const pairsAt = Map.groupBy(pairs, (pair) => destinationId(pair.destination));
  const others = copies.flatMap((copy) => {
    const name = copy.tags[COPIER_TAG.managed];
    return name === undefined || name === install.name ? [] : [{ destination: placeOf(copy), name }];
  });
  return [...ids].toSorted(byText).map((destination) => {
    const there = pairsAt.get(destination) ?? [];
    const ofVolumes = volumes.flatMap((volume) =>
      volume.destinations
        .filter((each) => each.destination === destination)
        .map(({ rpo, newestCopy }) => ({ volumeId: volume.volumeId, rpo, dataTime: newestCopy?.dataTime })),
    );
    const oldest = ofVolumes
      .filter(({ rpo }) => rpo === 'kept' || rpo === 'broken')
      .flatMap(({ volumeId, dataTime }) => (dataTime === undefined ? [] : [{ volumeId, dataTime }]))
      .toSorted((a, b) => a.dataTime - b.dataTime)
      .at(0);
    const isHere = (each: { readonly destination: string }): boolean => each.destination === destination;
    return {
      destination,
      snapshots: there.length,
      verdicts: countsOf(there),
      volumes: ofVolumes.length,
      volumesBehind: ofVolumes.filter(({ rpo }) => rpo === 'broken').length,
      ...(oldest !== undefined && { oldest }),
      orphans: orphans.filter(isHere).length,
      fullCopies: full.filter(isHere).length,
      otherInstalls: Object.fromEntries(
        [...Map.groupBy(others.filter(isHere), ({ name }) => name)]
          .map(([name, those]) => [name, those.length] as const)
          .toSorted(([a], [b]) => byText(a, b)),
      ),
    };
  });
}

/** All verdicts, those that never came up too. */
export function countsOf(pairs: readonly JudgedPair[]): Readonly<Record<PairVerdict, number>> {
  const counts: Record<PairVerdict, number> = {
    protected: 0,
    duplicate: 0,
    'under-way': 0,
    late: 0,
    missing: 0,
    failed: 0,
    'wrong-encryption': 0,
  };
  for (const { verdict } of pairs) counts[verdict] += 1;
  return counts;
}
