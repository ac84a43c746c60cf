import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCliAlone } from '../../support/cli.ts';
import { type Ended, pythonWithAwsCli } from './real-aws-cli.ts';
import { recordingEc2 } from './recording-ec2.ts';
import { seen } from './seen.ts';
import { CREDENTIALS, writeConfiguration } from './settings-cases.ts';

const COPY = ['--region', 'eu-central-1', '--source-region', 'eu-west-1', '--source-snapshot-id', 'snap-1'];

it
  .skipIf(pythonWithAwsCli() === undefined)
  .each([
    [
      [
        ...COPY,
        '--description',
        '-- é {x} "',
        '--tag-specifications',
        'ResourceType=snapshot,Tags=[{Key=a,Value=b c}]',
      ],
    ],
    [[...COPY, '--query', 'SnapshotId', '--output', 'text', '--no-dry-run']],
    [[...COPY, '--description', 'fail 400 InvalidSnapshot.NotFound The snapshot does not exist.']],
    [['--region', 'eu-central-1', '--source-region', 'eu-west-1']],
    [[...COPY, '--foo', '-x', 'stray']],
  ])('as processes, and over the same endpoint, aws and snapshot-copier do the same with %j', async (args) => {
  const ec2 = await recordingEc2();
  const env = (who: string) => ({
    ...CREDENTIALS,
    AWS_ENDPOINT_URL: `${ec2.endpoint}/${who}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  });
  const [theirs, ours] = await Promise.all([
    aws(['ec2', 'copy-snapshot', ...args], env('theirs')),
    runCliAlone(['copy-snapshot', ...args, '--direct'], { env: env('ours') }),
  ]);
  expect(seen(ours, ec2, 'ours')).toEqual(seen(theirs, ec2, 'theirs'));
});

it('a profile that is named wins over credentials in the environment, without a word', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'copy-snapshot-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ec2 = await recordingEc2();
  const env = { ...CREDENTIALS, ...writeConfiguration(folder), AWS_ENDPOINT_URL: `${ec2.endpoint}/ours` };
  const { code, stderr } = await runCliAlone(['copy-snapshot', ...COPY, '--direct', '--profile', 'dr'], { env });
  expect({ code, stderr, signedBy: ec2.call('ours')?.signedBy }).toEqual({
    code: 0,
    stderr: '',
    signedBy: '222222222222 in eu-central-1',
  });
});

function aws(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile('aws', args, { env: { PATH: process.env['PATH'], ...env } }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
