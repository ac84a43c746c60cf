import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { markAsUsed, removeLeftOvers, WORK_DIR } from '../../sandbox/work-dir.ts';
import { fixtureSandbox } from './fixture-package.ts';

function folderWith(...files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'work-dir-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

function makeOld(path: string, hours = 25): void {
  const longAgo = Date.now() / 1000 - hours * 3600;
  utimesSync(path, longAgo, longAgo);
}

function deadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

it('what nobody used for a day goes, and nothing else', () => {
  const folder = folderWith(
    'functions/old/index.mjs',
    'functions/new/index.mjs',
    'functions/old-but-used/index.mjs',
    'compiled/v24/old',
    'compiled/v24/new',
    'test/old/index.mjs',
  );
  for (const path of ['functions/old', 'functions/old-but-used', 'compiled/v24/old', 'test/old'])
    makeOld(join(folder, path));
  markAsUsed(join(folder, 'functions/old-but-used'));
  removeLeftOvers(folder);
  expect(readdirSync(join(folder, 'functions')).toSorted()).toEqual(['new', 'old-but-used']);
  expect(readdirSync(join(folder, 'compiled/v24'))).toEqual(['new']);
  expect(existsSync(join(folder, 'test/old/index.mjs'))).toBe(true);
});

it.each([
  ['package', ''],
  ['service folder', '-abc'],
])('the %s of a process that is over goes, that of a living one stays', (what, suffix) => {
  const name = what.split(' ')[0];
  const over = `${name}-${deadProcess()}${suffix}`;
  const living = `${name}-${process.pid}${suffix}`;
  const folder = folderWith(`${over}/template.json`, `${living}/template.json`);
  removeLeftOvers(folder);
  expect(readdirSync(folder)).toEqual([living]);
});

it('there need not be a work folder', () => {
  removeLeftOvers(join(tmpdir(), 'no-such-folder'));
});

it('a sandbox that starts clears up, and its own bundles count as used by the real time', async () => {
  const leftOver = join(WORK_DIR, `package-${deadProcess()}`);
  mkdirSync(leftOver, { recursive: true });
  await expect(startSandbox({ packageDir: '/nonexistent', time: { mode: 'jumping' } })).rejects.toThrow();
  expect(existsSync(leftOver)).toBe(false);

  const service = { functions: { it: { code: 'export const handler = async () => "used again";' } } };
  const first = await fixtureSandbox(service);
  const bundle = dirname(dirname(dirname(first.lambda.resolve('fixture-dev-it').config.code.file)));
  await first.stop();
  makeOld(bundle, 23);
  const second = await fixtureSandbox(service, { start: new Date('2000-01-01T00:00:00Z') });
  await second.stop();
  expect(Date.now() - statSync(bundle).mtimeMs).toBeLessThan(3_600_000);
});
