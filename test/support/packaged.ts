import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageService } from '../../sandbox/package-service.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(repository, '.sandbox/test');

/** The rules that the service is packaged with for tests, if not for one of the shipped ones. */
export const TEST_RULES: string = join(repository, 'test/support/copy-rules.yml');

/** Others, with source accounts that have the companion. */
export const ACROSS_ACCOUNTS_RULES: string = join(repository, 'test/support/across-accounts-rules.yml');

/** Those that come with the repository. */
export const SHIPPED_RULES: string = join(repository, 'copy-rules.yml');

/** All that a package is made of; the lock file stands for node_modules. */
const SOURCES = ['serverless.yml', 'package-lock.json', 'statemachines', 'core', 'aws', 'functions', 'packaging'];

/** What `npx serverless package` wrote. */
export interface PackagedService {
  /** Holds the template and one zip file per function. */
  readonly dir: string;
  readonly template: unknown;
}

/**
 * The service, packaged with `TEST_RULES` by the real command, without credentials. Packaged once for all test files
 * and test runs until something changes that the package is made of; that takes some seconds, so give hooks a minute.
 */
export async function packagedService(stage = 'test', rulesFile = TEST_RULES): Promise<PackagedService> {
  const dir = join(folder, `package-${stage}-${fingerprint(rulesFile)}`);
  if (!existsSync(dir)) await pack(stage, rulesFile, dir);
  const template: unknown = JSON.parse(readFileSync(join(dir, 'cloudformation-template-update-stack.json'), 'utf8'));
  return { dir, template };
}

async function pack(stage: string, rulesFile: string, packageDir: string): Promise<void> {
  forgetOldPackages();
  const unfinished = `${packageDir}.${process.pid}`;
  await packageService({ rulesFile, packageDir: unfinished, stage });
  // Another test file may have been faster.
  if (existsSync(packageDir)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, packageDir);
}

function forgetOldPackages(): void {
  mkdirSync(folder, { recursive: true });
  const yesterday = Date.now() - 86_400_000;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith('package-') && statSync(path).mtimeMs < yesterday)
      rmSync(path, { recursive: true, force: true });
  }
}

function fingerprint(rulesFile: string): string {
  const files = SOURCES.flatMap((source) => {
    const path = join(repository, source);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile())
      .toSorted();
  });
  const hash = createHash('sha256');
  for (const file of [...files, rulesFile]) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}
