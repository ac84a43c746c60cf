import { DescribeSnapshotAttributeCommand, DescribeSnapshotsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { SOURCE_TAG } from '../../core/source-account.ts';

/** A snapshot in the account that owns it, as that account sees it. */
export interface OwnedSnapshot {
  readonly snapshotId: string;
  readonly state: string;
  readonly progressPercent: number;
  readonly tags: ReadonlyMap<string, string>;
  /** Accounts that it is shared with. */
  readonly sharedWith: readonly string[];
}

/** A source, and what the service made of it there. */
export interface SourceView {
  readonly source: OwnedSnapshot | undefined;
  readonly intermediates: readonly OwnedSnapshot[];
}

/** Looks at the snapshots of other accounts, as their administrators. */
export class SourceObserver {
  readonly #ec2: (account: string) => EC2Client;

  /** @param ec2 in the Region of the sources */
  constructor(ec2: (account: string) => EC2Client) {
    this.#ec2 = ec2;
  }

  /** Everything that the account has, by the id of the source that it is, or is an intermediate copy of. */
  async look(account: string): Promise<(snapshotId: string) => SourceView> {
    const ec2 = this.#ec2(account);
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    const owned = await Promise.all(
      Snapshots.map(
        async ({ SnapshotId = '', State = '', Progress, Tags = [] }): Promise<OwnedSnapshot> => ({
          snapshotId: SnapshotId,
          state: State,
          progressPercent: Number.parseInt(Progress ?? '', 10) || 0,
          tags: new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
          sharedWith: await sharedWith(ec2, SnapshotId),
        }),
      ),
    );
    return (snapshotId) => ({
      source: owned.find((each) => each.snapshotId === snapshotId),
      intermediates: owned.filter(({ tags }) => tags.get(SOURCE_TAG.intermediateOf) === snapshotId),
    });
  }
}

async function sharedWith(ec2: EC2Client, SnapshotId: string): Promise<readonly string[]> {
  const command = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission' });
  try {
    const { CreateVolumePermissions = [] } = await ec2.send(command);
    return CreateVolumePermissions.flatMap(({ UserId }) => UserId ?? []);
  } catch (error) {
    // Deleted since it was listed.
    if (error instanceof Error && error.name === 'InvalidSnapshot.NotFound') return [];
    throw error;
  }
}
