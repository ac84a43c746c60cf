import { EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** A volume that exists. */
export interface ExistingVolume {
  readonly volumeId: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** EC2 takes so many values of filters in a call: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html */
const IDS_AT_ONCE = 200;

/**
 * Those of this account's volumes that exist. It filters by id, for of ids that are asked for directly EC2 refuses all
 * if one is not there.
 *
 * @throws ThrottledError, ServiceTroubleError, RequestRefusedError
 */
export async function existingVolumes(
  region: string,
  volumeIds: readonly string[],
): Promise<ReadonlyMap<string, ExistingVolume>> {
  const client = new EC2Client({ region, requestHandler });
  const found = new Map<string, ExistingVolume>();
  try {
    for (let start = 0; start < volumeIds.length; start += IDS_AT_ONCE) {
      const Filters = [{ Name: 'volume-id', Values: volumeIds.slice(start, start + IDS_AT_ONCE) }];
      for await (const { Volumes = [] } of paginateDescribeVolumes({ client, pageSize: 500 }, { Filters })) {
        for (const { VolumeId = '', State, Tags = [] } of Volumes) {
          if (State === 'deleted' || State === 'deleting') continue;
          const tags = Object.fromEntries(Tags.map(({ Key, Value }) => [Key ?? '', Value ?? '']));
          found.set(VolumeId, { volumeId: VolumeId, tags });
        }
      }
    }
  } catch (error) {
    throw inWordsOf('EC2', `DescribeVolumes in ${region}`, error);
  }
  return found;
}
