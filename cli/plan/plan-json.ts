import { PRICES_AS_OF } from '../../core/copy-cost.ts';
import { destinationId } from '../../core/destination.ts';
import type { Assumptions, PlanRow } from '../../core/plan.ts';
import { type PlanTotal, pricedWays, totalOf, totalsByDestination, type WorkTotal } from '../../core/plan-totals.ts';
import type { RuleLine } from './plan-text.ts';

/** The rows as docs/cli/plan.md promises them. */
export function rowsAsJson(rows: readonly PlanRow[], lineOf: RuleLine): unknown {
  return rows.map(({ source, destination, action, reason, rules, copyId, work }) => ({
    snapshotId: source.snapshotId,
    sourceRegion: source.region,
    ownerId: source.ownerId,
    volumeId: source.volumeId,
    startTime: source.startTime,
    sizeGiB: source.sizeGiB,
    destination: destinationId(destination),
    destinationRegion: destination.region,
    action,
    reason,
    rules: rules.map(({ name, says }) => ({ name, line: lineOf(name) ?? null, says })),
    copyId: copyId ?? null,
    estimate:
      work === undefined
        ? null
        : {
            transfer: work.moves === 'all' ? 'full' : 'incremental',
            reason: work.reason,
            gib: rounded(work.gib),
            transferUsd: orNull(work.cost.transfer),
            surchargeUsd: rounded(work.cost.surcharge),
            storageUsdPerMonth: orNull(work.cost.storagePerMonth),
            intermediate:
              work.intermediate === undefined
                ? null
                : {
                    account: work.intermediate.account,
                    is: work.intermediate.is,
                    gib: rounded(work.intermediate.gib),
                    storageUsdPerMonth: orNull(work.intermediate.storagePerMonth),
                  },
          },
  }));
}

/** By destination, and together. */
export function totalsAsJson(rows: readonly PlanRow[]): unknown {
  const byDestination = [...totalsByDestination(rows)].map(([destination, total]) => ({
    destination,
    ...totalAsJson(total),
  }));
  return { byDestination, together: totalAsJson(totalOf(rows)) };
}

export function assumptionsAsJson(rows: readonly PlanRow[], { changeRate }: Assumptions): unknown {
  return {
    currency: 'USD',
    pricesAsOf: PRICES_AS_OF,
    changeRate,
    pricesPerGiB: pricedWays(rows).map(({ from, to, prices }) => ({
      from,
      to,
      transfer: orNull(prices.transfer),
      surcharge: prices.surcharge,
      storagePerMonth: orNull(prices.storage),
    })),
  };
}

function totalAsJson({ rows, toCopy, underWay }: PlanTotal): object {
  return { rows, toCopy: workAsJson(toCopy), underWay: workAsJson(underWay) };
}

function workAsJson({ copies, full, gib, cost, unpriced, intermediates }: WorkTotal): object {
  return {
    copies,
    full,
    gib: rounded(gib),
    transferUsd: rounded(cost.transfer),
    surchargeUsd: rounded(cost.surcharge),
    storageUsdPerMonth: rounded(cost.storagePerMonth),
    unpriced,
    intermediates: {
      copies: intermediates.copies,
      gib: rounded(intermediates.gib),
      storageUsdPerMonth: rounded(intermediates.storagePerMonth),
      unpriced: intermediates.unpriced,
    },
  };
}

function orNull(number: number | undefined): number | null {
  return number === undefined ? null : rounded(number);
}

/** What a computer adds up has digits that nobody meant. */
function rounded(number: number): number {
  return Number(number.toFixed(6));
}
