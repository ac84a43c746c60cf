import { execFile } from 'node:child_process';
import { mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WORK_DIR } from './work-dir.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const LOCK = join(WORK_DIR, 'packaging.lock');

/** `serverless package` failed. The message is what it printed, for people to read as it is. */
class PackagingError extends Error {
  override readonly name = 'PackagingError';
}

/**
 * Packages the service by the real command, without credentials, network or other settings of this machine. Bundles are
 * made in `dist/`: it waits until no other process that uses this function packages.
 * @param options.packageDir what was there is deleted
 * @throws PackagingError
 */
export async function packageService(options: {
  readonly rulesFile: string;
  readonly packageDir: string;
  readonly region?: string;
  readonly stage?: string;
}): Promise<void> {
  const { rulesFile, packageDir, region = 'eu-west-1', stage = 'dev' } = options;
  rmSync(packageDir, { recursive: true, force: true });
  const command = join(REPOSITORY, 'node_modules/serverless/bin/serverless.js');
  const args = [command, 'package', '--package', resolve(packageDir), '--region', region, '--stage', stage];
  const env = {
    // The Node that runs this comes first: plugins run TypeScript.
    PATH: [dirname(process.execPath), process.env['PATH']].join(process.platform === 'win32' ? ';' : ':'),
    HOME: dirname(resolve(packageDir)),
    COPY_RULES: resolve(rulesFile),
  };
  await alone(
    () =>
      new Promise<void>((done, reject) => {
        execFile(process.execPath, args, { cwd: REPOSITORY, env }, (error, stdout, stderr) => {
          if (error === null) done();
          else reject(new PackagingError(`The service could not be packaged.\n${(stdout + stderr).trim()}`));
        });
      }),
  );
}

async function alone(work: () => Promise<void>): Promise<void> {
  mkdirSync(WORK_DIR, { recursive: true });
  while (!take()) await setTimeout(100);
  try {
    await work();
  } finally {
    rmdirSync(LOCK);
  }
}

/** Making a folder is something that only one of several processes can do. */
function take(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    const takenAt = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    // Packaging takes some seconds: this one was left over from a process that was killed.
    if (Date.now() - takenAt > 120_000) rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}
