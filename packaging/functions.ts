import { readdirSync } from 'node:fs';

/** The files of functions/ that are Lambda functions; the others are what those share. */
const SHARED = new Set(['install-settings', 'packaged-rules', 'settings', 'settle', 'shell']);

/** Names of the Lambda functions' files, without `.ts`: also their folders in dist/. */
export function functionFiles(): readonly string[] {
  return readdirSync(new URL('../functions/', import.meta.url))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !SHARED.has(name))
    .toSorted();
}
