// `npm run bench`: what the README's performance section says, measured on this machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageService } from '../sandbox/package-service.ts';
import { bundleSize, importTimes, readPackage } from './bundles.ts';
import { DURATIONS, measureCopy } from './copies.ts';
import { printResults } from './results.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const packageDir = mkdtempSync(join(tmpdir(), 'snapshot-copier-bench-'));

try {
  process.stdout.write('Packaging …\n');
  await packageService({ rulesFile: here('./copy-rules.yml'), packageDir });
  process.stdout.write('Measuring bundles and their import; each function 15 times, beside bare Node …\n');
  const functions = readPackage(packageDir);
  const imports = new Map(importTimes(functions).map((time) => [time.name, time]));
  const bundles = functions.map(bundleSize).map((size) => {
    const time = imports.get(size.name);
    if (time === undefined) throw new Error(`The import of ${size.name} was not measured.`);
    return { ...size, importMs: time.medianMs, importQuartilesMs: time.quartilesMs };
  });
  process.stdout.write('Copying in virtual time …\n');
  const copies = [];
  for (const duration of DURATIONS) copies.push(await measureCopy(packageDir, duration));
  const results = { node: process.version, platform: `${process.platform}-${process.arch}`, bundles, copies };
  writeFileSync(here('./results.json'), `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(
    `\n${printResults(results)}\n\nWritten to bench/results.json; \`npm run docs\` takes it into the README.\n`,
  );
} finally {
  rmSync(packageDir, { recursive: true, force: true });
}
