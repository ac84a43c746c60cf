import { randomUUID } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliProblem } from '../cli-problem.ts';

/**
 * Writes a file as a whole or not at all: a reader, or a web server, never sees half of it. What is no plain file, such
 * as a pipe, is written to as it is.
 *
 * @throws CliProblem if it cannot be written
 */
export async function writeReport(path: string, contents: string): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const there = await stat(target).catch(() => undefined);
    if (there !== undefined && !there.isFile()) await writeFile(target, contents);
    else await replace(target, contents, there && there.mode & 0o777);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliProblem(`Cannot write ${path}: ${why}`);
  }
}

/** @param mode of the file that is there: what was private stays private */
async function replace(target: string, contents: string, mode = 0o666): Promise<void> {
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  try {
    await writeFile(beside, contents, { flag: 'wx', mode });
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
