// `npm test`: every check, each of them even if another fails, and one closing line.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import * as z from 'zod';

const RESULTS = ['.sandbox/decisions-results.json', '.sandbox/tests-results.json'] as const;

const checks: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['tsc', '-p', '.']],
  ['format and lint', ['biome', 'check', '--error-on-warnings', '.']],
  ['lint with types', ['oxlint', '--type-aware', '--deny-warnings']],
  ['unused code', ['knip']],
  // These alone call every decision in each of its ways, and are quick: to count that for all others takes minutes.
  [
    'tests of decisions',
    ['vitest', 'run', '--coverage', '--project=core', '--project=replacing', ...report(RESULTS[0])],
  ],
  ['all other tests', ['vitest', 'run', '--project=others', ...report(RESULTS[1])]],
];

function report(file: string): readonly string[] {
  return ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
}

for (const file of RESULTS) rmSync(file, { force: true });
let passed = 0;
let failed = 0;
for (const [name, [command = '', ...args]] of checks) {
  process.stdout.write(`\n=== ${name}: ${[command, ...args].join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (error !== undefined) process.stdout.write(`${command} did not start: ${error.message}\n`);
  if (status === 0) passed += 1;
  else failed += 1;
  process.stdout.write(`=== ${name}: ${status === 0 ? 'passed' : 'FAILED'}\n`);
}

const results = z.object({ numPassedTests: z.number(), numFailedTests: z.number() });
for (const file of RESULTS) {
  try {
    const { numPassedTests, numFailedTests } = results.parse(JSON.parse(readFileSync(file, 'utf8')));
    passed += numPassedTests;
    failed += numFailedTests;
  } catch {
    process.stdout.write(`The tests wrote no results to ${file}.\n`);
  }
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
