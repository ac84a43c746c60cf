import { isRegion } from '../../../core/region.ts';
import type { Caller } from '../../accounts.ts';
import { action, type Ec2Action } from '../action.ts';
import { beginCopy } from '../copy-life.ts';
import { checkPlacement, checkSourcePlace } from '../copy-placement.ts';
import { Ec2Error, invalidValue } from '../ec2-error.ts';
import { chooseKey, keyRefusal } from '../encryption.ts';
import { checkPresignedUrl } from '../presigned-url.ts';
import { flag, integer, text } from '../query.ts';
import { isSnapshotId } from '../resource-ids.ts';
import { checkSnapshotQuota } from '../snapshot-life.ts';
import { requestedTags, tagSet, tagSpecifications } from '../tags.ts';
import type { Ec2World } from '../world.ts';

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
 *
 * There is no client token: two calls make two copies. An answer with an id says nothing about access: whether the
 * source exists, is complete and may be read, and whether its key may be used, shows later in the copy's state
 * (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html and third-party reports).
 * What is wrong with the parameters themselves is refused at once, in the order of a third-party report.
 */
export const copySnapshot: Ec2Action = action({
  name: 'CopySnapshot',
  parameters: {
    SourceSnapshotId: text,
    SourceRegion: text,
    Description: text.optional(),
    Encrypted: flag.optional(),
    KmsKeyId: text.optional(),
    TagSpecification: tagSpecifications,
    CompletionDurationMinutes: integer.optional(),
    DestinationAvailabilityZone: text.optional(),
    DestinationOutpostArn: text.optional(),
    DestinationRegion: text.optional(),
    PresignedUrl: text.optional(),
  },
  check: (input) => {
    if (!isSnapshotId(input.SourceSnapshotId)) throw invalidValue('The specified snapshotId is invalid');
    if (!isRegion(input.SourceRegion)) {
      throw new Ec2Error('InvalidRegion', `${input.SourceRegion} is not a valid region name.`);
    }
    checkDuration(input.CompletionDurationMinutes);
    requestedTags(input.TagSpecification, 'snapshot');
  },
  run: (world, caller, input) => {
    if ((input.DestinationRegion ?? caller.region) !== caller.region) {
      throw invalidValue(
        `DestinationRegion '${input.DestinationRegion}' does not match the current region (${caller.region})`,
      );
    }
    checkPresignedUrl(input.PresignedUrl, {
      sourceSnapshotId: input.SourceSnapshotId,
      destinationRegion: caller.region,
    });
    checkPlacement(input, caller);
    const source = world.access({ ...caller, region: input.SourceRegion }, input.SourceSnapshotId)?.snapshot;
    if (source !== undefined) checkSourcePlace(source, input, caller);
    // Outposts hold encrypted snapshots only: https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html
    const mustEncrypt = source?.kmsKeyArn !== undefined || input.DestinationOutpostArn !== undefined;
    const keyName = chooseKey(world, caller, input, mustEncrypt);
    const found = keyName === undefined ? undefined : world.settings.keys.findForEc2(caller, keyName);
    if (keyName !== undefined && found !== undefined && 'problem' in found) {
      const isRefused = found.problem === 'hidden' || world.settings.unusableKey === 'refused';
      if (isRefused) throw keyRefusal(keyName, found.problem);
    }
    checkSlots(world, caller);
    checkSnapshotQuota(world, caller, 1);
    const tags = requestedTags(input.TagSpecification, 'snapshot');
    const copy = beginCopy(world, caller, {
      source,
      sourceSnapshotId: input.SourceSnapshotId,
      sourceRegion: input.SourceRegion,
      description: input.Description ?? '',
      key: found,
      minutes: input.CompletionDurationMinutes,
      outpostArn: input.DestinationOutpostArn,
      localZone: input.DestinationAvailabilityZone,
      ownTags: tags,
    });
    return { snapshotId: copy.snapshotId, tagSet: tagSet(tags) };
  },
});

/** https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html; words as in a third-party report. */
function checkDuration(minutes: number | undefined): void {
  if (minutes === undefined || (minutes >= 15 && minutes <= 2880 && minutes % 15 === 0)) return;
  throw invalidValue(
    `'${minutes}' is not a valid value for completion duration. Specify a value between 15 and 2880 minutes, in 15 minute increments only`,
  );
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html, per destination Region. */
function checkSlots(world: Ec2World, caller: Caller): void {
  const { slotsPerRegion } = world.settings;
  if (world.snapshots.runningCopies(caller).size < slotsPerRegion) return;
  throw new Ec2Error(
    'ResourceLimitExceeded',
    `Too many snapshot copies in progress. The limit is ${slotsPerRegion} for this destination region.`,
  );
}
