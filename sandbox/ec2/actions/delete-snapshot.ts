import { action, DONE, type Ec2Action } from '../action.ts';
import { Ec2Error, invalidValue, notPermitted, snapshotNotFound } from '../ec2-error.ts';
import { isLocked } from '../lock.ts';
import { text } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import { tagsSeenBy } from '../snapshot.ts';
import { discard } from '../snapshot-life.ts';

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html
 *
 * A snapshot in use by an AMI: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html
 * One that AWS Backup manages: third-party report. A locked one: refused, but the code is unconfirmed.
 */
export const deleteSnapshot: Ec2Action = action({
  name: 'DeleteSnapshot',
  parameters: { SnapshotId: text },
  check: (input) => checkSnapshotId(input.SnapshotId),
  run: (world, caller, { SnapshotId }) => {
    const found = world.access(caller, SnapshotId);
    if (found === undefined || !world.isListed(found.snapshot)) throw snapshotNotFound(SnapshotId);
    const { snapshot, access } = found;
    if (access !== 'owner') {
      throw new Ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.', 403);
    }
    const [user] = snapshot.heldBy;
    if (user !== undefined) {
      throw new Ec2Error('InvalidSnapshot.InUse', `The snapshot ${SnapshotId} is currently in use by ${user}`);
    }
    if ([...tagsSeenBy(snapshot, caller.account).keys()].some((key) => key.startsWith('aws:backup:'))) {
      throw invalidValue('This snapshot is managed by AWS Backup service and must be deleted there.');
    }
    if (isLocked(snapshot.lock, world.now)) throw notPermitted(`The snapshot ${SnapshotId} is locked.`);
    // A pending one stays until it completes:
    // https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html
    if (snapshot.state === 'pending') snapshot.deletionRequested = true;
    else discard(world, snapshot);
    return DONE;
  },
});
