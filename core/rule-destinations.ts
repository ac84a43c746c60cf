import { type Destination, destinationId } from './destination.ts';
import type { CopyRule } from './rules.ts';

/** Every place that copies go to, once each: if several rules name it, as the first of them does. Sorted by id. */
export function destinations(rules: readonly CopyRule[]): readonly Destination[] {
  const byId = new Map<string, Destination>();
  for (const destination of rules.flatMap((rule) => rule.destinations)) {
    const id = destinationId(destination);
    if (!byId.has(id)) byId.set(id, destination);
  }
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, destination]) => destination);
}

/** The Regions of all destinations, sorted. */
export function destinationRegions(rules: readonly CopyRule[]): readonly string[] {
  return [...new Set(rules.flatMap((rule) => rule.destinations.map(({ region }) => region)))].toSorted();
}

/** The most slots that a rule gives to a Region; 0 if none copies there. */
export function mostSlotsOf(rules: readonly CopyRule[], region: string): number {
  const slots = rules.flatMap(({ destinations }) =>
    destinations.flatMap((destination) => (destination.region === region ? [destination.slots] : [])),
  );
  return Math.max(0, ...slots);
}
