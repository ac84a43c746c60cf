import { destinationId } from '../destination.ts';
import type { UnseenAccount } from '../seen-sources.ts';
import { byText } from './copies.ts';
import type { FullCopy } from './full-copies.ts';
import type { Orphan } from './orphans.ts';
import type { JudgedPair, PairVerdict } from './pairs.ts';
import type { AuditedVolume, UnseenVolume } from './volumes.ts';

/**
 * What somebody should look at, the like of it together. `problem`: something is not protected, and the audit fails.
 * `notice`: it costs money, or nobody can tell.
 */
export interface Finding {
  readonly severity: 'problem' | 'notice';
  readonly kind: FindingKind;
  readonly destination?: string;
  /** What all items have in common, in one sentence without ids and without a full stop. */
  readonly cause?: string;
  /** At least one. */
  readonly items: readonly FindingItem[];
}

const FINDING_KINDS = [
  /** Source accounts could not be looked into. */
  'unseen-account',
  /** Copies failed. */
  'failed',
  /** There is no copy, and nobody works on it. */
  'missing',
  /** Copies are under way for longer than the RPO. */
  'late',
  /** Copies are not encrypted as their rule says. */
  'wrong-encryption',
  /** Volumes have newer snapshots than copies, and the newest copy is older than the RPO. */
  'behind',
  /** Volumes exist and have had no snapshot for longer than the RPO. */
  'snapshots-stopped',
  /** There are more good copies than one. */
  'duplicate',
  /** EC2's rule made copies full although the volume had been copied there before. */
  'full-copies',
  /** Copies whose source is gone. */
  'source-gone',
  /** Copies of snapshots that no rule selects. */
  'not-selected',
  /** Copies without the tags that say what they are copies of. */
  'untraceable',
  /** Volumes without snapshots of which nobody can tell whether they still exist. */
  'unseen-volumes',
] as const;
type FindingKind = (typeof FINDING_KINDS)[number];

export interface FindingItem {
  /** 12 digits: the source account that could not be looked into. */
  readonly account?: string;
  readonly volumeId?: string;
  readonly volumeName?: string;
  /** The source snapshot. */
  readonly snapshotId?: string;
  readonly copyIds: readonly string[];
  /** Milliseconds since 1970: when the data were taken. */
  readonly dataTime?: number;
  /** In one sentence without a full stop. */
  readonly reason?: string;
  readonly sizeGiB?: number;
  /** Whether the ledger has a request for it. */
  readonly wasAsked?: boolean;
}

interface Audited {
  readonly pairs: readonly JudgedPair[];
  readonly volumes: readonly AuditedVolume[];
  readonly unseen: readonly UnseenVolume[];
  readonly orphans: readonly Orphan[];
  readonly fullCopies: readonly FullCopy[];
  /** Where the install serves. */
  readonly unseenAccounts: readonly UnseenAccount[];
}

/** Problems first, each group in the order of `FINDING_KINDS`. */
export function findingsOf(audited: Audited): readonly Finding[] {
  const nameOf = new Map(audited.volumes.map(({ volumeId, name }) => [volumeId, name]));
  const named = (volumeId: string) => {
    const volumeName = nameOf.get(volumeId);
    return { volumeId, ...(volumeName !== undefined && { volumeName }) };
  };

  const ofPairs = audited.pairs.flatMap((pair): readonly Single[] => {
    const { verdict, source, destination, reason, goodCopies, otherCopyId, wasAsked } = pair;
    const kind = KIND_OF_VERDICT[verdict];
    if (kind === undefined) return [];
    const others = otherCopyId === undefined ? [] : [otherCopyId];
    const item = {
      ...named(source.volumeId),
      snapshotId: source.snapshotId,
      copyIds: [...goodCopies.map(({ snapshotId }) => snapshotId), ...others],
      dataTime: Date.parse(source.startTime),
      reason,
      wasAsked,
    };
    const cause = SAYS_MORE.includes(kind) ? undefined : withoutIds(reason);
    return [{ kind, destination: destinationId(destination), item, ...(cause !== undefined && { cause }) }];
  });

  const ofVolumes = audited.volumes.flatMap((volume): readonly Single[] => {
    const { volumeId, newestSnapshot, hasStopped, newerUnselected, state } = volume;
    const { snapshotId, time } = newestSnapshot;
    const behind = volume.destinations.flatMap(({ destination, rpo, newestCopy, pairs }): readonly Single[] => {
      if (rpo !== 'broken' || (newestCopy !== undefined && newestCopy.dataTime >= time)) return [];
      const item = {
        ...named(volumeId),
        copyIds: newestCopy === undefined ? [] : [newestCopy.copyId],
        ...(newestCopy !== undefined && { dataTime: newestCopy.dataTime }),
        reason: whyBehind(pairs),
      };
      return [{ kind: 'behind', destination, item }];
    });
    const doubts = [
      ...(newerUnselected > 0 ? [`it has ${newerUnselected} newer that no rule selects`] : []),
      ...(state === 'unknown' ? ['it may be deleted, which cannot be seen'] : []),
    ];
    const reason = doubts.join('; ');
    const item = { ...named(volumeId), snapshotId, copyIds: [], dataTime: time, ...(reason !== '' && { reason }) };
    return hasStopped ? [...behind, { kind: 'snapshots-stopped', item }] : behind;
  });

  const ofCopies = [
    ...audited.fullCopies.map(({ copyId, destination, volumeId, snapshotId, sizeGiB, reason }): Single => {
      const item = { ...named(volumeId), snapshotId, copyIds: [copyId], sizeGiB, reason };
      return { kind: 'full-copies', destination, item, cause: withoutIds(reason) };
    }),
    ...audited.orphans.map(({ copyId, destination, kind, volumeId, ...rest }): Single => {
      const item = { ...rest, ...(volumeId !== undefined && named(volumeId)), copyIds: [copyId] };
      return { kind, destination, item, ...(kind === 'not-selected' && { cause: withoutIds(rest.reason) }) };
    }),
    ...audited.unseen.map(({ volumeId, newestSnapshot: { snapshotId, time } }): Single => {
      return { kind: 'unseen-volumes', item: { volumeId, snapshotId, copyIds: [], dataTime: time } };
    }),
  ];
  const ofAccounts = audited.unseenAccounts.map(({ account, why }): Single => {
    return { kind: 'unseen-account', item: { account, copyIds: [], reason: why } };
  });
  return grouped([...ofAccounts, ...ofPairs, ...ofVolumes, ...ofCopies]);
}

/** @param pairs of one volume at one destination */
function whyBehind(pairs: readonly JudgedPair[]): string {
  const newest = pairs.toSorted((a, b) => byText(a.source.startTime, b.source.startTime)).at(-1);
  if (newest === undefined) return 'no rule wants a newer snapshot of it there';
  const { source, verdict } = newest;
  const fate = FATE[verdict];
  return fate === undefined
    ? `no rule wants a newer snapshot of it there than ${source.snapshotId}`
    : `its newest snapshot, ${source.snapshotId}, ${fate}`;
}

const FATE: Readonly<Record<PairVerdict, string | undefined>> = {
  protected: undefined,
  duplicate: undefined,
  'under-way': 'is under way',
  late: 'is late',
  missing: 'is missing',
  failed: 'failed',
  'wrong-encryption': 'is not encrypted as the rule says',
};

const KIND_OF_VERDICT: Readonly<Record<PairVerdict, FindingKind | undefined>> = {
  protected: undefined,
  'under-way': undefined,
  duplicate: 'duplicate',
  late: 'late',
  missing: 'missing',
  failed: 'failed',
  'wrong-encryption': 'wrong-encryption',
};

/** Where each item has a reason of its own, so that they are not told apart by it. */
const SAYS_MORE: readonly FindingKind[] = ['late', 'duplicate'];

const PROBLEMS: readonly FindingKind[] = [
  'unseen-account',
  'failed',
  'missing',
  'late',
  'wrong-encryption',
  'behind',
  'snapshots-stopped',
];

/** A finding with one item. */
interface Single {
  readonly kind: FindingKind;
  readonly destination?: string;
  readonly cause?: string;
  readonly item: FindingItem;
}

function grouped(singles: readonly Single[]): readonly Finding[] {
  const groups = new Map<string, Finding & { readonly items: FindingItem[] }>();
  for (const { item, ...what } of singles) {
    const key = JSON.stringify([what.kind, what.destination, what.cause]);
    const known = groups.get(key);
    const severity = PROBLEMS.includes(what.kind) ? 'problem' : 'notice';
    if (known === undefined) groups.set(key, { severity, ...what, items: [item] });
    else known.items.push(item);
  }
  const rank = ({ kind }: Finding) => FINDING_KINDS.indexOf(kind);
  return [...groups.values()].toSorted((a, b) => rank(a) - rank(b) || b.items.length - a.items.length);
}

/** So that the same trouble of many snapshots is one finding. */
function withoutIds(reason: string): string {
  return reason
    .replaceAll(/\b(snap|vol)-[0-9a-f]+(?:-[a-z0-9-]+-\d+)?/g, '$1-…')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\dZ/g, '…')
    .replaceAll(/\b\d+ %/g, '… %');
}
