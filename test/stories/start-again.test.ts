import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { awsCliInstalled } from '../support/aws-cli.ts';
import { LedgerView } from './ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, type World } from './world.ts';

/** Runs text in bash, as somebody who pastes it does. */
async function paste(world: World, text: string, cwd?: string): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    AWS_ENDPOINT_URL: world.sandbox.endpoint,
    AWS_ACCESS_KEY_ID: world.sandbox.home.account,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  };
  // What Node gives as standard output is a socket, and no terminal nor pipe, and that cannot be opened by name.
  const piped = `{ ${text}\n} | cat`;
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', piped], { env, cwd });
  return stdout;
}

/** The command of an alert that puts the request into the queue again. */
function commandOf(body: string): string {
  const found = /^ *aws stepfunctions describe-execution [^|]*\| aws lambda invoke [\s\S]*?\/dev\/stdout$/m.exec(body);
  if (found === null) throw new Error(`No command in:\n${body}`);
  return found[0];
}

/** What requestCopy answered, of what the aws command line printed: first the answer, then something of its own. */
function answerIn(printed: string): unknown {
  return JSON.parse(printed.slice(0, printed.indexOf('}') + 1));
}

function keyOf(world: World) {
  const key = world.sandbox.keys.find({ account: '000000000000', region: SOURCE_REGION }, 'alias/dr-copies');
  if (key === undefined) throw new Error('The world has no key.');
  return key;
}

describe.skipIf(!awsCliInstalled())('the command of an alert, pasted as it is', () => {
  it('copies when the cause is gone: one good copy, and no second alert', async () => {
    const world = await newWorld();
    const key = keyOf(world);
    world.sandbox.keys.disable(key);
    const source = await world.snapshot({ Backup: 're-encrypt', Name: `o'hara "quoted" $HOME \`x\`` });
    await world.pass('1 h');
    const [alert] = await world.alerts();
    expect(alert?.attributes['reason']).toBe('KeyNotAccessible');

    world.sandbox.keys.enable(key);
    const answer = answerIn(await paste(world, commandOf(alert?.body ?? '')));
    expect(answer).toMatchObject({ accepted: true, status: 'waiting', reason: expect.stringContaining('by hand') });
    // A second one, from somebody else who read the alert, changes nothing.
    expect(answerIn(await paste(world, commandOf(alert?.body ?? '')))).toMatchObject({ accepted: false });
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
    expect(await new LedgerView(world).request(source, SOURCE_REGION)).toMatchObject({
      status: 'copied',
      attempt: 2,
      copyId: world.copies(source)[0]?.snapshotId,
    });
  });

  it('copies with what was changed in between, where the alert says how', async () => {
    const world = await newWorld();
    world.sandbox.keys.disable(keyOf(world));
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const [alert] = await world.alerts();
    const other = world.key(SOURCE_REGION, 'alias/other');
    const folder = mkdtempSync(join(tmpdir(), 'start-again-'));
    try {
      const [save = '', start = ''] =
        alert?.body.match(/^ *aws [^|\n]*\\\n(?:.*\\\n)*.*copy-request\.json.*$/gm)?.map((command) => command.trim()) ??
        [];
      await paste(world, save, folder);
      const file = join(folder, 'copy-request.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('alias/dr-copies', 'alias/other'));
      expect(answerIn(await paste(world, start, folder))).toMatchObject({ accepted: true });
    } finally {
      rmSync(folder, { recursive: true });
    }
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', kmsKeyArn: other }]);
    expect(await world.alerts()).toHaveLength(1);
  });

  it('rehearses again after a dry run that failed: no queue knows of it', async () => {
    const world = await newWorld();
    const forbidden = { kind: 'error', action: 'CopySnapshot', code: 'UnauthorizedOperation', status: 403 };
    world.sandbox.ec2.faults.add(forbidden);
    const source = await world.snapshot({ Backup: 'dry-run' });
    await world.pass('10 min');
    const [alert] = await world.alerts();
    const command = /^ *aws stepfunctions start-execution [\s\S]*?--output text\)"$/m.exec(alert?.body ?? '');
    expect(await paste(world, command?.[0] ?? '')).toContain(`${source}-${FRANKFURT}-0-2`);
    await world.pass('10 min');
    expect(world.execution(`${source}-${FRANKFURT}-0-2`)).toMatchObject({
      status: 'SUCCEEDED',
      output: expect.stringContaining('EC2 would allow the copy'),
    });
    expect(await new LedgerView(world).requests()).toEqual([]);
    expect(await world.alerts()).toHaveLength(1);
  });
});

describe('a copy that goes on after somebody stopped its execution', () => {
  it('is adopted when it is started again, and not made a second time', async () => {
    const world = await newWorld({ copyTakes: '1 h' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('5 min');
    const name = `${source}-${SOURCE_REGION}-1`;
    await world.stop(name);
    await world.pass('1 min');
    await world.startAgain(name);
    await world.pass('2 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.calls('CopySnapshot')).toBe(1);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
    expect(await world.reasons()).toEqual(['Aborted']);
  });
});

describe('an execution that somebody starts by hand', () => {
  it('under the next name is followed by the ledger, copies once, and leaves nothing to start again', async () => {
    const world = await newWorld({ copyTakes: '30 min' });
    const ledger = new LedgerView(world);
    world.sandbox.keys.disable(keyOf(world));
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const { input } = world.execution(`${source}-${SOURCE_REGION}-1`);
    expect(await ledger.request(source, SOURCE_REGION)).toMatchObject({ status: 'failed', attempt: 1 });

    world.sandbox.keys.enable(keyOf(world));
    const name = `${source}-${SOURCE_REGION}-2`;
    await world.startByHand(name, input);
    await world.pass('1 min');
    const [copy] = world.copies(source);
    const byHand = { attempt: 2, execution: name, copyId: copy?.snapshotId };
    expect(await ledger.request(source, SOURCE_REGION)).toMatchObject({ status: 'running', ...byHand });
    expect(await world.requestCopy(input)).toMatchObject({ accepted: false, status: 'running' });

    await world.pass('1 h');
    expect(await ledger.request(source, SOURCE_REGION)).toMatchObject({ status: 'copied', ...byHand });
    expect(await world.requestCopy(input)).toMatchObject({ accepted: false, status: 'copied' });
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.executions()).toHaveLength(2);
    expect(await world.alerts()).toHaveLength(1);
  });

  it('while another execution makes the same copy adopts it, and both end well', async () => {
    const world = await newWorld({ copyTakes: '30 min' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const first = `${source}-${SOURCE_REGION}-1`;
    await world.startByHand(`${source}-${SOURCE_REGION}-2`, world.execution(first).input);
    await world.pass('2 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.calls('CopySnapshot')).toBe(1);
    expect(world.executions().map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
  });

  it('under a name of its own copies once as well', async () => {
    const world = await newWorld();
    world.sandbox.keys.disable(keyOf(world));
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    world.sandbox.keys.enable(keyOf(world));
    const { input } = world.execution(`${source}-${SOURCE_REGION}-1`);
    await world.startByHand('by-hand', input);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await new LedgerView(world).request(source, SOURCE_REGION)).toMatchObject({
      status: 'copied',
      execution: 'by-hand',
      copyId: world.copies(source)[0]?.snapshotId,
    });
    expect(await world.requestCopy(input)).toMatchObject({ accepted: false, status: 'copied' });
  });

  it('under a name of its own waits in the queue, where EC2 has no slot for it: no execution ends green for nothing', async () => {
    const world = await newWorld();
    world.sandbox.keys.disable(keyOf(world));
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    world.sandbox.keys.enable(keyOf(world));
    const full = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400 };
    world.sandbox.ec2.faults.add(full);
    await world.startByHand('by-hand', world.execution(`${source}-${SOURCE_REGION}-1`).input);
    await world.pass('1 h');
    expect(world.execution('by-hand').status).toBe('SUCCEEDED');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
  });
});
