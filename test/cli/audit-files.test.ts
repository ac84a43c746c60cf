import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeReport } from '../../cli/audit/write-report.ts';
import { CliProblem } from '../../cli/cli-problem.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'audit-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('a report is written', () => {
  it('in the place of the one before, which stays as private as it was', async () => {
    const folder = newFolder();
    const file = join(folder, 'report.html');
    writeFileSync(file, 'old');
    chmodSync(file, 0o600);
    const before = statSync(file).ino;
    await writeReport(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // Another file: who had the old one open reads that to its end.
    expect(statSync(file).ino).not.toBe(before);
    expect(readdirSync(folder)).toEqual(['report.html']);
  });

  it('where a link leads to, and the link stays', async () => {
    const folder = newFolder();
    const [file, link] = [join(folder, 'report-1.html'), join(folder, 'latest.html')];
    writeFileSync(file, 'old');
    symlinkSync(file, link);
    await writeReport(link, 'new');
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('into what is no file without putting a file in its place', async () => {
    await writeReport('/dev/null', 'gone');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('not at all if that fails, and then nothing is left and the message says why', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'there'));
    const nowhere = join(folder, 'nowhere', 'report.html');
    await expect(writeReport(nowhere, 'x')).rejects.toThrow(CliProblem);
    await expect(writeReport(nowhere, 'x')).rejects.toThrow(`Cannot write ${nowhere}: ENOENT`);
    await expect(writeReport(join(folder, 'there'), 'x')).rejects.toThrow('EISDIR');
    expect(readdirSync(folder)).toEqual(['there']);
  });
});
