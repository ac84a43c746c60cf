import { DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { fixtureSandbox } from './fixture-package.ts';

const SECOND = 1000;

function client({ endpoint }: Sandbox, requestHandler = {}): EC2Client {
  const credentials = { accessKeyId: '111122223333', secretAccessKey: 'none' };
  return new EC2Client({ endpoint, region: 'eu-west-1', maxAttempts: 1, credentials, requestHandler });
}

/** Sends a call, and answers when EC2 has it, with the one word that says how it ended so far. */
async function hanging(sandbox: Sandbox, ec2: EC2Client): Promise<{ readonly ended: () => string }> {
  const before = sandbox.ec2.calls.length;
  let ended = 'not yet';
  ec2.send(new DescribeVolumesCommand({})).then(
    () => {
      ended = 'answered';
    },
    (error: unknown) => {
      ended = error instanceof Error ? error.name : 'failed';
    },
  );
  await expect.poll(() => sandbox.ec2.calls.length).toBe(before + 1);
  return { ended: () => ended };
}

it('a call that hangs over HTTP lets sandbox time pass, until the client has waited long enough', async () => {
  const sandbox = await fixtureSandbox({});
  sandbox.ec2.faults.add({ kind: 'hang', action: 'DescribeVolumes' });
  const impatient = client(sandbox, { requestTimeout: 8 * SECOND, throwOnRequestTimeout: true });
  const { ended } = await hanging(sandbox, impatient);
  await sandbox.advance(7 * SECOND);
  expect(ended()).toBe('not yet');
  await sandbox.advance(2 * SECOND);
  await expect.poll(ended).toBe('TimeoutError');
  expect((await impatient.send(new DescribeVolumesCommand({}))).Volumes ?? []).toEqual([]);
});

it('the end of the sandbox ends a call that hangs', async () => {
  const sandbox = await fixtureSandbox({});
  sandbox.ec2.faults.add({ kind: 'hang' });
  const { ended } = await hanging(sandbox, client(sandbox));
  await sandbox.advance(24 * 3600 * SECOND);
  expect(ended()).toBe('not yet');
  await sandbox.stop();
  await expect.poll(ended).not.toBe('not yet');
  expect(ended()).not.toBe('answered');
});
