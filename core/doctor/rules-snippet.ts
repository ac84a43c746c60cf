import type { Destination } from '../destination.ts';

/** A destination, and the rule that it belongs to. */
export interface RuleDestination {
  readonly rule: string;
  readonly destination: Destination;
}

/** Destinations of rules as `copy-rules.yml` has them, with what is to be changed or added at each. */
export function destinationsSnippet(destinations: readonly RuleDestination[], change: string): string {
  const byRule = Map.groupBy(destinations, ({ rule }) => rule);
  return [
    'rules:',
    ...[...byRule].flatMap(([rule, of]) => [
      `  - name: ${rule}`,
      '    destinations:',
      ...of.flatMap(({ destination: { region, localZone, outpost } }) => [
        `      - region: ${region}`,
        ...(localZone === undefined ? [] : [`        localZone: ${localZone}`]),
        ...(outpost === undefined ? [] : [`        outpost: ${outpost}`]),
        `        ${change}`,
      ]),
    ]),
  ].join('\n');
}

/** What a rule selects, with what is to be changed or added there. */
export function selectionSnippet(rule: string, change: string): string {
  return ['rules:', `  - name: ${rule}`, '    select:', `      ${change}`].join('\n');
}
