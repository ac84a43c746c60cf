import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORK_DIR } from './work-dir.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

/** `serverless package` failed. The message is what it printed, for people to read as it is. */
class PackagingError extends Error {
  override readonly name = 'PackagingError';
}

/**
 * Packages the service by the real command, without credentials, network or other settings of this machine, and in a
 * service folder of its own: `dist/` and `.serverless/` of the repository belong to those who deploy from it.
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
  const cwd = makeServiceFolder();
  try {
    await new Promise<void>((done, reject) => {
      execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) => {
        if (error === null) done();
        else reject(new PackagingError(`The service could not be packaged.\n${(stdout + stderr).trim()}`));
      });
    });
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** osls wants serverless.yml itself, and no link to it. */
function makeServiceFolder(): string {
  mkdirSync(WORK_DIR, { recursive: true });
  const folder = mkdtempSync(join(WORK_DIR, `service-${process.pid}-`));
  for (const file of ['serverless.yml', 'package.json']) copyFileSync(join(REPOSITORY, file), join(folder, file));
  for (const name of ['packaging', 'statemachines', 'node_modules']) {
    symlinkSync(join(REPOSITORY, name), join(folder, name), 'junction');
  }
  return folder;
}
