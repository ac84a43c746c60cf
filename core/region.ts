/** A Region's id, for example `eu-central-1` or `us-gov-west-1`. Local Zones (`us-west-2-lax-1a`) are not Regions. */
const REGION_PATTERN: RegExp = /^[a-z]{2,4}(-[a-z]+)+-\d$/;

export function isRegion(text: string): boolean {
  return REGION_PATTERN.test(text);
}

/** The name of a Local Zone, for example `us-west-2-lax-1a`. Availability Zones (`us-west-2a`) are none. */
export const LOCAL_ZONE_PATTERN: RegExp = /^[a-z]{2,4}(?:-[a-z]+)+-\d-[a-z]+-\d[a-z]$/;

export function isLocalZone(text: string | undefined): text is string {
  return text !== undefined && LOCAL_ZONE_PATTERN.test(text);
}

/** The partition of a Region, as ARNs name it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return 'aws';
}
