import { type ChildProcess, spawn } from 'node:child_process';
import type { Sandbox } from './sandbox.ts';

/** What a process did. */
export interface ProcessRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Of the whole process: nothing of this one's is handed down. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory. */
  readonly cwd?: string | undefined;
  readonly stdin?: string;
  /** Told what has come on stdout and stderr, each time that more comes; may kill the process. */
  readonly watch?: (seen: { readonly stdout: string; readonly stderr: string }, child: ChildProcess) => void;
}

/** Real time between two steps of sandbox time. */
const STEP_MS = 50;

/** Runs a program to its end. */
export function runProcess(
  program: string,
  args: readonly string[],
  { env, cwd, stdin = '', watch }: ProcessOptions,
): Promise<ProcessRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env });
    const seen = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        seen[name] += text;
        watch?.(seen, child);
      });
    }
    child.stdin.on('error', () => {
      // It ended without having read all.
    });
    child.stdin.end(stdin);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...seen }));
  });
}

/** What an AWS client needs in its environment to call a sandbox as its home account. */
export function clientEnvironment({ endpoint, home }: Pick<Sandbox, 'endpoint' | 'home'>): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: home.account,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: home.region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Lets sandbox time go on by `seconds` again and again until something has ended. */
export async function passTimeUntil<T>(
  end: Promise<T>,
  { clock, advance }: Pick<Sandbox, 'clock' | 'advance'>,
  seconds: number,
): Promise<T> {
  const ended = { yet: false };
  const watched = end.finally(() => {
    ended.yet = true;
  });
  // Waited for below; until then nobody else may find it rejected and unheard.
  watched.catch(() => {});
  while (!ended.yet) {
    await new Promise<void>((resolve) => {
      clock.afterReal(STEP_MS, resolve);
    });
    await advance(seconds * 1000);
  }
  return watched;
}
