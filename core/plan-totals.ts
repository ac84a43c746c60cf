import type { CopyCost, UnitPrices } from './copy-cost.ts';
import { destinationId } from './destination.ts';
import type { PlanAction, PlanRow, Work } from './plan.ts';
import { groupsOf } from './plan-groups.ts';

/** What a plan comes to at one destination, or at several. */
export interface PlanTotal {
  readonly rows: Readonly<Record<PlanAction, number>>;
  /** Of the rows with the action `copy`. */
  readonly toCopy: WorkTotal;
  /** Of those that wait and run. */
  readonly underWay: WorkTotal;
}

export interface WorkTotal {
  readonly copies: number;
  readonly full: number;
  readonly gib: number;
  /** As far as prices are known. */
  readonly cost: Readonly<Record<keyof CopyCost, number>>;
  /** Of how many copies the price is not known: that of the way, and that of the place. */
  readonly unpriced: { readonly transfer: number; readonly storage: number };
  /** What has to be made first, in the accounts of the sources. It is in none of the above. */
  readonly intermediates: IntermediateTotal;
}

export interface IntermediateTotal {
  /** 12 digits each, sorted. */
  readonly accounts: readonly string[];
  readonly copies: number;
  readonly gib: number;
  /** As far as the price is known, for each month that they are kept. */
  readonly storagePerMonth: number;
  /** Of how many the price is not known. */
  readonly unpriced: number;
}

export function totalOf(rows: readonly PlanRow[]): PlanTotal {
  const count = (wanted: PlanAction) => rows.filter(({ action }) => action === wanted).length;
  const workOf = (...wanted: readonly PlanAction[]) =>
    rows.flatMap(({ action, work }) => (work !== undefined && wanted.includes(action) ? [work] : []));
  return {
    rows: {
      copy: count('copy'),
      unshareable: count('unshareable'),
      running: count('running'),
      waiting: count('waiting'),
      failed: count('failed'),
      exists: count('exists'),
      'dry-run': count('dry-run'),
      skipped: count('skipped'),
    },
    toCopy: workTotal(workOf('copy')),
    underWay: workTotal(workOf('waiting', 'running')),
  };
}

/** By `destinationId`, sorted. */
export function totalsByDestination(rows: readonly PlanRow[]): ReadonlyMap<string, PlanTotal> {
  const groups = groupsOf(rows, ({ destination }) => destinationId(destination));
  return new Map([...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, group]) => [id, totalOf(group)]));
}

/** What counts for the copies from one Region to one destination. */
export interface PricedWay {
  readonly from: string;
  /** See `destinationId`. */
  readonly to: string;
  readonly prices: UnitPrices;
}

/** Each way once, with the prices that a plan was made with. */
export function pricedWays(rows: readonly PlanRow[]): readonly PricedWay[] {
  const ways = rows.flatMap(({ source, destination, work }): PricedWay[] =>
    work === undefined ? [] : [{ from: source.region, to: destinationId(destination), prices: work.prices }],
  );
  return [...new Map(ways.map((way) => [JSON.stringify(way), way])).values()];
}

function workTotal(work: readonly Work[]): WorkTotal {
  const sum = (of: (each: Work) => number) => work.reduce((total, each) => total + of(each), 0);
  return {
    copies: work.length,
    full: work.filter(({ moves }) => moves === 'all').length,
    gib: sum(({ gib }) => gib),
    cost: {
      transfer: sum(({ cost }) => cost.transfer ?? 0),
      surcharge: sum(({ cost }) => cost.surcharge),
      storagePerMonth: sum(({ cost }) => cost.storagePerMonth ?? 0),
    },
    unpriced: {
      transfer: work.filter(({ cost }) => cost.transfer === undefined).length,
      storage: work.filter(({ cost }) => cost.storagePerMonth === undefined).length,
    },
    intermediates: intermediateTotal(work),
  };
}

function intermediateTotal(work: readonly Work[]): IntermediateTotal {
  const all = work.flatMap(({ intermediate }) => (intermediate?.is === 'toMake' ? [intermediate] : []));
  return {
    accounts: [...new Set(all.map(({ account }) => account))].toSorted(),
    copies: all.length,
    gib: all.reduce((total, { gib }) => total + gib, 0),
    storagePerMonth: all.reduce((total, { storagePerMonth }) => total + (storagePerMonth ?? 0), 0),
    unpriced: all.filter(({ storagePerMonth }) => storagePerMonth === undefined).length,
  };
}
