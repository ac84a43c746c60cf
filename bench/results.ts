import Table from 'cli-table3';
import * as z from 'zod';
import { growthOf } from './growth.ts';
import { TRIES_ALLOWED } from './plain-retries.ts';

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

/**
 * One burst into one destination, in one way. `events`: this service, with the destination's events forwarded.
 * `heartbeat`: without them. `trouble`: as `events`, with lost and doubled events, failing calls and killed functions.
 * `plain-retries`: the same burst where each execution tries until EC2 has a slot for it.
 */
export const burstRow = z.object({
  /** Snapshots in the burst. */
  n: z.number(),
  variant: z.enum(['events', 'heartbeat', 'trouble', 'plain-retries']),
  /** How many bursts, from different seeds, the row is of; see bench/pool.ts. One if it does not say. */
  bursts: z.number().optional(),
  /** From the first arrival to the end of the last copy. */
  makespanHours: z.number(),
  /** The same of the ideal FIFO scheduler. */
  idealHours: z.number(),
  makespanRatio: z.number(),
  /** Of the slot time during which a request waited that could have begun: how much of it copied. */
  slotsBusyShare: z.number(),
  /** Snapshots without a good copy at the end. */
  lost: z.number(),
  /** Copies too many. */
  duplicated: z.number(),
  /** The most copies of one volume that ran at once; one is right. */
  sameVolumeAtOnce: z.number(),
  /** Copies that began while the request of an older snapshot waited that could have begun, as far as was known then. */
  outOfOrder: z.number(),
  /** How far the beginning of a copy is from where the ideal scheduler has it, earlier or later: 99 % are nearer. */
  startsApartP99Hours: z.number().optional(),
  /** All of them, with those that EC2 refused for want of a slot and those that it throttled. */
  copySnapshotCalls: z.number(),
  refusedCalls: z.number().optional(),
  throttledCalls: z.number().optional(),
  /** Calls of DescribeSnapshots to count free slots. */
  admissionDescribes: z.number(),
  /** State transitions that were billed for waiting. */
  waitTransitions: z.number(),
  /** For admission: of all functions that decide what begins when, or try to begin. */
  lambdaInvocations: z.number(),
  ledgerReads: z.number().optional(),
  ledgerWrites: z.number().optional(),
  /** Billed duration of Express executions. */
  expressSeconds: z.number().optional(),
  /** US dollars for the admission of 1,000 copies. */
  dollarsPer1000: z.number(),
  /** What the measurement itself took; the memory only where the process did nothing else. */
  wallSeconds: z.number(),
  peakMiB: z.number().optional(),
});

/** The hourly snapshots of one volume, copied as a backlog. */
export const lineageRow = z.object({
  way: z.enum(['in-order', 'this-service', 'by-chance', 'at-once']),
  snapshots: z.number(),
  volumeGiB: z.number(),
  /** Which part of the volume differs from one snapshot to the next. */
  changePerSnapshot: z.number(),
  /** To the destination Region, by EC2's record. */
  gibMoved: z.number(),
  fullCopies: z.number(),
});

/** The service while nothing happens, by the month. */
const idle = z.object({
  perMonth: z.object({
    lambdaInvocations: z.number(),
    ledgerReads: z.number(),
    ledgerWrites: z.number(),
    expressExecutions: z.number(),
    ec2Calls: z.number(),
    logMegabytes: z.number(),
    dollars: z.number(),
  }),
  /** Alarms in the template, which CloudWatch bills each beyond the free ones. */
  alarms: z.number(),
});

const results = z.object({
  node: z.string(),
  platform: z.string(),
  bundles: z.array(bundle),
  copies: z.array(copy),
  bursts: z.array(burstRow).optional(),
  lineage: z.array(lineageRow).optional(),
  idle: idle.optional(),
});

/** What `npm run bench` measured, as bench/results.json has it. */
export type BenchResults = z.infer<typeof results>;
export type BurstRow = z.infer<typeof burstRow>;
export type LineageRow = z.infer<typeof lineageRow>;
export type IdleMeasurement = z.infer<typeof idle>;
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
const SCHEDULE_COLUMNS = [
  'Snapshots',
  'Way',
  'Makespan',
  'ideal',
  'ratio',
  'Slots busy',
  'Lost',
  'Doubled',
  'Of a volume at once',
  'Out of order',
  'p99 from the ideal start',
];
const COST_COLUMNS = [
  'Snapshots',
  'Way',
  'CopySnapshot (refused, throttled)',
  'DescribeSnapshots',
  'Lambda invocations',
  'Ledger reads',
  'writes',
  'Transitions for waiting',
  '$ per 1,000',
  'Measured in',
];
const EXTRAPOLATED_COLUMNS = [
  'Way',
  'Makespan',
  'CopySnapshot',
  'DescribeSnapshots',
  'Lambda invocations',
  'Ledger reads',
  'writes',
  '$ per 1,000',
];
const IDLE_COLUMNS = [
  'Lambda invocations',
  'Ledger reads',
  'writes',
  'Express executions',
  'EC2 calls',
  'Logs',
  '$ a month',
];
const LINEAGE_COLUMNS = ['Way', 'GiB moved', 'of that in order', 'Full copies'];

const WAYS: Readonly<Record<BurstRow['variant'], string>> = {
  events: 'this service, events forwarded',
  heartbeat: 'this service, heartbeat alone',
  trouble: 'this service, in trouble',
  'plain-retries': 'plain retries',
};
const LINEAGE_WAYS: Readonly<Record<LineageRow['way'], string>> = {
  'in-order': 'ideal: one at a time, oldest first',
  'this-service': 'this service',
  'by-chance': 'one at a time, in an order by chance',
  'at-once': 'all at once, with retries',
};

/** The size of the burst that is not measured. */
const EXTRAPOLATED_TO = 100_000;

interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The results as tables for a terminal. */
export function printResults(of: BenchResults): string {
  return sectionsOf(of)
    .map(({ title, columns, rows }) => {
      const drawn = new Table({ head: [...columns], style: { head: [], border: [] } });
      for (const row of rows) drawn.push([...row]);
      return `${title}\n${drawn.toString()}`;
    })
    .join('\n\n');
}

/** The same for the README. */
export function resultsAsMarkdown(of: BenchResults): string {
  return sectionsOf(of)
    .flatMap(({ title, columns, rows }) => [
      title,
      [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ])
    .join('\n\n');
}

function sectionsOf({
  node,
  platform,
  bundles,
  copies,
  bursts = [],
  lineage = [],
  idle,
}: BenchResults): readonly Section[] {
  const sections = [
    {
      title: 'One copy to one destination, counted in the sandbox in virtual time:',
      columns: COPY_COLUMNS,
      rows: copies.map(copyRow),
    },
    {
      title:
        'Bursts into one destination with 20 slots, in virtual time. The ideal gives each free slot without delay to the oldest snapshot; plain retries wait in Step Functions, up to 300 s with full jitter, so that an order by chance decides, which can also be a lucky one:',
      columns: SCHEDULE_COLUMNS,
      rows: bursts.map(scheduleRow),
    },
    {
      title: 'What admission took, per copy; the dollars are of admission alone:',
      columns: COST_COLUMNS,
      rows: bursts.map(costRow),
    },
    {
      title: `Extrapolated to ${whole(EXTRAPOLATED_TO)} snapshots: each total goes on to grow with the power of n that it has between the two largest bursts (in brackets):`,
      columns: EXTRAPOLATED_COLUMNS,
      rows: extrapolatedRows(bursts),
    },
    { title: lineageTitle(lineage), columns: LINEAGE_COLUMNS, rows: lineageRows(lineage) },
    {
      title:
        'A month in which nothing happens, with one destination, from a day in the sandbox; the dollars are list prices without free tiers, with traces, and without alarms and dashboard:',
      columns: IDLE_COLUMNS,
      rows: idle === undefined ? [] : [idleRow(idle)],
    },
    {
      title: `The bundles, and how long Node ${node} (${platform}) takes to import each over a Node that imports nothing (median of 15 paired runs; read ratios, not absolutes):`,
      columns: BUNDLE_COLUMNS,
      rows: bundles.map(bundleRow),
    },
  ];
  return sections.filter(({ rows }) => rows.length > 0);
}

function copyRow(of: z.infer<typeof copy>): readonly string[] {
  return [
    duration(of.copyTakesSeconds),
    String(of.looks),
    String(of.transitions),
    String(of.ec2Calls),
    `${Math.round(of.noticedLateSeconds)} s (${percent(of.noticedLateShare)})`,
  ];
}

function scheduleRow(of: BurstRow): readonly string[] {
  return [
    size(of),
    WAYS[of.variant],
    hours(of.makespanHours),
    hours(of.idealHours),
    of.makespanRatio.toFixed(3),
    percent(of.slotsBusyShare),
    whole(of.lost),
    whole(of.duplicated),
    whole(of.sameVolumeAtOnce),
    whole(of.outOfOrder),
    of.startsApartP99Hours === undefined ? NOTHING : hours(of.startsApartP99Hours),
  ];
}

function size({ n, bursts = 1 }: BurstRow): string {
  return bursts === 1 ? whole(n) : `${whole(n)}, mean of ${bursts}`;
}

function costRow(of: BurstRow): readonly string[] {
  const each = (total: number | undefined) => (total === undefined ? NOTHING : upTo2(total / of.n));
  const { refusedCalls, throttledCalls } = of;
  const inVain =
    refusedCalls === undefined && throttledCalls === undefined
      ? ''
      : ` (${each(refusedCalls)}, ${each(throttledCalls)})`;
  const memory = of.peakMiB === undefined ? '' : `, ${whole(of.peakMiB)} MiB`;
  return [
    size(of),
    WAYS[of.variant],
    `${each(of.copySnapshotCalls)}${inVain}`,
    each(of.admissionDescribes),
    each(of.lambdaInvocations),
    each(of.ledgerReads),
    each(of.ledgerWrites),
    each(of.waitTransitions),
    dollars(of.dollarsPer1000),
    `${upTo2(of.wallSeconds)} s${memory}`,
  ];
}

function extrapolatedRows(bursts: readonly BurstRow[]): readonly (readonly string[])[] {
  return [...new Set(bursts.map(({ variant }) => variant))].flatMap((variant) => {
    const measured = bursts.filter((row) => row.variant === variant);
    if (new Set(measured.map(({ n }) => n)).size < 2) return [];
    const cell = (total: (row: BurstRow) => number | undefined, show: (value: number) => string) => {
      const points = measured.flatMap((row) => {
        const value = total(row);
        return value === undefined ? [] : [{ n: row.n, value }];
      });
      const growth = growthOf(points);
      if (growth === undefined) return NOTHING;
      const value = growth.at(EXTRAPOLATED_TO);
      return value === 0 ? show(0) : `${show(value)} (n^${growth.exponent.toFixed(2)})`;
    };
    const perCopy = (total: number) => upTo2(total / EXTRAPOLATED_TO);
    const calls = growthOf(measured.map((row) => ({ n: row.n, value: row.copySnapshotCalls })));
    const outlives =
      variant !== 'plain-retries' ||
      calls === undefined ||
      calls.at(EXTRAPOLATED_TO) / EXTRAPOLATED_TO <= TRIES_ALLOWED;
    return [
      [
        outlives ? WAYS[variant] : `${WAYS[variant]}; but an execution dies after ${whole(TRIES_ALLOWED)} tries`,
        cell((row) => row.makespanHours, hours),
        cell((row) => row.copySnapshotCalls, perCopy),
        cell((row) => row.admissionDescribes, perCopy),
        cell((row) => row.lambdaInvocations, perCopy),
        cell((row) => row.ledgerReads, perCopy),
        cell((row) => row.ledgerWrites, perCopy),
        cell(
          (row) => (row.dollarsPer1000 * row.n) / 1000,
          (total) => dollars((total / EXTRAPOLATED_TO) * 1000),
        ),
      ],
    ];
  });
}

function lineageTitle([of]: readonly LineageRow[]): string {
  if (of === undefined) return '';
  return `GiB moved for ${of.snapshots} hourly snapshots of one volume of ${of.volumeGiB} GiB, ${percent(of.changePerSnapshot)} of which change each hour, copied as a backlog:`;
}

function lineageRows(lineage: readonly LineageRow[]): readonly (readonly string[])[] {
  const least = lineage.find(({ way }) => way === 'in-order')?.gibMoved;
  return lineage.map((of) => [
    LINEAGE_WAYS[of.way],
    whole(of.gibMoved),
    least === undefined ? NOTHING : `${(of.gibMoved / least).toFixed(2)} ×`,
    `${whole(of.fullCopies)} of ${whole(of.snapshots)}`,
  ]);
}

function idleRow({ perMonth }: IdleMeasurement): readonly string[] {
  return [
    whole(perMonth.lambdaInvocations),
    whole(perMonth.ledgerReads),
    whole(perMonth.ledgerWrites),
    whole(perMonth.expressExecutions),
    whole(perMonth.ec2Calls),
    `${upTo2(perMonth.logMegabytes)} MB`,
    dollars(perMonth.dollars),
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

/** Where there is nothing to say. */
const NOTHING = '–';

function duration(seconds: number): string {
  return seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;
}

function hours(count: number): string {
  return count < 240 ? `${upTo2(count)} h` : `${upTo2(count / 24)} d`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function dollars(amount: number): string {
  return `$${amount < 1 ? amount.toFixed(3) : upTo2(amount)}`;
}

/** Numbers of one thing per another: 0.13, 1.02, 16.5, 1,648. */
function upTo2(count: number): string {
  return count.toLocaleString('en-GB', { maximumFractionDigits: count < 10 ? 2 : count < 100 ? 1 : 0 });
}

function whole(count: number): string {
  return count.toLocaleString('en-GB', { maximumFractionDigits: 0 });
}
