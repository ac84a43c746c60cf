import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packagedService } from '../support/packaged.ts';

const main = fileURLToPath(new URL('../../sandbox/main.ts', import.meta.url));

const TEST_RULES = fileURLToPath(new URL('../support/copy-rules.yml', import.meta.url));

/** Runs `npm run sandbox --` with these options until it ends, or says `ready`. */
function run(...options: readonly string[]) {
  const child = spawn(process.execPath, [main, ...options]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const printed = { out: '', error: '' };
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed.out += String(chunk);
      if (printed.out.includes('curl')) resolve();
    });
  });
  child.stderr.on('data', (chunk) => {
    printed.error += String(chunk);
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, printed, ready: Promise.race([ready, code]), code };
}

describe('npm run sandbox', { timeout: 60_000 }, () => {
  it('says how to use it, and ends on Ctrl-C', async () => {
    const { dir } = await packagedService();
    const { child, printed, ready, code } = run(
      '--port',
      '0',
      '--rules',
      TEST_RULES,
      '--package-dir',
      dir,
      '--speed',
      '99',
      '--companion',
      'companions/destination-region.yml:000000000000:us-east-1:HomeRegion=eu-west-1',
    );
    await ready;
    const endpoint = /ready: (http:\/\/127\.0\.0\.1:\d+), 99 times faster/.exec(printed.out)?.[1];
    expect(printed.out).toContain(`export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=eu-west-1`);
    expect(printed.out).toContain(
      '--topic-arn arn:aws:sns:eu-west-1:000000000000:ebs-snapshot-copier-test-DeadLetterTopic-',
    );
    for (const command of ['status --watch', 'audit', 'retry --all-failed']) {
      expect(printed.out).toContain(`\n  npx snapshot-copier ${command}\n`);
    }
    expect(printed.out).toContain(
      'account 000000000000 has companions/destination-region.yml in us-east-1, stack companion-1',
    );
    expect(printed.out).toContain('made the key alias/dr-copies in us-east-1');
    expect(printed.out).toContain(
      'no such key: arn:aws:kms:us-west-2:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    );
    const help = await fetch(`${endpoint}/_sandbox`);
    expect(await help.text()).toContain('Control of the sandbox');
    child.kill('SIGINT');
    expect(await code).toBe(0);
    expect(printed.error).toBe('');
  });

  it.each([
    ['rules that are not there', ['--rules', 'none.yml'], 'Cannot read the rules file none.yml'],
    ['a port that is none', ['--port', 'abc'], 'It must be a whole number from 0 to 65535.'],
    ['a Region that is none', ['--region', 'europe'], 'It must be a Region of the partition aws'],
    ['an option that is none', ['--fast'], "unknown option '--fast'"],
    ['a companion without an account', ['--companion', 'companions/destination-region.yml:eu-west-1'], 'an account'],
    [
      'a folder without a package',
      ['--rules', TEST_RULES, '--port', '0', '--package-dir', 'none'],
      'There is no none/cloudformation-template',
    ],
  ])('refuses %s in one line, with exit code 2', async (_, options, message) => {
    const { printed, code } = run(...options);
    expect(await code).toBe(2);
    expect(printed.error).toContain(message);
    expect(printed.error.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a port that is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      other.close();
    });
    const address = other.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { printed, code } = run('--port', String(port), '--rules', TEST_RULES);
    expect(await code).toBe(2);
    expect(printed.error).toBe(
      `Port ${port} is in use: stop the other program, or choose another port with --port (0 = any free one).\n`,
    );
  });
});
