import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  clientEnvironment,
  type ProcessOptions,
  type ProcessRun,
  passTimeUntil,
  runProcess,
} from '../../sandbox/client-process.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

const COMMAND = fileURLToPath(new URL('../../cli/snapshot-copier.mjs', import.meta.url));

interface CliOptions extends Omit<ProcessOptions, 'env'> {
  readonly env?: Readonly<Record<string, string>>;
  /** Sandbox time that passes, again and again, while the process runs; without it time stands still. */
  readonly pumpSeconds?: number;
}

/** Runs `snapshot-copier …` as a process of its own, in the home account and Region of a sandbox. */
export function runCli(
  sandbox: Pick<Sandbox, 'endpoint' | 'home' | 'clock' | 'advance'>,
  args: readonly string[],
  { pumpSeconds, env, ...options }: CliOptions = {},
): Promise<ProcessRun> {
  const run = runCliAlone(args, { ...options, env: { ...clientEnvironment(sandbox), ...env } });
  return pumpSeconds === undefined ? run : passTimeUntil(run, sandbox, pumpSeconds);
}

/** The command without any AWS: for what needs neither credentials nor network. */
export function runCliAlone(
  args: readonly string[],
  { env, ...options }: Omit<CliOptions, 'pumpSeconds'> = {},
): Promise<ProcessRun> {
  const plain = {
    // Nothing of this machine or its user but where programs are.
    PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
    HOME: '/nonexistent',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_COLOR: '1',
  };
  return runProcess(process.execPath, [COMMAND, ...args], { ...options, env: { ...plain, ...env } });
}
