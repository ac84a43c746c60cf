import type { Caller } from '../accounts.ts';
import type { Filter } from './filters.ts';
import type { Snapshot } from './snapshot.ts';
import { isoTime } from './xml.ts';

/** Where the snapshots are that an index has to be made of. */
type InRegion = (region: string) => Iterable<Snapshot>;

/**
 * Finds the snapshots of a Region by their tags, by the day of their start, and those that are pending, without looking
 * at all others. A tag's key is indexed from the first time on that somebody asks for it.
 */
export class SnapshotIndex {
  readonly #inRegion: InRegion;
  readonly #pending = new Groups();
  readonly #startedOn = new Groups();
  /** By account, Region and key; within, by value. */
  readonly #tagged = new Map<string, Groups>();

  constructor(inRegion: InRegion) {
    this.#inRegion = inRegion;
  }

  add(snapshot: Snapshot): void {
    this.#pending.add(snapshot.region, snapshot);
    this.#startedOn.add(dayKey(snapshot.region, isoTime(snapshot.startedAt)), snapshot);
    for (const [account, tags] of snapshot.tags) {
      for (const [key, value] of tags) this.tagged(snapshot, account, key, undefined, value);
    }
  }

  /** It is no longer pending. */
  ended(snapshot: Snapshot): void {
    this.#pending.delete(snapshot.region, snapshot);
  }

  remove(snapshot: Snapshot): void {
    this.ended(snapshot);
    this.#startedOn.delete(dayKey(snapshot.region, isoTime(snapshot.startedAt)), snapshot);
    for (const [account, tags] of snapshot.tags) {
      for (const [key, value] of tags) this.tagged(snapshot, account, key, value, undefined);
    }
  }

  /** An account's tag has another value now; undefined = there was, or is, no such tag. */
  tagged(
    snapshot: Snapshot,
    account: string,
    key: string,
    before: string | undefined,
    value: string | undefined,
  ): void {
    const groups = this.#tagged.get(tagKey({ account, region: snapshot.region }, key));
    if (groups === undefined) return;
    if (before !== undefined) groups.delete(before, snapshot);
    if (value !== undefined) groups.add(value, snapshot);
  }

  pending(region: string): ReadonlySet<Snapshot> {
    return this.#pending.of(region);
  }

  /**
   * Snapshots among which all that match the filters are, oldest first, as few as the best of the indexes gives;
   * undefined if none of them helps.
   */
  narrow(caller: Caller, filters: readonly Filter[]): readonly Snapshot[] | undefined {
    const choices = filters.flatMap((filter) => {
      const groups = this.#groupsFor(caller, filter);
      return groups === undefined ? [] : [groups];
    });
    const fewest = choices.toSorted((a, b) => sizeOf(a) - sizeOf(b))[0];
    if (fewest === undefined) return undefined;
    return fewest.flatMap((group) => [...group]).sort((a, b) => a.ordinal - b.ordinal);
  }

  /** They have no snapshot in common. */
  #groupsFor(caller: Caller, { Name, Value }: Filter): readonly ReadonlySet<Snapshot>[] | undefined {
    if (Name === 'status')
      return Value.every((state) => state === 'pending') ? [this.pending(caller.region)] : undefined;
    if (Name === 'start-time') {
      if (!Value.every((time) => DAY.test(time))) return undefined;
      return [...new Set(Value.map((time) => dayKey(caller.region, time)))].map((day) => this.#startedOn.of(day));
    }
    if (!Name.startsWith(TAG) || Value.some((value) => /[*?\\]/.test(value))) return undefined;
    const groups = this.#taggedWith(caller, Name.slice(TAG.length));
    return [...new Set(Value)].map((value) => groups.of(value));
  }

  #taggedWith(caller: Caller, key: string): Groups {
    const known = this.#tagged.get(tagKey(caller, key));
    if (known !== undefined) return known;
    const fresh = new Groups();
    for (const snapshot of this.#inRegion(caller.region)) {
      const value = snapshot.tags.get(caller.account)?.get(key);
      if (value !== undefined) fresh.add(value, snapshot);
    }
    this.#tagged.set(tagKey(caller, key), fresh);
    return fresh;
  }
}

const TAG = 'tag:';
const DAY = /^\d{4}-\d{2}-\d{2}/;

const NONE: ReadonlySet<Snapshot> = new Set();

/** Snapshots by what they have in common. */
class Groups {
  readonly #groups = new Map<string, Set<Snapshot>>();

  of(name: string): ReadonlySet<Snapshot> {
    return this.#groups.get(name) ?? NONE;
  }

  add(name: string, snapshot: Snapshot): void {
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, new Set([snapshot]));
    else group.add(snapshot);
  }

  delete(name: string, snapshot: Snapshot): void {
    const group = this.#groups.get(name);
    group?.delete(snapshot);
    if (group?.size === 0) this.#groups.delete(name);
  }
}

function sizeOf(groups: readonly ReadonlySet<Snapshot>[]): number {
  return groups.reduce((sum, group) => sum + group.size, 0);
}

function dayKey(region: string, time: string): string {
  return `${region}/${time.slice(0, '2026-01-05'.length)}`;
}

function tagKey({ account, region }: Caller, key: string): string {
  return `${account}/${region}/${key}`;
}
