import type { Caller } from '../accounts.ts';
import { Ec2Error, invalidCombination, invalidValue } from './ec2-error.ts';
import { zoneNamed } from './regions.ts';
import type { Snapshot } from './snapshot.ts';

interface PlacementInput {
  readonly SourceRegion: string;
  readonly DestinationOutpostArn?: string | undefined;
  readonly DestinationAvailabilityZone?: string | undefined;
  readonly CompletionDurationMinutes?: number | undefined;
}

/**
 * Refuses a destination Outpost or Local Zone that cannot be, as far as the parameters alone show it. Codes: unconfirmed.
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html
 */
export function checkPlacement(input: PlacementInput, caller: Caller): void {
  const { DestinationOutpostArn: outpost, DestinationAvailabilityZone: zone } = input;
  if (outpost === undefined && zone === undefined) return;
  if (outpost !== undefined && zone !== undefined) {
    throw invalidCombination('DestinationOutpostArn and DestinationAvailabilityZone cannot be used together');
  }
  if (input.CompletionDurationMinutes !== undefined) {
    throw invalidCombination('CompletionDurationMinutes is not supported for copies to Outposts and Local Zones');
  }
  if (outpost !== undefined && outpostRegion(outpost) !== caller.region) {
    throw invalidValue(`Value (${outpost}) for parameter DestinationOutpostArn is not an Outpost of ${caller.region}`);
  }
  if (zone !== undefined) {
    const known = zoneNamed(caller.region, zone);
    if (known === undefined) throw new Ec2Error('InvalidZone.NotFound', `The zone '${zone}' does not exist.`);
    if (known.type !== 'local-zone') {
      throw invalidValue(`Value (${zone}) for parameter DestinationAvailabilityZone is not a Local Zone`);
    }
  }
  if (input.SourceRegion !== caller.region) {
    throw invalidValue(`A copy to an Outpost or Local Zone needs a source snapshot in ${caller.region}`);
  }
}

/** Refuses what the place of the source forbids. */
export function checkSourcePlace(source: Snapshot, input: PlacementInput, caller: Caller): void {
  if (source.outpostArn !== undefined) {
    throw new Ec2Error('UnsupportedOperation', 'Snapshots on Outposts cannot be copied.');
  }
  if (source.localZone === undefined) return;
  const to = input.DestinationAvailabilityZone;
  const sameGroup =
    to !== undefined && zoneNamed(caller.region, to)?.group === zoneNamed(source.region, source.localZone)?.group;
  const toParent = to === undefined && input.DestinationOutpostArn === undefined && caller.region === source.region;
  if (!sameGroup && !toParent) {
    throw new Ec2Error(
      'UnsupportedOperation',
      'Snapshots in a Local Zone can be copied to its zone group or to its parent Region only.',
    );
  }
}

export function outpostRegion(outpostArn: string): string | undefined {
  return /^arn:[a-z-]+:outposts:([a-z0-9-]+):\d{12}:outpost\/op-[0-9a-f]{17}$/.exec(outpostArn)?.[1];
}
