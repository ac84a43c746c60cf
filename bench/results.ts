import Table from 'cli-table3';
import * as z from 'zod';

const copy = z.object({
  copyTakesSeconds: z.number(),
  looks: z.number(),
  transitions: z.number(),
  ec2Calls: z.number(),
  noticedLateSeconds: z.number(),
  noticedLateShare: z.number(),
});

const bundle = z.object({
  name: z.string(),
  minifiedKb: z.number(),
  zippedKb: z.number(),
  eagerKb: z.number(),
  importMs: z.number(),
  importQuartilesMs: z.tuple([z.number(), z.number()]).readonly(),
});

const results = z.object({
  node: z.string(),
  platform: z.string(),
  bundles: z.array(bundle),
  copies: z.array(copy),
});

/** What `npm run bench` measured, as bench/results.json has it. */
export type BenchResults = z.infer<typeof results>;
type BundleMeasurement = z.infer<typeof bundle>;

/** @throws ZodError if the text is not what `npm run bench` wrote. */
export function parseResults(text: string): BenchResults {
  return results.parse(JSON.parse(text));
}

const COPY_COLUMNS = ['Copy takes', 'Looks', 'State transitions', 'EC2 calls', 'End noticed late by'];
const BUNDLE_COLUMNS = [
  'Function',
  'Minified',
  'of it at every cold start',
  'Zipped',
  'Import over bare Node [quartiles]',
];

/** The results as tables for a terminal. */
export function printResults({ bundles, copies }: BenchResults): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) => {
    const drawn = new Table({ head: [...head], style: { head: [], border: [] } });
    for (const row of rows) drawn.push([...row]);
    return drawn.toString();
  };
  return [table(COPY_COLUMNS, copies.map(copyRow)), table(BUNDLE_COLUMNS, bundles.map(bundleRow))].join('\n\n');
}

/** The same for the README. */
export function resultsAsMarkdown({ node, platform, bundles, copies }: BenchResults): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return [
    'One copy to one destination, counted in the sandbox in virtual time:',
    table(COPY_COLUMNS, copies.map(copyRow)),
    `The bundles, and how long Node ${node} (${platform}) takes to import each over a Node that imports nothing (median of 15 paired runs; read ratios, not absolutes):`,
    table(BUNDLE_COLUMNS, bundles.map(bundleRow)),
  ].join('\n\n');
}

function copyRow(of: z.infer<typeof copy>): readonly string[] {
  const share = `${(of.noticedLateShare * 100).toFixed(1)} %`;
  return [
    duration(of.copyTakesSeconds),
    String(of.looks),
    String(of.transitions),
    String(of.ec2Calls),
    `${Math.round(of.noticedLateSeconds)} s (${share})`,
  ];
}

function bundleRow(of: BundleMeasurement): readonly string[] {
  const [low, high] = of.importQuartilesMs;
  return [
    of.name,
    `${Math.round(of.minifiedKb)} kB`,
    `${Math.round(of.eagerKb)} kB`,
    `${Math.round(of.zippedKb)} kB`,
    `${Math.round(of.importMs)} ms [${Math.round(low)}–${Math.round(high)}]`,
  ];
}

function duration(seconds: number): string {
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}
