import type { Caller } from '../accounts.ts';
import type { Ec2Facts } from '../iam/calls/ec2.ts';
import type { QueryTree } from './query.ts';
import { tagsSeenBy } from './snapshot.ts';
import type { Ec2World } from './world.ts';

/** A call whose parameters are right, before anything is done. */
export interface Ec2Authorization {
  readonly caller: Caller;
  readonly action: string;
  /** Without DryRun. */
  readonly tree: QueryTree;
  readonly facts: Ec2Facts;
}

/** Lets a call pass. @throws {Ec2Error} if the caller may not make it. */
export type Authorize = (request: Ec2Authorization) => void;

/** What permissions can depend on. */
export function factsOf(world: Ec2World, { account }: Caller): Ec2Facts {
  return {
    snapshot: (id, region) => {
      const snapshot = world.snapshots.find(id, region);
      return (
        snapshot && {
          owner: snapshot.account,
          startedAt: snapshot.startedAt,
          sizeGiB: snapshot.sizeGiB,
          encrypted: snapshot.kmsKeyArn !== undefined,
          volumeId: snapshot.volumeId,
          tags: tagsSeenBy(snapshot, account),
        }
      );
    },
    volume: (id, region) => {
      const volume = world.volumes.get(id);
      if (volume === undefined || volume.account !== account || volume.region !== region) return undefined;
      const { zone, sizeGiB, type, kmsKeyArn, snapshotId, tags } = volume;
      return { zone, sizeGiB, type, encrypted: kmsKeyArn !== undefined, snapshotId, tags };
    },
  };
}
