import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(repository, '.sandbox/test');
const lock = join(folder, 'packaging.lock');

/** The rules that the service is packaged with for tests. */
export const TEST_RULES = join(repository, 'test/support/copy-rules.yml');

/** All that a package is made of; the lock file stands for node_modules. */
const SOURCES = ['serverless.yml', 'package-lock.json', 'statemachines', 'core', 'aws', 'functions', 'packaging'];

/** What `npx serverless package` wrote. */
export interface PackagedService {
  /** Holds the template and one zip file per function. */
  readonly dir: string;
  readonly template: unknown;
  /** Names in serverless.yml. */
  readonly functionNames: readonly string[];
  /** The size of a function's zip file in bytes. */
  zipSize(functionName: string): number;
  /** The files in a function's zip file, by their names without folders. */
  filesOf(functionName: string): ReadonlyMap<string, string>;
}

/**
 * The service, packaged with `TEST_RULES` by the real command, without credentials. Packaged once for all test files
 * and test runs until something changes that the package is made of; that takes some seconds, so give hooks a minute.
 */
export async function packagedService(stage = 'test'): Promise<PackagedService> {
  const dir = join(folder, `package-${stage}-${fingerprint()}`);
  if (!existsSync(dir)) {
    await alone(async () => {
      if (!existsSync(dir)) await pack(stage, dir);
    });
  }
  return packageIn(dir);
}

function packageIn(dir: string): PackagedService {
  const template: unknown = JSON.parse(readFileSync(join(dir, 'cloudformation-template-update-stack.json'), 'utf8'));
  return {
    dir,
    template,
    functionNames: readdirSync(dir).flatMap((file) => (file.endsWith('.zip') ? [file.slice(0, -4)] : [])),
    zipSize: (name) => statSync(join(dir, `${name}.zip`)).size,
    filesOf(name) {
      const files = unzipSync(readFileSync(join(dir, `${name}.zip`)));
      return new Map(
        Object.entries(files).map(([path, data]) => [path.split('/').at(-1) ?? '', Buffer.from(data).toString('utf8')]),
      );
    },
  };
}

async function pack(stage: string, dir: string): Promise<void> {
  const unfinished = `${dir}.unfinished`;
  const serverless = join(repository, 'node_modules/serverless/bin/serverless.js');
  // Nothing of the environment but what the command needs: no credentials, no Region, no settings of this machine.
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder, COPY_RULES: TEST_RULES };
  await promisify(execFile)(process.execPath, [serverless, 'package', '--stage', stage, '--package', unfinished], {
    cwd: repository,
    env,
  });
  renameSync(unfinished, dir);
}

function fingerprint(): string {
  const files = SOURCES.flatMap((source) => {
    const path = join(repository, source);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile())
      .toSorted();
  });
  const hash = createHash('sha256');
  for (const file of [...files, TEST_RULES]) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Test files run side by side, and packaging has one folder for bundles: dist/. */
async function alone(work: () => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  while (!taken()) await setTimeout(100);
  try {
    await work();
  } finally {
    rmdirSync(lock);
  }
}

function taken(): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    // Left over from a run that was killed.
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 120_000) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}
