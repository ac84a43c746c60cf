import type { SourceAccount } from '../../aws/source-account.ts';
import type { CopyParameters } from '../../core/copy-parameters.ts';
import { SourceAccountRefusedError } from '../../core/errors.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { claimFilter, SOURCE_TAG } from '../../core/source-account.ts';
import { HOME, snapshot } from '../support/examples.ts';
import { install } from './ports.ts';

/** An account with the companion. */
export const OWNER = '111122223333';

/** A complete snapshot of that account, as its owner sees it. */
export function source(over: Partial<Snapshot> = {}): Snapshot {
  return snapshot({ ownerId: OWNER, viewedByOwner: true, ...over });
}

/** A source account that keeps what it is told, and writes down each change. */
export class FakeSourceAccount implements SourceAccount {
  readonly snapshots = new Map<string, Snapshot>();
  readonly shares = new Map<string, Set<string>>();
  /** Changes, in their order. */
  readonly done: string[] = [];
  /** What happens right after a change of this name, once. */
  readonly afterwards = new Map<string, () => void>();
  /** Thrown instead of the next copy. */
  refuseCopy: Error | undefined;
  isGone = false;

  constructor(...snapshots: readonly Snapshot[]) {
    for (const each of snapshots) this.snapshots.set(each.snapshotId, each);
  }

  async find(_region: string, snapshotId: string): Promise<Snapshot | undefined> {
    if (this.isGone) throw new SourceAccountRefusedError('the companion is gone', { isClosed: true });
    return this.snapshots.get(snapshotId);
  }

  async begunOn(): Promise<readonly Snapshot[]> {
    if (this.isGone) throw new SourceAccountRefusedError('the companion is gone', { isClosed: true });
    return [...this.snapshots.values()];
  }

  async claimed(): Promise<readonly Snapshot[]> {
    if (this.isGone) throw new SourceAccountRefusedError('the companion is gone', { isClosed: true });
    const prefix = claimFilter(install).slice(0, -1);
    return [...this.snapshots.values()].filter(({ tags }) => Object.keys(tags).some((key) => key.startsWith(prefix)));
  }

  async intermediates(_region: string, volumeId?: string): Promise<readonly Snapshot[]> {
    return [...this.snapshots.values()].filter(
      ({ tags }) =>
        tags[SOURCE_TAG.intermediateFor] !== undefined &&
        (volumeId === undefined || tags[SOURCE_TAG.intermediateVolume] === volumeId),
    );
  }

  async sharedWith(_region: string, snapshotId: string): Promise<readonly string[]> {
    return [...(this.shares.get(snapshotId) ?? [])];
  }

  async share(_region: string, snapshotId: string): Promise<void> {
    this.shares.set(snapshotId, new Set([...(this.shares.get(snapshotId) ?? []), HOME]));
    this.#did('share', snapshotId);
  }

  async takeBack(_region: string, snapshotId: string): Promise<void> {
    this.shares.get(snapshotId)?.delete(HOME);
    this.#did('takeBack', snapshotId);
  }

  async tag(_region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    this.#change(snapshotId, (had) => ({ ...had, ...tags }));
    this.#did(`tag ${Object.keys(tags).join()}`, snapshotId);
  }

  async untag(_region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    this.#change(snapshotId, (had) => Object.fromEntries(Object.entries(had).filter(([key, is]) => tags[key] !== is)));
    this.#did(`untag ${Object.keys(tags).join()}`, snapshotId);
  }

  async copy(_region: string, parameters: CopyParameters): Promise<string> {
    if (this.refuseCopy !== undefined) throw this.refuseCopy;
    const snapshotId = `snap-copy${this.snapshots.size}`;
    const { description, tags } = parameters;
    const fresh = { snapshotId, description, tags, state: 'pending', progressPercent: 0 } as const;
    this.snapshots.set(snapshotId, source({ ...fresh, volumeId: 'vol-ffffffff' }));
    this.#did(`copy under ${parameters.kmsKeyId}`, parameters.sourceSnapshotId);
    return snapshotId;
  }

  async remove(_region: string, snapshotId: string): Promise<void> {
    this.snapshots.delete(snapshotId);
    this.#did('remove', snapshotId);
  }

  #change(snapshotId: string, tags: (had: Readonly<Record<string, string>>) => Readonly<Record<string, string>>): void {
    const found = this.snapshots.get(snapshotId);
    if (found !== undefined) this.snapshots.set(snapshotId, { ...found, tags: tags(found.tags) });
  }

  #did(what: string, snapshotId: string): void {
    this.done.push(`${what} of ${snapshotId}`);
    const then = this.afterwards.get(what);
    this.afterwards.delete(what);
    then?.();
  }
}
