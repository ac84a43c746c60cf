import type { CopyRequest } from './copy-request.ts';
import { destinationId } from './destination.ts';
import type { PlanRow } from './plan.ts';

/** Which part of a plan is wanted; what is empty narrows nothing. */
export interface Narrowing {
  readonly rules: readonly string[];
  /** Names of destinations, or Regions with all destinations in them. */
  readonly destinations: readonly string[];
}

/** The rows that some rule and destination of these decide. */
export function narrowed(rows: readonly PlanRow[], { rules, destinations }: Narrowing): readonly PlanRow[] {
  return rows.filter(
    (row) =>
      (rules.length === 0 || row.rules.some(({ name }) => rules.includes(name))) &&
      (destinations.length === 0 ||
        destinations.includes(destinationId(row.destination)) ||
        destinations.includes(row.destination.region)),
  );
}

/** What is to be asked for: whatever would be copied and nobody has asked for, oldest source first, as in the plan. */
export function backfillRequests(rows: readonly PlanRow[]): readonly CopyRequest[] {
  return rows.flatMap(({ action, work }) => (action === 'copy' && work !== undefined ? [work.request] : []));
}
