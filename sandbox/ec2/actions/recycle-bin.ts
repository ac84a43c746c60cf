import { action, type Ec2Action } from '../action.ts';
import { invalidCombination, snapshotNotFound } from '../ec2-error.ts';
import { page, pageParameters } from '../pages.ts';
import { listOf, text } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import { isoTime, items } from '../xml.ts';
import { ordinalKey, snapshotXml } from './describe-snapshots.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ListSnapshotsInRecycleBin.html */
export const listSnapshotsInRecycleBin: Ec2Action = action({
  name: 'ListSnapshotsInRecycleBin',
  parameters: { SnapshotId: listOf(text), ...pageParameters },
  check: (input) => {
    for (const snapshotId of input.SnapshotId) checkSnapshotId(snapshotId);
    if (input.SnapshotId.length > 0 && (input.MaxResults !== undefined || input.NextToken !== undefined)) {
      throw invalidCombination('The parameter snapshotIds cannot be used with the parameter maxResults or nextToken');
    }
  },
  run: (world, caller, input) => {
    const binned = [...world.snapshots.ownedBy(caller)].flatMap((snapshot) =>
      snapshot.bin === undefined ? [] : [{ snapshot, bin: snapshot.bin, ordinal: snapshot.ordinal }],
    );
    const missing = input.SnapshotId.find((id) => !binned.some(({ snapshot }) => snapshot.snapshotId === id));
    if (missing !== undefined) throw snapshotNotFound(missing);
    const chosen = binned.filter(
      ({ snapshot }) => input.SnapshotId.length === 0 || input.SnapshotId.includes(snapshot.snapshotId),
    );
    const { items: shown, nextToken } = page(chosen, ordinalKey, input);
    return {
      snapshotSet: items(
        shown.map(({ snapshot, bin }) => ({
          snapshotId: snapshot.snapshotId,
          recycleBinEnterTime: isoTime(bin.enteredAt),
          recycleBinExitTime: isoTime(bin.exitAt),
          description: snapshot.description,
          volumeId: snapshot.volumeId,
        })),
      ),
      nextToken,
    };
  },
});

/** How long a snapshot is `recovering`: unconfirmed. */
const RECOVERING_SECONDS = 5;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RestoreSnapshotFromRecycleBin.html */
export const restoreSnapshotFromRecycleBin: Ec2Action = action({
  name: 'RestoreSnapshotFromRecycleBin',
  parameters: { SnapshotId: text },
  check: (input) => checkSnapshotId(input.SnapshotId),
  run: (world, caller, { SnapshotId }) => {
    const snapshot = world.snapshots.find(SnapshotId, caller.region);
    if (snapshot?.bin === undefined || snapshot.account !== caller.account) throw snapshotNotFound(SnapshotId);
    snapshot.bin = undefined;
    snapshot.state = 'recovering';
    world.after(RECOVERING_SECONDS, () => {
      if (snapshot.state === 'recovering') snapshot.state = 'completed';
    });
    return snapshotXml(world, caller, snapshot);
  },
});
