import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { awsCliInstalled } from '../../support/aws-cli.ts';

const SCRIPT = fileURLToPath(new URL('run_many.py', import.meta.url));
const ended = z.strictObject({ code: z.number().nullable(), stdout: z.string(), stderr: z.string() });

export type Ended = z.infer<typeof ended>;

/** A Python that has version 1 of the AWS command line; says loudly if there is none. */
export function pythonWithAwsCli(): string | undefined {
  if (!awsCliInstalled()) return undefined;
  const found = ['python3', 'python'].find(
    (python) => spawnSync(python, ['-c', 'import awscli.clidriver']).status === 0,
  );
  if (found === undefined)
    console.warn('\n*** SKIPPED: this is no version 1 of the aws command line, so nothing was compared with it ***\n');
  return found;
}

export interface AwsCliCase {
  readonly args: readonly string[];
  /** All of it, but for what Python itself needs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs `aws …` for each case. */
export async function runRealAwsCli(python: string, cases: readonly AwsCliCase[]): Promise<readonly Ended[]> {
  const child = spawn(python, [SCRIPT], {
    env: { PATH: process.env['PATH'], PYTHONUTF8: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(cases.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  return lines.map((line) => ended.parse(JSON.parse(line)));
}
