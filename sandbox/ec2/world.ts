import { type Caller, scopeOf } from '../accounts.ts';
import { hexDigits, type Random, seededRandom, uuid } from '../ids.ts';
import { EbsEvents } from './ebs-events.ts';
import { snapshotNotFound } from './ec2-error.ts';
import { Ec2Faults } from './faults.ts';
import type { Ec2Options } from './options.ts';
import { DEFAULT_REGIONS } from './regions.ts';
import { checkSnapshotId } from './resource-ids.ts';
import { type Access, accessOf, type Snapshot } from './snapshot.ts';
import { SnapshotStore } from './snapshot-store.ts';
import type { Volume } from './volume.ts';

/** Settings of one account in one Region. */
export interface RegionSettings {
  encryptionByDefault: boolean;
  /** ARN; undefined = the AWS managed key. */
  defaultKmsKeyArn: string | undefined;
  /** How long deleted snapshots stay in the recycle bin; undefined = they are gone at once. */
  keepDeletedDays: number | undefined;
}

/** Options with every default filled in. */
export type Ec2Settings = Required<Omit<Ec2Options, 'random' | 'emit'>>;

const MIB_PER_GIB = 1024;
const PLAIN_COPY_MIB_PER_SECOND = 100;

/** Everything that the actions share: the clock, the snapshots, the volumes, and what is set per account and Region. */
export class Ec2World {
  readonly settings: Ec2Settings;
  readonly snapshots: SnapshotStore = new SnapshotStore();
  readonly volumes: Map<string, Volume> = new Map();
  readonly volumeOfClientToken: Map<string, { volumeId: string; request: string }> = new Map();
  /** By chance of its own, so that faults change no ids. */
  readonly faults: Ec2Faults;
  readonly events: EbsEvents;
  readonly #random: Random;
  #volumesMade = 0;
  readonly #regionSettings = new Map<string, RegionSettings>();

  constructor({ random = seededRandom(1), emit, ...options }: Ec2Options) {
    this.#random = random;
    this.settings = {
      authorize: () => {},
      slotsPerRegion: 20,
      snapshotTakesSeconds: () => 20,
      copyTakesSeconds: ({ gib }) => 60 + (gib * MIB_PER_GIB) / PLAIN_COPY_MIB_PER_SECOND,
      visibleAfterSeconds: 0,
      largestPage: Number.POSITIVE_INFINITY,
      shareVisibleAfterSeconds: 0,
      regions: DEFAULT_REGIONS,
      copyFailsAfterSeconds: 30,
      copyMetadataAfterSeconds: 5,
      writtenShare: 1,
      changePerSnapshot: 0.03,
      tierTakesSeconds: 60,
      snapshotsPerRegion: 100_000,
      eventArns: 'region-in-account-slot',
      memberEvents: false,
      unusableKey: 'error-later',
      withoutAccess: 'not-found',
      faultSeed: 1,
      callsKept: 100_000,
      ...options,
    };
    this.faults = new Ec2Faults(seededRandom(this.settings.faultSeed));
    this.events = new EbsEvents({
      clock: options.clock,
      emit,
      newId: () => this.newUuid(),
      arns: this.settings.eventArns,
    });
  }

  get now(): number {
    return this.settings.clock.now();
  }

  newUuid(): string {
    return uuid(this.#random);
  }

  nextVolumeOrdinal(): number {
    this.#volumesMade += 1;
    return this.#volumesMade;
  }

  newSnapshotId(): string {
    return `snap-0${hexDigits(this.#random, 16)}`;
  }

  newVolumeId(): string {
    return `vol-0${hexDigits(this.#random, 16)}`;
  }

  settingsOf(caller: Caller): RegionSettings {
    const scope = scopeOf(caller);
    const known = this.#regionSettings.get(scope);
    if (known !== undefined) return known;
    const fresh = { encryptionByDefault: false, defaultKmsKeyArn: undefined, keepDeletedDays: undefined };
    this.#regionSettings.set(scope, fresh);
    return fresh;
  }

  /** The key that EBS takes if none is named. */
  defaultKmsKeyArn(caller: Caller): string {
    return this.settingsOf(caller).defaultKmsKeyArn ?? this.settings.keys.ebsManagedKey(caller).arn;
  }

  after(seconds: number, task: () => void): void {
    this.settings.clock.after(seconds * 1000, task);
  }

  /** A snapshot that the caller may use in its Region, and by what right. One in the recycle bin is not there. */
  access(caller: Caller, snapshotId: string): { snapshot: Snapshot; access: Access } | undefined {
    const snapshot = this.snapshots.find(snapshotId, caller.region);
    if (snapshot === undefined || snapshot.state === 'recoverable') return undefined;
    const access = accessOf(snapshot, caller.account, this.now);
    return access && { snapshot, access };
  }

  /** The caller's own snapshot. @throws {Ec2Error} if there is none of that id. */
  ownSnapshot(caller: Caller, snapshotId: string): Snapshot {
    checkSnapshotId(snapshotId);
    const found = this.access(caller, snapshotId);
    if (found?.access !== 'owner') throw snapshotNotFound(snapshotId);
    return found.snapshot;
  }

  /**
   * Whether the snapshot can be found by its id, or in a list, yet:
   * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
   */
  isListed(snapshot: Snapshot): boolean {
    return this.now >= snapshot.startedAt + this.settings.visibleAfterSeconds * 1000;
  }
}
