import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import type { EnvironmentSettings } from './messages.ts';

/** Unpacks a function's deployment package, as Lambda does into /var/task. */
export function unpackBundle(zipFile: string, directory: string): void {
  for (const [name, data] of Object.entries(unzipSync(readFileSync(zipFile)))) {
    if (name.endsWith('/')) continue;
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
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
