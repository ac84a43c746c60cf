import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../../sandbox/demo/main.ts', import.meta.url));

function run(...options: readonly string[]) {
  return spawnSync(process.execPath, [main, ...options], { encoding: 'utf8' });
}

describe('npm run demo', { timeout: 30_000 }, () => {
  it('refuses an option that it does not know, and says which there are', () => {
    const { status, stderr, stdout } = run('--acounts');
    expect(status).toBe(2);
    expect(stderr).toContain("error: unknown option '--acounts'");
    expect(stderr).toContain('--accounts  ');
    expect(stdout).toBe('');
  });

  it('refuses whatever is no option', () => {
    expect(run('accounts')).toMatchObject({ status: 2, stderr: expect.stringContaining('--accounts  ') });
  });

  it('explains itself', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('npm run demo -- [options]') });
  });
});
