import { type Command, InvalidArgumentError, Option } from 'commander';
import { EVERYWHERE, type OwnPrices } from '../../core/copy-cost.ts';
import { parseDuration } from '../../core/duration.ts';
import { type Assumptions, USUAL_CHANGE_RATE } from '../../core/plan.ts';
import { isRegion } from '../../core/region.ts';

/** What a user may assume otherwise. */
export interface EstimateOptions {
  readonly changeRate?: number;
  readonly transferPrice?: Prices;
  readonly storagePrice?: Prices;
  readonly surchargePrice?: number;
}

type Prices = ReadonlyMap<string, number>;

export function addEstimateOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--change-rate <percent>',
        `blocks that differ from the snapshot copied before, for example 5% (default: ${100 * USUAL_CHANGE_RATE}%)`,
      ).argParser(percent),
    )
    .addOption(
      new Option(
        '--transfer-price <[region=]usd>',
        'per GiB out of this source Region, or of any; repeatable',
      ).argParser(price),
    )
    .addOption(
      new Option('--storage-price <[region=]usd>', 'per GiB-month in this Region, or in any; repeatable').argParser(
        price,
      ),
    )
    .addOption(new Option('--surcharge-price <usd>', 'per GiB of a time-based copy').argParser(usd));
}

export function assumptionsOf(options: EstimateOptions): Assumptions {
  const { changeRate = USUAL_CHANGE_RATE, surchargePrice } = options;
  const prices: OwnPrices = {
    transfer: options.transferPrice ?? new Map(),
    storage: options.storagePrice ?? new Map(),
    ...(surchargePrice !== undefined && { surcharge: surchargePrice }),
  };
  return { changeRate, prices };
}

/** Longer than any snapshot is kept by people who copy snapshots. */
const LONGEST_SINCE_DAYS = 3650;

/** `--since`, in seconds. */
export function sinceOption(what: string): Option {
  return new Option('--since <age>', what).argParser((text: string): number => {
    const seconds = parseDuration(text);
    if (seconds === undefined || seconds === 0 || seconds > LONGEST_SINCE_DAYS * 86_400) {
      throw new InvalidArgumentError(`It takes an age of at most ${LONGEST_SINCE_DAYS}d, for example 7d or 24h.`);
    }
    return seconds;
  });
}

function percent(text: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits !== undefined && number <= 100) return number / 100;
  throw new InvalidArgumentError('It takes a percentage from 0% to 100%, for example 3%.');
}

function price(text: string, before: Prices | undefined): Prices {
  const [, region, digits = ''] = /^(?:([^=]*)=)?(.*)$/.exec(text) ?? [];
  if (region !== undefined && !isRegion(region)) {
    throw new InvalidArgumentError('It takes US dollars, for example 0.02, or eu-west-1=0.02 for one Region.');
  }
  return new Map([...(before ?? []), [region ?? EVERYWHERE, usd(digits)]]);
}

function usd(text: string): number {
  if (/^\d{1,6}(?:\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes US dollars, for example 0.02.');
}
