import type { SnapshotApi } from '../../../aws/snapshot-api.ts';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import type { CopyParameters } from '../../../core/copy-parameters.ts';
import type { CopyRequest } from '../../../core/copy-request.ts';
import { CopySlotsTakenError } from '../../../core/errors.ts';
import type { Snapshot, SnapshotState } from '../../../core/snapshot.ts';
import { HOME, snapshot } from '../../support/examples.ts';

/** A copy as it is, whatever EC2 shows of it. */
export interface FakeCopy {
  readonly snapshotId: string;
  readonly region: string;
  readonly outpostArn?: string;
  /** Empty on one that another tool makes. */
  tags: Readonly<Record<string, string>>;
  state: SnapshotState;
  readonly begunAt: number;
  endedAt?: number;
  /** EC2 deletes a pending copy when it has ended. */
  isDeleted: boolean;
}

interface Options {
  readonly now: () => Date;
  /** How many copies a Region runs at a time. */
  readonly limit: number;
  /** How long EC2 does not show what has changed. */
  readonly lagSeconds: number;
}

/** Snapshots with the slots of EC2, where a copy takes as long as the test says. */
export class FakeEc2 implements SnapshotApi {
  readonly copies: FakeCopy[] = [];
  /** By id. */
  readonly sources = new Map<string, Snapshot>();
  /** Told of each listing of what is pending. */
  onListed: (region: string) => void = () => {};
  /** Told of each copy that is refused because no slot is free. */
  onRefused: (region: string) => void = () => {};
  readonly #options: Options;
  #begun = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  pendingIn(region: string): readonly FakeCopy[] {
    return this.copies.filter((copy) => copy.region === region && copy.state === 'pending');
  }

  /** Those that another tool makes, as far as EC2 shows them. */
  foreignShownIn(region: string): number {
    return this.#shown(region).filter(({ tags, state }) => state === 'pending' && Object.keys(tags).length === 0)
      .length;
  }

  /** Another tool begins a copy, if there is a slot for it. */
  beginForeign(region: string): void {
    if (this.pendingIn(region).length < this.#options.limit) this.#begin(region, {}, undefined);
  }

  end(copy: FakeCopy, state: 'completed' | 'error'): void {
    copy.state = state;
    copy.endedAt = this.#nowMs();
    if (copy.isDeleted) this.#forget(copy);
  }

  async find(region: string, snapshotId: string): Promise<Snapshot | undefined> {
    const source = this.sources.get(snapshotId);
    if (source?.region === region) return source;
    return this.#shown(region).find((copy) => copy.snapshotId === snapshotId);
  }

  async pending(region: string): Promise<readonly Snapshot[]> {
    this.onListed(region);
    return this.#shown(region).filter(({ state }) => state === 'pending');
  }

  async copiesOf({ source, destination }: CopyRequest): Promise<readonly Snapshot[]> {
    return this.#shown(destination.region).filter(({ tags }) => tags[COPIER_TAG.sourceVolume] === source.volumeId);
  }

  async copy(region: string, { tags, sourceSnapshotId, destinationOutpostArn }: CopyParameters): Promise<string> {
    if (this.pendingIn(region).length >= this.#options.limit) {
      this.onRefused(region);
      throw new CopySlotsTakenError(`all ${this.#options.limit} slots of ${region} are taken`);
    }
    const copy = this.#begin(region, tags, destinationOutpostArn);
    if (!this.sources.has(sourceSnapshotId)) this.end(copy, 'error');
    return copy.snapshotId;
  }

  async tag(_region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void> {
    for (const copy of this.copies) if (copy.snapshotId === snapshotId) copy.tags = { ...copy.tags, ...tags };
  }

  async remove(_region: string, snapshotId: string): Promise<void> {
    for (const copy of this.copies.filter((each) => each.snapshotId === snapshotId)) {
      copy.isDeleted = true;
      if (copy.state !== 'pending') this.#forget(copy);
    }
  }

  async managedCopies(region: string): Promise<readonly Snapshot[]> {
    return this.#shown(region).filter(({ tags }) => COPIER_TAG.managed in tags);
  }

  async begunOn(): Promise<readonly Snapshot[]> {
    throw new Error('nobody asks for it here');
  }

  async probeCopy(): Promise<void> {
    throw new Error('nobody asks for it here');
  }

  #begin(region: string, tags: Readonly<Record<string, string>>, outpostArn: string | undefined): FakeCopy {
    this.#begun += 1;
    const copy: FakeCopy = {
      snapshotId: `snap-c${String(this.#begun).padStart(7, '0')}`,
      region,
      tags,
      state: 'pending',
      begunAt: this.#nowMs(),
      isDeleted: false,
      ...(outpostArn !== undefined && { outpostArn }),
    };
    this.copies.push(copy);
    return copy;
  }

  #forget(copy: FakeCopy): void {
    this.copies.splice(this.copies.indexOf(copy), 1);
  }

  /** What EC2 answers: it may be late with the news that a copy has begun, or ended. */
  #shown(region: string): Snapshot[] {
    const unseenAfter = this.#nowMs() - this.#options.lagSeconds * 1000;
    return this.copies
      .filter((copy) => copy.region === region && copy.begunAt <= unseenAfter)
      .map(({ snapshotId, outpostArn, tags, state, begunAt, endedAt }) =>
        snapshot({
          snapshotId,
          region,
          ownerId: HOME,
          volumeId: 'vol-ffffffff',
          state: endedAt === undefined || endedAt <= unseenAfter ? state : 'pending',
          startTime: new Date(begunAt).toISOString(),
          tags,
          ...(outpostArn !== undefined && { outpostArn }),
        }),
      );
  }

  #nowMs(): number {
    return this.#options.now().getTime();
  }
}
