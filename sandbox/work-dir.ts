import { readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the sandbox's own files. Everything in it can be deleted at any time when no sandbox runs. */
export const WORK_DIR: string = fileURLToPath(new URL('../.sandbox', import.meta.url));

/** Where the bundles of functions lie, unpacked; in folders that sandboxes share, so none removes them when it stops. */
export function functionsIn(workDir: string): string {
  return join(workDir, 'functions');
}

/** What Node compiled of the bundles. */
export function compiledIn(workDir: string): string {
  return join(workDir, 'compiled');
}

const DAY_MS = 86_400_000;

/** Milliseconds since 1970, whatever clock is installed in this process. */
function realNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Says that what lies there is in use, so that it is not removed within a day. */
export function markAsUsed(path: string): void {
  const now = realNow() / 1000;
  utimesSync(path, now, now);
}

/** Removes packages and service folders of processes that are over, and bundles and compiled code that are a day old or were not used for one. */
export function removeLeftOvers(workDir: string): void {
  for (const { name, path } of entriesOf(workDir)) {
    const pid = /^(?:package|service)-(\d+)\b/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(path, { recursive: true, force: true });
  }
  const compiled = entriesOf(compiledIn(workDir)).flatMap(({ path }) => entriesOf(path));
  const yesterday = realNow() - DAY_MS;
  for (const { path } of [...entriesOf(functionsIn(workDir)), ...compiled]) {
    const usedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (usedAt !== undefined && usedAt < yesterday) removeWhole(path);
  }
}

/** Nobody may find half of it. */
function removeWhole(path: string): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
  } catch {
    // Another process removes it.
    return;
  }
  rmSync(aside, { recursive: true, force: true });
}

function entriesOf(folder: string): { readonly name: string; readonly path: string }[] {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? readdirSync(folder).map((name) => ({ name, path: join(folder, name) })) : [];
}

/** Whether there is a process with that id. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, of somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
