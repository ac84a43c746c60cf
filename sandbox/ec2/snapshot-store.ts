import { type Caller, scopeOf } from '../accounts.ts';
import type { Snapshot } from './snapshot.ts';

/** All snapshots of the sandbox, found by id, by owner and Region, and by what they are copies of. */
export class SnapshotStore {
  readonly #byId = new Map<string, Snapshot>();
  readonly #byScope = new Map<string, Set<Snapshot>>();
  readonly #byRegion = new Map<string, Set<Snapshot>>();
  readonly #runningCopies = new Map<string, Set<Snapshot>>();
  readonly #copiesOfVolume = new Map<string, Snapshot[]>();
  #made = 0;

  nextOrdinal(): number {
    this.#made += 1;
    return this.#made;
  }

  add(snapshot: Snapshot): void {
    this.#byId.set(snapshot.snapshotId, snapshot);
    setOf(this.#byScope, scopeOf(snapshot)).add(snapshot);
    setOf(this.#byRegion, snapshot.region).add(snapshot);
    if (snapshot.copy === undefined) return;
    setOf(this.#runningCopies, scopeOf(snapshot)).add(snapshot);
    const copies = this.#copiesOfVolume.get(volumeKey(snapshot, snapshot.lineage.volumeId)) ?? [];
    copies.push(snapshot);
    this.#copiesOfVolume.set(volumeKey(snapshot, snapshot.lineage.volumeId), copies);
  }

  /** The copy is no longer pending: its slot is free. */
  copyEnded(snapshot: Snapshot): void {
    this.#runningCopies.get(scopeOf(snapshot))?.delete(snapshot);
  }

  /** The snapshot exists no more. A copy is remembered: whether the newest one is gone decides about the next. */
  remove(snapshot: Snapshot): void {
    snapshot.gone = true;
    this.copyEnded(snapshot);
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

  runningCopies(caller: Caller): ReadonlySet<Snapshot> {
    return setOf(this.#runningCopies, scopeOf(caller));
  }

  /** Every copy of a volume's data that an account ever made in a Region, deleted ones too, oldest first. */
  copiesOfVolume(caller: Caller, volumeId: string): readonly Snapshot[] {
    return this.#copiesOfVolume.get(volumeKey(caller, volumeId)) ?? [];
  }
}

function volumeKey(caller: Caller, volumeId: string): string {
  return `${scopeOf(caller)}/${volumeId}`;
}

function setOf(map: Map<string, Set<Snapshot>>, key: string): Set<Snapshot> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const fresh = new Set<Snapshot>();
  map.set(key, fresh);
  return fresh;
}
