// `npm run bench`: what the README's performance section says, measured on this machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageService } from '../sandbox/package-service.ts';
import { boundsOf } from './bounds.ts';
import { bundleSize, importTimes, readPackage } from './bundles.ts';
import { measureBursts, measureLineage } from './bursts.ts';
import { DURATIONS, measureCopy } from './copies.ts';
import { measureIdle } from './idle.ts';
import { printResults } from './results.ts';
import { BENCH_RULES } from './service-process.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const say = (line: string) => process.stdout.write(`${line}\n`);
const packageDir = mkdtempSync(join(tmpdir(), 'snapshot-copier-bench-'));

try {
  say('Packaging …');
  await packageService({ rulesFile: BENCH_RULES, packageDir });
  say('Measuring bundles and their import; each function 15 times, beside bare Node …');
  const functions = readPackage(packageDir);
  const imports = new Map(importTimes(functions).map((time) => [time.name, time]));
  const bundles = functions.map(bundleSize).map((size) => {
    const time = imports.get(size.name);
    if (time === undefined) throw new Error(`The import of ${size.name} was not measured.`);
    return { ...size, importMs: time.medianMs, importQuartilesMs: time.quartilesMs };
  });
  say('Copying in virtual time …');
  const copies = [];
  for (const duration of DURATIONS) copies.push(await measureCopy(packageDir, duration));
  say('Copying a backlog, and nothing for a day …');
  const lineage = await measureLineage(packageDir);
  const idle = await measureIdle(packageDir);
  say('Bursts; the largest take minutes each …');
  const bursts = await measureBursts(packageDir, say);
  const results = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    bundles,
    copies,
    bursts: [...bursts],
    lineage: [...lineage],
    idle,
  };
  writeFileSync(here('./results.json'), `${JSON.stringify(results, null, 2)}\n`);
  const broken = boundsOf(results).filter(({ isKept }) => !isKept);
  for (const { what } of broken) say(`Not kept: ${what}`);
  if (broken.length > 0) process.exitCode = 1;
  say(`\n${printResults(results)}\n\nWritten to bench/results.json; \`npm run docs\` takes it into the README.`);
} finally {
  rmSync(packageDir, { recursive: true, force: true });
}
