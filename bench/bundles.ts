import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { unzipSync } from 'fflate';
import { parseSync } from 'rolldown/utils';

/** One function of a package, unzipped: its files by their paths in the zip file. */
export interface PackagedFunction {
  /** As in serverless.yml. */
  readonly name: string;
  /** The zip file as it is uploaded. */
  readonly zipBytes: number;
  readonly files: ReadonlyMap<string, string>;
}

/** Sizes of what Lambda gets of one function, in kB of 1,000 bytes. */
export interface BundleSize {
  readonly name: string;
  /** All JavaScript. Source maps are not packaged. */
  readonly minifiedKb: number;
  /** The zip file. */
  readonly zippedKb: number;
  /** The JavaScript that is loaded at each cold start: index.mjs and all that static imports lead to. */
  readonly eagerKb: number;
}

/** How long the import of one function takes in a fresh Node, in milliseconds over a Node that imports nothing. */
export interface ImportTime {
  readonly name: string;
  readonly medianMs: number;
  readonly quartilesMs: readonly [number, number];
}

/** The functions in the folder that `serverless package` wrote, sorted by name. */
export function readPackage(dir: string): readonly PackagedFunction[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.zip'))
    .toSorted()
    .map((file) => {
      const zip = join(dir, file);
      const files = Object.entries(unzipSync(readFileSync(zip))).filter(([path]) => !path.endsWith('/'));
      return {
        name: file.slice(0, -'.zip'.length),
        zipBytes: statSync(zip).size,
        files: new Map(files.map(([path, data]) => [path, Buffer.from(data).toString('utf8')])),
      };
    });
}

export function bundleSize({ name, zipBytes, files }: PackagedFunction): BundleSize {
  const modules = [...files.keys()].filter((path) => path.endsWith('.mjs'));
  const bytes = (paths: Iterable<string>) =>
    [...paths].reduce((sum, path) => sum + Buffer.byteLength(files.get(path) ?? ''), 0);
  return {
    name,
    minifiedKb: bytes(modules) / 1000,
    zippedKb: zipBytes / 1000,
    eagerKb: bytes(eagerModules(files)) / 1000,
  };
}

/** The modules that static imports lead to from index.mjs. */
export function eagerModules(files: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (path: string): void => {
    const code = files.get(path);
    if (code === undefined || found.has(path)) return;
    found.add(path);
    for (const specifier of importsOf(code).fixed)
      if (specifier.startsWith('.')) follow(join(dirname(path), specifier));
  };
  follow(entryOf(files));
  return found;
}

/** What a module imports: always (`fixed`), and when it comes to it (`later`, by `import()`). */
export function importsOf(code: string): { readonly fixed: readonly string[]; readonly later: readonly string[] } {
  const { staticImports, staticExports, dynamicImports } = parseSync('module.mjs', code).module;
  const exported = staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? []));
  return {
    fixed: [...staticImports.map(({ moduleRequest }) => moduleRequest), ...exported].map(({ value }) => value),
    // Only where these stand is known: with their quotes, or the backticks that a minifier writes.
    later: dynamicImports.map(({ moduleRequest: { start, end } }) => code.slice(start + 1, end - 1)),
  };
}

function entryOf(files: ReadonlyMap<string, string>): string {
  const entry = [...files.keys()].find((path) => path.endsWith('/index.mjs'));
  if (entry === undefined) throw new Error('The package of a function has no index.mjs');
  return entry;
}

/**
 * Import times over bare Node, of all functions side by side: in each round every function once, in random order, next
 * to a run of bare Node, each in a process of its own with an environment like Lambda's. The median of all rounds.
 */
export function importTimes(functions: readonly PackagedFunction[], rounds = 15): readonly ImportTime[] {
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
  try {
    const bare = join(folder, 'bare.mjs');
    writeFileSync(bare, '');
    const modules = functions.map((of) => {
      const over: number[] = [];
      return { name: of.name, entry: unpack(of, join(folder, of.name)), over };
    });
    for (let round = 0; round < rounds; round++) {
      for (const { entry, over } of shuffled(modules)) {
        const [first, second] = shuffled([bare, entry]);
        const times = new Map([first, second].flatMap((file) => (file === undefined ? [] : [[file, run(file)]])));
        over.push((times.get(entry) ?? Number.NaN) - (times.get(bare) ?? Number.NaN));
      }
    }
    return modules.map(({ name, over }) => ({
      name,
      medianMs: quantile(over, 0.5),
      quartilesMs: [quantile(over, 0.25), quantile(over, 0.75)],
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns the path of index.mjs */
export function unpack({ files }: PackagedFunction, folder: string): string {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return join(folder, entryOf(files));
}

/** What a function finds in its environment on Lambda, as far as its import looks at it. */
export const LAMBDA_ENVIRONMENT: Readonly<Record<string, string>> = {
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: 'ebs-snapshot-copier-bench',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_SESSION_TOKEN: 'none',
  TZ: ':UTC',
  INSTALL_NAME: 'ebs-snapshot-copier-bench',
  ACCOUNT_ID: '111122223333',
  POWERTOOLS_SERVICE_NAME: 'ebs-snapshot-copier-bench',
  POWERTOOLS_LOG_LEVEL: 'INFO',
  STATE_MACHINE_ARN: 'arn:aws:states:eu-west-1:111122223333:stateMachine:bench',
  ADMISSION_MACHINE_ARN: 'arn:aws:states:eu-west-1:111122223333:stateMachine:bench-admission',
  LEDGER_TABLE: 'bench-LedgerTable-1ABCDEFGHIJKL',
  KEEP_REQUESTS_DAYS: '90',
  LOOKBACK_HOURS: '24',
  SOURCE_EXTERNAL_ID: 'ebs-snapshot-copier-bench',
  DEAD_LETTER_TOPIC_ARN: 'arn:aws:sns:eu-west-1:111122223333:bench',
  COPIER_ROLE_ARN: 'arn:aws:iam::111122223333:role/bench',
};

/** @returns milliseconds from the start of the process to its end */
function run(file: string): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [file], { env: LAMBDA_ENVIRONMENT, encoding: 'utf8' });
  const took = performance.now() - begun;
  if (status !== 0) throw new Error(`${file} did not load:\n${stderr}`);
  return took;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
