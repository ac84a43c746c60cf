import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { awsCliInstalled } from '../support/aws-cli.ts';
import { newWorld, SOURCE_REGION, type World } from './world.ts';

/** Runs text in bash, as somebody who pastes it does. */
async function paste(world: World, text: string): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL: world.sandbox.endpoint,
    AWS_ACCESS_KEY_ID: world.sandbox.home.account,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  };
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', text], { env });
  return stdout;
}

/** The command of an alert that starts the execution again. */
function commandOf(body: string): string {
  const found = /^ *aws stepfunctions start-execution [\s\S]*?--output text\)"$/m.exec(body);
  if (found === null) throw new Error(`No command in:\n${body}`);
  return found[0];
}

describe.skipIf(!awsCliInstalled())('the command of an alert, pasted as it is', () => {
  it('copies when the cause is gone: one good copy, and no second alert', async () => {
    const world = await newWorld();
    const key = world.sandbox.keys.find({ account: '000000000000', region: SOURCE_REGION }, 'alias/dr-copies');
    if (key === undefined) throw new Error('The world has no key.');
    world.sandbox.keys.disable(key);
    const source = await world.snapshot({ Backup: 're-encrypt', Name: `o'hara "quoted" $HOME \`x\`` });
    await world.pass('1 h');
    const [alert] = await world.alerts();
    expect(alert?.attributes['reason']).toBe('KeyNotAccessible');

    world.sandbox.keys.enable(key);
    const started = await paste(world, commandOf(alert?.body ?? ''));
    expect(started).toContain(`${source}-${SOURCE_REGION}-2`);
    await world.pass('1 h');
    expect(world.execution(`${source}-${SOURCE_REGION}-2`).status).toBe('SUCCEEDED');
    expect(world.copies(source)).toMatchObject([
      { state: 'completed', tags: { Name: `o'hara "quoted" $HOME \`x\``, 'snapshot-copier:state': 'copied' } },
    ]);
    expect(await world.alerts()).toHaveLength(1);
  });

  it('adopts a copy that became complete after all, and makes no second one', async () => {
    const world = await newWorld();
    // Tagging is forbidden, so the copy is complete but not marked.
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'CreateTags',
      code: 'UnauthorizedOperation',
      status: 403,
      times: 1,
    });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const [alert] = await world.alerts();
    expect(alert?.attributes['reason']).toBe('NotAllowed');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copying' } }]);

    await paste(world, commandOf(alert?.body ?? ''));
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.calls('CopySnapshot')).toBe(1);
  });
});
