import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { BURST_VARIANTS, type BurstReport, burstReport } from './burst-report.ts';
import { type LineageRow, lineageRow } from './results.ts';
import { troubleSchema } from './trouble.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** The rules that the service is packaged with. */
export const BENCH_RULES: string = here('./copy-rules.yml');

const task = z.discriminatedUnion('what', [
  z.strictObject({
    what: z.literal('burst'),
    packageDir: z.string(),
    n: z.int().min(1),
    variant: z.enum(BURST_VARIANTS),
    seed: z.int().default(1),
    /** Whether older snapshots may arrive after younger ones. */
    arrivesOutOfOrder: z.boolean().default(false),
    /** Of the variant `trouble`: more or less of something. */
    trouble: troubleSchema.prefault({}),
  }),
  z.strictObject({ what: z.literal('backlog'), packageDir: z.string() }),
]);

type Task = z.output<typeof task>;
type Asked<What extends Task['what']> = Omit<Extract<z.input<typeof task>, { what: What }>, 'what'>;

/** @throws ZodError */
export function parseTask(text: string): Task {
  return task.parse(JSON.parse(text));
}

/** Runs a burst through the service that was packaged with `BENCH_RULES`. */
export async function measureBurst(burst: Asked<'burst'>): Promise<BurstReport> {
  return burstReport.parse(await run({ what: 'burst', ...burst }));
}

/** Has that service copy the backlog of bench/lineage.ts. */
export async function measureBacklog(backlog: Asked<'backlog'>): Promise<LineageRow> {
  return lineageRow.parse(await run({ what: 'backlog', ...backlog }));
}

/** In a process of its own: a sandbox takes all of one, and peak memory is that of a process. */
async function run(asked: z.input<typeof task>): Promise<unknown> {
  // The interpreter of state machines throws an error for every path that it reads; their stacks take a tenth of the time.
  const args = ['--stack-trace-limit=0', here('./run-service.ts'), JSON.stringify(asked)];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 2 ** 24 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
  return JSON.parse(output);
}
