import type { Destination } from './destination.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What a copy costs, as far as anybody can say before it is made. Every price in here is an assumption: list prices in US
 * dollars per GiB, without taxes, discounts and free tiers, as they were found in November 2026. AWS's own are at
 * https://aws.amazon.com/ebs/pricing/ and https://aws.amazon.com/ec2/pricing/on-demand/ and, as data, at
 * https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/eu-central-1/index.json for each Region.
 */
export const PRICES_AS_OF = 'November 2026';

/**
 * Out of a Region into any other. The source Region alone decides, and only its side pays:
 * https://aws.amazon.com/about-aws/global-infrastructure/global-network/faqs and
 * https://docs.aws.amazon.com/cur/latest/userguide/cur-data-transfers-charges.html
 * The numbers: https://github.com/skyplane-project/skyplane/blob/main/skyplane/data/aws_transfer_costs.csv
 */
const TRANSFER_PER_GIB: Readonly<Record<string, number>> = {
  'af-south-1': 0.147,
  'ap-east-1': 0.09,
  'ap-northeast-1': 0.09,
  'ap-northeast-2': 0.08,
  'ap-northeast-3': 0.09,
  'ap-south-1': 0.086,
  'ap-southeast-1': 0.09,
  'ap-southeast-2': 0.098,
  'ap-southeast-3': 0.1,
  'ca-central-1': 0.02,
  'eu-central-1': 0.02,
  'eu-north-1': 0.02,
  'eu-south-1': 0.02,
  'eu-west-1': 0.02,
  'eu-west-2': 0.02,
  'eu-west-3': 0.02,
  'me-south-1': 0.1105,
  'sa-east-1': 0.138,
  'us-east-1': 0.02,
  'us-east-2': 0.02,
  'us-west-1': 0.02,
  'us-west-2': 0.02,
};

/** The one pair that has a price of its own, in both directions. */
const NEIGHBOURS: readonly string[] = ['us-east-1', 'us-east-2'];
const NEIGHBOURS_PER_GIB = 0.01;

/**
 * The standard tier, for a month. https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive-pricing.html has 0.05
 * and names no Region; these are the Regions for which a quotation of AWS's price list or a bill was found.
 */
const STORAGE_PER_GIB_MONTH: Readonly<Record<string, number>> = {
  'ap-northeast-1': 0.05,
  'ap-northeast-2': 0.05,
  'ap-southeast-2': 0.055,
  'eu-central-1': 0.054,
  'eu-west-1': 0.05,
  'us-east-1': 0.05,
  'us-west-1': 0.055,
  'us-west-2': 0.05,
};

/**
 * Of a time-based copy, by what moves, up to this many minutes:
 * https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html#time-based-copies-pricing
 */
const SURCHARGE_PER_GIB: readonly (readonly [minutes: number, price: number])[] = [
  [15, 0.02],
  [45, 0.018],
  [105, 0.016],
  [225, 0.014],
  [465, 0.012],
  [945, 0.01],
];
const LONGEST_SURCHARGE_PER_GIB = 0.005;

/** In own prices: every Region that is not named. */
export const EVERYWHERE = '*';

/** Prices that count instead of the tables, in US dollars per GiB, by Region or `EVERYWHERE`. */
export interface OwnPrices {
  /** By the Region of the source. */
  readonly transfer: ReadonlyMap<string, number>;
  /** By the Region of the copy; for a month. */
  readonly storage: ReadonlyMap<string, number>;
  /** Whatever the time that was asked for. */
  readonly surcharge?: number;
}

export const NO_OWN_PRICES: OwnPrices = { transfer: new Map(), storage: new Map() };

/** In US dollars per GiB; undefined where nobody here knows. */
export interface UnitPrices {
  readonly transfer: number | undefined;
  /** 0 if it is no time-based copy. */
  readonly surcharge: number;
  /** For a month. */
  readonly storage: number | undefined;
}

/** In US dollars; undefined where a price is not known. */
export interface CopyCost {
  readonly transfer: number | undefined;
  readonly surcharge: number;
  /** For each month that the copy is kept. */
  readonly storagePerMonth: number | undefined;
}

const GIB = 2 ** 30;

/** What a full copy moves: the data, as far as EC2 tells how much that is, else the volume's size. */
export function wholeGib({ fullSizeBytes, sizeGiB }: Pick<Snapshot, 'fullSizeBytes' | 'sizeGiB'>): number {
  return fullSizeBytes === undefined ? sizeGiB : fullSizeBytes / GIB;
}

export function unitPrices(
  source: Pick<Snapshot, 'region' | 'localZone'>,
  destination: Destination,
  own: OwnPrices,
): UnitPrices {
  const { region, localZone, outpost, completionDurationMinutes } = destination;
  // Local Zones and Outposts have prices of their own, for the way and for the place.
  const isInRegion = localZone === undefined && outpost === undefined;
  const transfer =
    source.region === region && source.localZone === undefined && isInRegion
      ? 0
      : (ownPrice(own.transfer, source.region) ??
        (source.localZone === undefined && isInRegion ? transferPrice(source.region, region) : undefined));
  const storage = isInRegion ? storagePrice(region, own) : ownPrice(own.storage, region);
  const surcharge =
    completionDurationMinutes === undefined ? 0 : (own.surcharge ?? surchargePrice(completionDurationMinutes));
  return { transfer, surcharge, storage };
}

/** Of the standard tier in a Region, for a GiB and a month; undefined if it is not known. */
export function storagePrice(region: string, own: OwnPrices): number | undefined {
  return ownPrice(own.storage, region) ?? STORAGE_PER_GIB_MONTH[region];
}

/** What is stored is what moves: the blocks that the copy does not share with the one before it. */
export function costOf(gibMoved: number, prices: UnitPrices): CopyCost {
  if (gibMoved === 0) return { transfer: 0, surcharge: 0, storagePerMonth: 0 };
  const times = (price: number | undefined) => (price === undefined ? undefined : price * gibMoved);
  return {
    transfer: times(prices.transfer),
    surcharge: gibMoved * prices.surcharge,
    storagePerMonth: times(prices.storage),
  };
}

function ownPrice(prices: ReadonlyMap<string, number>, region: string): number | undefined {
  return prices.get(region) ?? prices.get(EVERYWHERE);
}

function transferPrice(from: string, to: string): number | undefined {
  if (NEIGHBOURS.includes(from) && NEIGHBOURS.includes(to)) return NEIGHBOURS_PER_GIB;
  return TRANSFER_PER_GIB[from];
}

function surchargePrice(minutes: number): number {
  return SURCHARGE_PER_GIB.find(([upTo]) => minutes <= upTo)?.[1] ?? LONGEST_SURCHARGE_PER_GIB;
}
