import { DescribeSnapshotsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { COPIER_TAG } from '../../core/copier-tags.ts';

/** A copy at a destination, as EC2 shows it. */
export interface SeenCopy {
  readonly copyId: string;
  /** What its tags say that it is a copy of. */
  readonly sourceSnapshotId: string | undefined;
  readonly state: string;
  readonly progressPercent: number;
  readonly startTime: Date | undefined;
  /** Undefined as long as it is not complete. */
  readonly completionTime: Date | undefined;
  /** Key ARN; undefined if it is plain. */
  readonly kmsKeyId: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

/** Copies in the client's Region: everything there that is tagged as a copy of a snapshot, in any state. */
export async function copiesSeenBy(ec2: EC2Client): Promise<readonly SeenCopy[]> {
  const { Snapshots = [] } = await ec2.send(
    new DescribeSnapshotsCommand({
      OwnerIds: ['self'],
      Filters: [{ Name: 'tag-key', Values: [COPIER_TAG.sourceSnapshot] }],
    }),
  );
  return Snapshots.map(({ SnapshotId = '', State = '', Progress, StartTime, CompletionTime, KmsKeyId, Tags = [] }) => {
    const tags = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    return {
      copyId: SnapshotId,
      sourceSnapshotId: tags.get(COPIER_TAG.sourceSnapshot),
      state: State,
      progressPercent: Number.parseInt(Progress ?? '', 10) || 0,
      startTime: StartTime,
      completionTime: CompletionTime,
      kmsKeyId: KmsKeyId,
      tags,
    };
  });
}
