import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A sandbox in a process of its own, as `npm run sandbox` starts it. */
export interface SandboxProcess {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/**
 * Packages the service with these rules and starts it in the sandbox; answers when that says `ready`.
 *
 * @throws Error with all that the sandbox printed, if it ends before it is ready.
 */
export async function startSandboxProcess(
  rulesFile: string,
  { speed, shareDelaySeconds = 0 }: { readonly speed: number; readonly shareDelaySeconds?: number },
): Promise<SandboxProcess> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const settings = ['--port', '0', '--speed', String(speed), '--share-delay', String(shareDelaySeconds)];
  const args = [main, '--rules', rulesFile, ...settings];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill());
  // A signal ends a process without `exit`, and would leave the sandbox running.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  let printed = '';
  const endpoint = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      const ready = /\bready\b/.test(printed) ? /http:\/\/127\.0\.0\.1:\d+/.exec(printed) : null;
      if (ready !== null) resolve(ready[0]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`The sandbox did not start.\n${printed}`)));
  });

  return {
    endpoint,
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}
