import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { markAsUsed } from '../work-dir.ts';
import type { EnvironmentSettings } from './messages.ts';

/**
 * Unpacks a function's deployment package, as Lambda does into /var/task, and answers where. The same package always
 * lies in the same place: it is unpacked once, and what Node compiled of it is found again.
 */
export function unpackBundle(zipFile: string, cacheDir: string): string {
  const zip = readFileSync(zipFile);
  const directory = join(cacheDir, createHash('sha256').update(zip).digest('hex').slice(0, 32));
  if (existsSync(directory)) {
    markAsUsed(directory);
    return directory;
  }
  const unfinished = `${directory}.${process.pid}`;
  for (const [name, data] of Object.entries(unzipSync(zip))) {
    if (name.endsWith('/')) continue;
    const file = join(unfinished, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process was faster.
    rmSync(unfinished, { recursive: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}

/**
 * Finds the module and export that a handler string such as `dist/start-copy/index.handler` names.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 * @throws Error if the unpacked bundle has no such module
 */
export function findHandler(directory: string, handler: string): EnvironmentSettings {
  const dot = handler.lastIndexOf('.');
  const module = handler.slice(0, dot);
  for (const extension of ['.js', '.mjs', '.cjs']) {
    const file = join(directory, module + extension);
    if (existsSync(file)) return { file, handler: handler.slice(dot + 1) };
  }
  throw new Error(`handler ${handler}: the package has no ${module}.js, .mjs or .cjs`);
}
