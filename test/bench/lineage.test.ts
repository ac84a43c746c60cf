import { CopySnapshotCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { copyBacklog, movedBy } from '../../bench/lineage.ts';
import { Ec2Sandbox, SOURCE } from '../support/ec2-sandbox.ts';

const four = { snapshots: 4, volumeGiB: 100, changePerSnapshot: 0.1 };

describe('a backlog of one volume', () => {
  it('in order moves the volume once and then what changed', async () => {
    expect(await copyBacklog('in-order', four)).toEqual({ way: 'in-order', ...four, gibMoved: 130, fullCopies: 1 });
  });

  it('at once moves the volume each time', async () => {
    expect(await copyBacklog('at-once', four)).toMatchObject({ gibMoved: 400, fullCopies: 4 });
  });

  it('at once, beyond the 20 slots, moves what changed for those that had to wait', async () => {
    const { gibMoved, fullCopies } = await copyBacklog('at-once', { ...four, snapshots: 22 });
    expect(fullCopies).toBe(20);
    // The last two are at least one and at most two snapshots from what was there when they began.
    expect(gibMoved).toBeGreaterThanOrEqual(2000 + 20);
    expect(gibMoved).toBeLessThanOrEqual(2000 + 30);
  });

  it('by chance moves more than in order and less than at once', async () => {
    const { gibMoved, fullCopies } = await copyBacklog('by-chance', { ...four, snapshots: 8, changePerSnapshot: 0.05 });
    expect(fullCopies).toBe(1);
    expect(gibMoved).toBeGreaterThan(100 + 7 * 5);
    expect(gibMoved).toBeLessThan(800);
  });
});

describe('what copies moved', () => {
  it('is summed over the copies of all destinations, without the sources', async () => {
    const sandbox = new Ec2Sandbox();
    const volume = await sandbox.volume('eu-west-1', 50);
    const [first, second] = [await sandbox.snapshot('eu-west-1', volume), await sandbox.snapshot('eu-west-1', volume)];
    const copy = async (SourceSnapshotId: string, region: string) => {
      await sandbox.as(SOURCE, region).send(new CopySnapshotCommand({ SourceSnapshotId, SourceRegion: 'eu-west-1' }));
      sandbox.seconds(3600);
    };
    await copy(first, 'eu-central-1');
    await copy(second, 'eu-central-1');
    await copy(second, 'us-east-1');
    expect(movedBy(sandbox.service.snapshots())).toEqual({ gibMoved: 50 + 1.5 + 50, fullCopies: 2 });
  });
});
