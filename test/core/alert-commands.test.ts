import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAlert } from '../../core/alert.ts';
import { EXAMPLES, failed, INSTALL, request } from './alert-examples.ts';

/** Commands of a text: from a line that begins with one, to the first line that bash would not continue. */
function commandsIn(text: string): readonly string[] {
  const commands: string[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    if (open) commands.push(`${commands.pop()}\n${line}`);
    else if (/^ +(aws |npx |for region in |printf |copy=)/.test(line)) commands.push(line);
    else continue;
    open = line.endsWith('\\');
  }
  return commands;
}

/** The aws command line, and npx, as far as it writes down what it was asked, repeats the input of an execution and sends payloads. */
const AWS = `#!/bin/bash
printf '%s\\n' "$@" -- > "$CALLS.$$"
cat "$CALLS.$$" >> "$CALLS" # at once, as two commands of a pipe run side by side
while [ $# -gt 0 ]; do
  case "$1" in
    describe-execution) cat "$INPUT"; exit ;;
    --payload) cat "\${2#fileb://}" > "$PAYLOAD" ;;
  esac
  shift
done
echo ok
`;

const INPUT = JSON.stringify({ rule: "it's", source: { tags: { Name: 'a "b" $c `d` \\e' } }, note: 'two  blanks' });

/** Without the files that bash reads at its start, and without a terminal. */
function bash(script: string, options: ExecFileSyncOptions = {}): void {
  execFileSync('bash', ['--norc', '-e', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

const hasBash = spawnSync('bash', ['--version']).status === 0;

describe.skipIf(!hasBash)('a command of an alert, pasted into bash', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alert-'));
    writeFileSync(join(folder, 'aws'), AWS);
    chmodSync(join(folder, 'aws'), 0o755);
    symlinkSync(join(folder, 'aws'), join(folder, 'npx'));
    writeFileSync(join(folder, 'input'), INPUT);
    writeFileSync(join(folder, 'calls'), '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What `aws` was asked for, word by word. */
  function paste(command: string): readonly (readonly string[])[] {
    const env = {
      PATH: `${folder}:${process.env['PATH']}`,
      CALLS: join(folder, 'calls'),
      INPUT: join(folder, 'input'),
      PAYLOAD: join(folder, 'payload'),
      EDITOR: 'true',
    };
    bash(command, { cwd: folder, env });
    const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n--\n');
    return calls.slice(0, -1).map((call) => call.split('\n'));
  }

  const sent = () => readFileSync(join(folder, 'payload'), 'utf8');
  const startsAgain = (text: string) => commandsIn(text).filter((found) => found.includes('-requestCopy'));

  it('has the product itself start the execution again, in the right Region and install', () => {
    const { message } = writeAlert(EXAMPLES.CopyFailed, INSTALL);
    const [again = ''] = commandsIn(message).filter((found) => found.includes('npx '));
    expect(paste(again)).toEqual([
      [
        'snapshot-copier',
        'retry',
        'snap-0a1b2c3d4e5f60718-eu-central-1-1',
        '--region',
        'eu-west-1',
        '--stack',
        'ebs-snapshot-copier-prod',
      ],
    ]);
  });

  it('puts the request into the queue again, as it was, character by character', () => {
    const [again = ''] = startsAgain(writeAlert(EXAMPLES.CopyFailed, INSTALL).message);
    const calls = paste(again);
    expect(calls).toHaveLength(2);
    expect(calls).toContainEqual([
      'lambda',
      'invoke',
      '--region',
      'eu-west-1',
      '--function-name',
      'ebs-snapshot-copier-prod-requestCopy',
      '--payload',
      'fileb:///dev/stdin',
      '/dev/stdout',
    ]);
    expect(sent()).toBe(INPUT);
  });

  it('puts it there with changes that somebody made', () => {
    const { message } = writeAlert(EXAMPLES.RequestRefused, INSTALL);
    const save = commandsIn(message).find((found) => found.includes('> copy-request.json')) ?? '';
    paste(save);
    expect(readFileSync(join(folder, 'copy-request.json'), 'utf8')).toBe(INPUT);
    writeFileSync(join(folder, 'copy-request.json'), 'changed');
    paste(startsAgain(message).at(-1) ?? '');
    expect(sent()).toBe('changed');
  });

  it('starts a dry run again, under a new name and with the same input', () => {
    const { execution, request: asked } = EXAMPLES.NotAllowed;
    const rehearsal = {
      ...EXAMPLES.NotAllowed,
      request: { ...asked, dryRun: true },
      execution: { ...execution, name: 'rehearsal' },
    };
    const [again = ''] = commandsIn(writeAlert(rehearsal, INSTALL).message).filter((found) =>
      found.includes('start-execution'),
    );
    expect(paste(again).at(-1)).toEqual([
      'stepfunctions',
      'start-execution',
      '--region',
      'eu-west-1',
      '--state-machine-arn',
      'arn:aws:states:eu-west-1:444455556666:stateMachine:ebs-snapshot-copier-prod',
      '--name',
      'rehearsal-2',
      '--input',
      INPUT,
    ]);
  });

  it.each(Object.entries(EXAMPLES))('is right for bash, each one of %s', (_, execution) => {
    const commands = commandsIn(writeAlert(execution, INSTALL).message);
    expect(commands.length).toBeGreaterThan(0);
    bash(`set -n\n${commands.join('\n')}`);
    expect(paste(commands[0] ?? '')[0]?.[0]).toMatch(/^[a-z0-9-]+$/);
  });

  it('takes the key id of an alias for the key policy, of the key that is the default if no key is named', () => {
    const asked = request({ destination: { encryption: { kind: 'account-default' } } });
    const { message } = writeAlert(failed({ ...EXAMPLES.KeyNotAccessible, request: asked }), INSTALL);
    const edit = commandsIn(message).findLast((found) => found.includes('get-key-policy')) ?? '';
    expect(paste(edit).map((call) => call.slice(0, 2).join(' '))).toEqual([
      'ec2 get-ebs-default-kms-key-id',
      'kms describe-key',
      'kms get-key-policy',
      'ec2 get-ebs-default-kms-key-id',
      'kms describe-key',
      'kms put-key-policy',
    ]);
  });

  it('holds names with quotes and blanks together', () => {
    const execution = { ...EXAMPLES.CopyFailed.execution, arn: "it's; rm -rf $HOME", name: 'by hand' };
    const install = { ...INSTALL, name: 'an "install"' };
    const [again = ''] = startsAgain(writeAlert(failed({ ...EXAMPLES.CopyFailed, execution }), install).message);
    const words = paste(again).flat();
    expect(words).toContain("it's; rm -rf $HOME");
    expect(words).toContain('an "install"-requestCopy');
    const retry = commandsIn(writeAlert(failed({ ...EXAMPLES.CopyFailed, execution }), install).message).find((found) =>
      found.includes('npx '),
    );
    expect(paste(retry ?? '').at(-1)).toEqual([
      'snapshot-copier',
      'retry',
      'by hand',
      '--region',
      'eu-west-1',
      '--stack',
      'an "install"',
    ]);
    const rehearsal = failed({
      ...EXAMPLES.CopyFailed,
      execution,
      request: { ...EXAMPLES.CopyFailed.request, dryRun: true },
    });
    const start = commandsIn(writeAlert(rehearsal, install).message).find((found) => found.includes('start-execution'));
    expect(paste(start ?? '').flat()).toContain('by hand-2');
  });
});
