import {
  DescribeAvailabilityZonesCommand,
  DescribeRegionsCommand,
  EC2Client,
  GetEbsDefaultKmsKeyIdCommand,
  GetEbsEncryptionByDefaultCommand,
} from '@aws-sdk/client-ec2';
import type { EbsDefaults } from '../core/doctor/default-key.ts';
import type { RegionListed, ZoneListed } from '../core/doctor/region.ts';
import { readThrown } from '../core/thrown-error.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** What EC2 tells of Regions; nothing is changed. Every method throws errors of core/errors.ts only. */
export interface RegionApi {
  /** Every Region of the partition, enabled or not, as EC2 of one of them lists them. */
  list(askedIn: string): Promise<readonly RegionListed[]>;
  /** A Local Zone of a Region, enabled or not; undefined if there is none of this name. */
  zone(region: string, name: string): Promise<ZoneListed | undefined>;
  ebsDefaults(region: string): Promise<EbsDefaults>;
}

/** Regions on EC2. */
export function ec2Regions(): RegionApi {
  const clientOf = perRegion((region) => new EC2Client({ region, requestHandler }));
  return {
    async list(askedIn) {
      try {
        const { Regions = [] } = await clientOf(askedIn).send(new DescribeRegionsCommand({ AllRegions: true }));
        return Regions.map(({ RegionName = '', OptInStatus = '' }) => ({ name: RegionName, optIn: OptInStatus }));
      } catch (error) {
        throw inWordsOf('EC2', `DescribeRegions in ${askedIn}`, error);
      }
    },

    async zone(region, name) {
      try {
        const { AvailabilityZones: [found] = [] } = await clientOf(region).send(
          new DescribeAvailabilityZonesCommand({ AllAvailabilityZones: true, ZoneNames: [name] }),
        );
        return found && { optIn: found.OptInStatus ?? '', state: found.State ?? '', group: found.GroupName ?? '' };
      } catch (error) {
        // "Invalid availability zone: [eu-central-1-xyz-1a]"
        if (readThrown(error).code === 'InvalidParameterValue') return undefined;
        throw inWordsOf('EC2', `DescribeAvailabilityZones of ${name} in ${region}`, error);
      }
    },

    async ebsDefaults(region) {
      try {
        const [{ EbsEncryptionByDefault = false }, { KmsKeyId = '' }] = await Promise.all([
          clientOf(region).send(new GetEbsEncryptionByDefaultCommand({})),
          clientOf(region).send(new GetEbsDefaultKmsKeyIdCommand({})),
        ]);
        return { encryptsByDefault: EbsEncryptionByDefault, key: KmsKeyId };
      } catch (error) {
        throw inWordsOf('EC2', `GetEbsDefaultKmsKeyId in ${region}`, error);
      }
    },
  };
}
