/**
 * The Regions that are enabled in a new account:
 * https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
 */
export const DEFAULT_REGIONS: readonly string[] = [
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
];

/** Those that an account must enable first; same page. */
export const OPT_IN_REGIONS: readonly string[] = [
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-south-1',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
];

/** An Availability Zone or a Local Zone. */
export interface Zone {
  readonly name: string;
  readonly zoneId: string;
  readonly region: string;
  readonly type: 'availability-zone' | 'local-zone';
  /** For a Local Zone: its zone group, for example `us-west-2-lax-1`. */
  readonly group: string;
}

/** Some of the Local Zones: https://docs.aws.amazon.com/local-zones/latest/ug/available-local-zones.html */
const LOCAL_ZONES: readonly string[] = [
  'ap-northeast-1-tpe-1a',
  'ap-south-1-ccu-1a',
  'ap-south-1-del-1a',
  'ap-southeast-1-bkk-1a',
  'ap-southeast-1-mnl-1a',
  'eu-central-1-ham-1a',
  'eu-central-1-waw-1a',
  'eu-north-1-cph-1a',
  'eu-north-1-hel-1a',
  'us-east-1-bos-1a',
  'us-east-1-mia-1a',
  'us-west-2-den-1a',
  'us-west-2-lax-1a',
  'us-west-2-lax-1b',
];

/** The zones of a Region: three Availability Zones, and its Local Zones as if the account had opted in. */
export function zonesOf(region: string): readonly Zone[] {
  const short = shortNameOf(region);
  return [
    ...['a', 'b', 'c'].map(
      (letter, index): Zone => ({
        name: region + letter,
        zoneId: `${short}-az${index + 1}`,
        region,
        type: 'availability-zone',
        group: `${region}-zg-1`,
      }),
    ),
    ...LOCAL_ZONES.filter((name) => name.startsWith(`${region}-`)).map((name): Zone => {
      const [place = '', number = ''] = name.slice(region.length + 1).split('-');
      const az = number.charCodeAt(1) - 'a'.charCodeAt(0) + 1;
      return {
        name,
        zoneId: `${short}-${place}${number.charAt(0)}-az${az}`,
        region,
        type: 'local-zone',
        group: name.slice(0, -1),
      };
    }),
  ];
}

export function zoneNamed(region: string, name: string): Zone | undefined {
  return zonesOf(region).find((zone) => zone.name === name);
}

/** `eu-central-1` is `euc1`: https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html */
function shortNameOf(region: string): string {
  const [area = '', direction = '', number = ''] = region.split('-');
  const compass = direction.replace(/(north|south)?(east|west|central)?/, (_, first = '', second = '') => {
    return `${first.charAt(0)}${second.charAt(0)}`;
  });
  return `${area}${compass}${number}`;
}
