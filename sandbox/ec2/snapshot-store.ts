import { type Caller, scopeOf } from '../accounts.ts';
import type { Filter } from './filters.ts';
import type { Snapshot } from './snapshot.ts';
import { SnapshotIndex } from './snapshot-index.ts';
import type { Tags } from './tags.ts';

/** All snapshots of the sandbox, found by id, by owner and Region, and by what they are copies of. */
export class SnapshotStore {
  readonly #byId = new Map<string, Snapshot>();
  readonly #byScope = new Map<string, Set<Snapshot>>();
  readonly #byRegion = new Map<string, Set<Snapshot>>();
  readonly #runningCopies = new Map<string, Set<Snapshot>>();
  readonly #copies = new Map<string, Snapshot[]>();
  readonly #copiesOfVolume = new Map<string, Snapshot[]>();
  readonly #index = new SnapshotIndex((region) => this.inRegion(region));
  #made = 0;

  nextOrdinal(): number {
    this.#made += 1;
    return this.#made;
  }

  add(snapshot: Snapshot): void {
    this.#byId.set(snapshot.snapshotId, snapshot);
    setOf(this.#byScope, scopeOf(snapshot)).add(snapshot);
    setOf(this.#byRegion, snapshot.region).add(snapshot);
    this.#index.add(snapshot);
    if (snapshot.copy === undefined) return;
    setOf(this.#runningCopies, scopeOf(snapshot)).add(snapshot);
    append(this.#copies, scopeOf(snapshot), snapshot);
    append(this.#copiesOfVolume, volumeKey(snapshot, snapshot.lineage.volumeId), snapshot);
  }

  /** The snapshot is no longer pending: the slot of a copy is free. */
  ended(snapshot: Snapshot): void {
    this.#index.ended(snapshot);
    this.#runningCopies.get(scopeOf(snapshot))?.delete(snapshot);
  }

  /** Adds or overwrites a tag that an account sees on the snapshot. */
  putTag(snapshot: Snapshot, account: string, key: string, value: string): void {
    const tags: Tags = snapshot.tags.get(account) ?? new Map();
    snapshot.tags.set(account, tags);
    this.#index.tagged(snapshot, account, key, tags.get(key), value);
    tags.set(key, value);
  }

  deleteTag(snapshot: Snapshot, account: string, key: string): void {
    const tags = snapshot.tags.get(account);
    this.#index.tagged(snapshot, account, key, tags?.get(key), undefined);
    tags?.delete(key);
  }

  /** The snapshot exists no more. A copy is remembered: whether the newest one is gone decides about the next. */
  remove(snapshot: Snapshot): void {
    snapshot.gone = true;
    this.ended(snapshot);
    this.#index.remove(snapshot);
    this.#byId.delete(snapshot.snapshotId);
    this.#byScope.get(scopeOf(snapshot))?.delete(snapshot);
    this.#byRegion.get(snapshot.region)?.delete(snapshot);
  }

  find(snapshotId: string, region: string): Snapshot | undefined {
    const snapshot = this.#byId.get(snapshotId);
    return snapshot?.region === region ? snapshot : undefined;
  }

  /** Wherever it is. */
  findAnywhere(snapshotId: string): Snapshot | undefined {
    return this.#byId.get(snapshotId);
  }

  all(): Iterable<Snapshot> {
    return this.#byId.values();
  }

  ownedBy(caller: Caller): ReadonlySet<Snapshot> {
    return setOf(this.#byScope, scopeOf(caller));
  }

  inRegion(region: string): ReadonlySet<Snapshot> {
    return setOf(this.#byRegion, region);
  }

  /** Of all accounts. */
  pendingIn(region: string): ReadonlySet<Snapshot> {
    return this.#index.pending(region);
  }

  /** See `SnapshotIndex.narrow`. */
  narrow(caller: Caller, filters: readonly Filter[]): readonly Snapshot[] | undefined {
    return this.#index.narrow(caller, filters);
  }

  runningCopies(caller: Caller): ReadonlySet<Snapshot> {
    return setOf(this.#runningCopies, scopeOf(caller));
  }

  /** Every copy that an account ever made in a Region, deleted ones too, oldest first. */
  copiesEverMade(caller: Caller): readonly Snapshot[] {
    return this.#copies.get(scopeOf(caller)) ?? [];
  }

  /** Every copy of a volume's data that an account ever made in a Region, deleted ones too, oldest first. */
  copiesOfVolume(caller: Caller, volumeId: string): readonly Snapshot[] {
    return this.#copiesOfVolume.get(volumeKey(caller, volumeId)) ?? [];
  }
}

function volumeKey(caller: Caller, volumeId: string): string {
  return `${scopeOf(caller)}/${volumeId}`;
}

function append(map: Map<string, Snapshot[]>, key: string, snapshot: Snapshot): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [snapshot]);
  else known.push(snapshot);
}

function setOf(map: Map<string, Set<Snapshot>>, key: string): Set<Snapshot> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const fresh = new Set<Snapshot>();
  map.set(key, fresh);
  return fresh;
}
