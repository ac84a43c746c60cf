import {
  CopySnapshotCommand,
  type CopySnapshotCommandInput,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  type DescribeSnapshotsCommandInput,
  EC2Client,
  type Snapshot as Ec2Snapshot,
  type Filter,
  paginateDescribeSnapshots,
} from '@aws-sdk/client-ec2';
import { COPIER_TAG } from '../core/copier-tags.ts';
import type { CopyParameters } from '../core/copy-parameters.ts';
import { type AboutCall, inOurWords } from '../core/ec2-errors.ts';
import { isLocalZone } from '../core/region.ts';
import type { Snapshot, SnapshotState } from '../core/snapshot.ts';
import { isArbitraryVolume } from '../core/volume-of-copy.ts';
import type { SessionCredentials } from './companion-role.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import type { SnapshotApi } from './snapshot-api.ts';

/** What only code beside this one asks for. */
export interface Ec2Snapshots extends SnapshotApi {
  /** Everything that the caller owns in a Region and that EC2's filters let through. */
  ownWith(region: string, filters: readonly Filter[], what: string): Promise<readonly Snapshot[]>;
}

/**
 * Snapshots on EC2. One client per Region is kept for the life of the function.
 *
 * @param as who calls; without it whoever runs this. What this throws, every method may throw as well.
 */
export function ec2Snapshots(as?: () => Promise<SessionCredentials>): Ec2Snapshots {
  const who = as === undefined ? {} : { credentials: as };
  const clientOf = perRegion((region) => new EC2Client({ region, requestHandler, ...who }));
  // CopySnapshot takes no client token, so the SDK's own retry after a lost answer would make a second copy:
  // https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
  const copyClientOf = perRegion((region) => new EC2Client({ region, requestHandler, maxAttempts: 1, ...who }));

  async function list(region: string, which: DescribeSnapshotsCommandInput, about: AboutCall): Promise<Snapshot[]> {
    try {
      const pages = paginateDescribeSnapshots({ client: clientOf(region), pageSize: 1000 }, which);
      const found: Snapshot[] = [];
      for await (const page of pages) found.push(...(page.Snapshots ?? []).map((each) => inOurShape(each, region)));
      return found;
    } catch (error) {
      throw inOurWords(error, about);
    }
  }

  const ownWith = (region: string, filters: readonly Filter[], what: string): Promise<Snapshot[]> =>
    list(
      region,
      { OwnerIds: ['self'], Filters: [...filters] },
      { call: 'DescribeSnapshots', snapshotId: what, region },
    );

  return {
    async find(region, snapshotId) {
      try {
        const answer = await clientOf(region).send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
        const found = answer.Snapshots?.[0];
        return found && inOurShape(found, region);
      } catch (error) {
        // EC2 leaves an id without access out of the answer, or says NotFound: both are "cannot see it".
        if (isCode(error, 'InvalidSnapshot.NotFound')) return undefined;
        throw inOurWords(error, { call: 'DescribeSnapshots', snapshotId, region });
      }
    },

    async copiesOf({ source, destination }) {
      const about: AboutCall = { call: 'DescribeSnapshots', snapshotId: source.snapshotId, region: destination.region };
      // A copy's volume id is the same for all copies (vol-ffffffff), so copies of copies are told apart by snapshot.
      const filter: Filter = isArbitraryVolume(source.volumeId)
        ? { Name: `tag:${COPIER_TAG.sourceSnapshot}`, Values: [source.snapshotId] }
        : { Name: `tag:${COPIER_TAG.sourceVolume}`, Values: [source.volumeId] };
      return list(destination.region, { OwnerIds: ['self'], Filters: [filter] }, about);
    },

    managedCopies: (region) =>
      ownWith(region, [{ Name: 'tag-key', Values: [COPIER_TAG.managed] }], 'copies-of-this-product'),

    pending: (region) => ownWith(region, [{ Name: 'status', Values: ['pending'] }], 'pending-snapshots'),

    ownWith,

    begunOn: (region, days, whose) =>
      list(
        region,
        {
          ...(whose === 'own' ? { OwnerIds: ['self'] } : { RestorableByUserIds: ['self'] }),
          // EC2's filters take asterisks: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
          Filters: [{ Name: 'start-time', Values: days.map((day) => `${day}*`) }],
        },
        {
          call: 'DescribeSnapshots',
          snapshotId: `snapshots-of-${[...new Set([days.at(0), days.at(-1)])].join('-to-')}`,
          region,
        },
      ),

    async copy(region, parameters) {
      const about = aboutCopy(region, parameters);
      try {
        const answer = await copyClientOf(region).send(new CopySnapshotCommand(copyInput(parameters)));
        if (answer.SnapshotId !== undefined) return answer.SnapshotId;
      } catch (error) {
        throw inOurWords(error, about);
      }
      throw inOurWords(new Error('the answer has no SnapshotId'), about);
    },

    async probeCopy(region, parameters) {
      try {
        await copyClientOf(region).send(new CopySnapshotCommand({ ...copyInput(parameters), DryRun: true }));
      } catch (error) {
        if (isCode(error, 'DryRunOperation')) return;
        throw inOurWords(error, aboutCopy(region, parameters));
      }
    },

    async tag(region, snapshotId, tags) {
      try {
        const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
        await clientOf(region).send(new CreateTagsCommand({ Resources: [snapshotId], Tags: list }));
      } catch (error) {
        throw inOurWords(error, { call: 'CreateTags', snapshotId, region });
      }
    },

    async remove(region, snapshotId) {
      try {
        await clientOf(region).send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }));
      } catch (error) {
        if (isCode(error, 'InvalidSnapshot.NotFound')) return;
        throw inOurWords(error, { call: 'DeleteSnapshot', snapshotId, region });
      }
    },
  };
}

/** The presigned URL and the destination Region parameter are the SDK's business. */
function copyInput(parameters: CopyParameters): CopySnapshotCommandInput {
  const tags = Object.entries(parameters.tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    SourceRegion: parameters.sourceRegion,
    SourceSnapshotId: parameters.sourceSnapshotId,
    Description: parameters.description,
    ...(parameters.encrypted && { Encrypted: true }),
    ...(parameters.kmsKeyId !== undefined && { KmsKeyId: parameters.kmsKeyId }),
    ...(parameters.destinationOutpostArn !== undefined && { DestinationOutpostArn: parameters.destinationOutpostArn }),
    ...(parameters.destinationAvailabilityZone !== undefined && {
      DestinationAvailabilityZone: parameters.destinationAvailabilityZone,
    }),
    ...(parameters.completionDurationMinutes !== undefined && {
      CompletionDurationMinutes: parameters.completionDurationMinutes,
    }),
    // Tags given here exist from the copy's first moment, or the copy does not exist:
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-on-create
    TagSpecifications: [{ ResourceType: 'snapshot', Tags: tags }],
  };
}

function aboutCopy(region: string, parameters: CopyParameters): AboutCall {
  const { sourceSnapshotId, destinationAvailabilityZone, destinationOutpostArn } = parameters;
  const destination = destinationAvailabilityZone ?? destinationOutpostArn ?? region;
  return { call: 'CopySnapshot', snapshotId: sourceSnapshotId, region, destination };
}

/** EC2's model makes every field optional; here each gets the value that its absence means. */
export function inOurShape(found: Ec2Snapshot, region: string): Snapshot {
  return {
    snapshotId: found.SnapshotId ?? '',
    region,
    ownerId: found.OwnerId ?? '',
    volumeId: found.VolumeId ?? '',
    state: stateOf(found.State),
    ...(found.StateMessage !== undefined && found.StateMessage !== '' && { stateMessage: found.StateMessage }),
    progressPercent: percentOf(found.Progress),
    startTime: (found.StartTime ?? new Date(0)).toISOString(),
    ...(found.CompletionTime !== undefined && { completionTime: found.CompletionTime.toISOString() }),
    sizeGiB: found.VolumeSize ?? 0,
    ...(found.FullSnapshotSizeInBytes !== undefined && { fullSizeBytes: found.FullSnapshotSizeInBytes }),
    encrypted: found.Encrypted ?? false,
    ...(found.KmsKeyId !== undefined && { kmsKeyId: found.KmsKeyId }),
    storageTier: found.StorageTier === 'archive' ? 'archive' : 'standard',
    ...(found.OutpostArn !== undefined && { outpostArn: found.OutpostArn }),
    // EC2 may name an Availability Zone here as well, which says nothing about where the snapshot is.
    ...(isLocalZone(found.AvailabilityZone) && { localZone: found.AvailabilityZone }),
    description: found.Description ?? '',
    tags: Object.fromEntries((found.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
  };
}

/** A state that EC2 may add one day is not an end that we know: it is waited for, up to the deadline. */
function stateOf(state: string | undefined): SnapshotState {
  switch (state) {
    case 'completed':
    case 'error':
    case 'recoverable':
    case 'recovering':
      return state;
    default:
      return 'pending';
  }
}

/** "42%", and an empty string at first. */
function percentOf(progress: string | undefined): number {
  const percent = Number.parseInt(progress ?? '', 10);
  return Number.isNaN(percent) ? 0 : percent;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && error.name === code;
}
