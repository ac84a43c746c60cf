import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    else if (/^ +(aws |for region in |printf )/.test(line)) commands.push(line);
    else continue;
    open = line.endsWith('\\');
  }
  return commands;
}

/** The aws command line, as far as it writes down what it was asked and repeats the input of an execution. */
const AWS = `#!/bin/bash
printf '%s\\n' "$@" >> "$CALLS"; echo -- >> "$CALLS"
if [ "$2" = describe-execution ]; then cat "$INPUT"; else echo ok; fi
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
      EDITOR: 'true',
    };
    bash(command, { cwd: folder, env });
    const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n--\n');
    return calls.slice(0, -1).map((call) => call.split('\n'));
  }

  const startsAgain = (text: string) => commandsIn(text).filter((found) => found.includes(' start-execution '));

  it('starts the execution again, under a new name and with the same input, character by character', () => {
    const [again = ''] = startsAgain(writeAlert(EXAMPLES.CopyFailed, INSTALL).message);
    expect(paste(again).at(-1)).toEqual([
      'stepfunctions',
      'start-execution',
      '--region',
      'eu-west-1',
      '--state-machine-arn',
      'arn:aws:states:eu-west-1:444455556666:stateMachine:ebs-snapshot-copier-prod',
      '--name',
      'snap-0a1b2c3d4e5f60718-eu-central-1-2',
      '--input',
      INPUT,
    ]);
  });

  it('starts it again with an edited request', () => {
    const { message } = writeAlert(EXAMPLES.RequestRefused, INSTALL);
    const save = commandsIn(message).find((found) => found.includes('> copy-request.json')) ?? '';
    paste(save);
    expect(readFileSync(join(folder, 'copy-request.json'), 'utf8')).toBe(INPUT);
    expect(
      paste(startsAgain(message).at(-1) ?? '')
        .at(-1)
        ?.slice(-2),
    ).toEqual(['--input', 'file://copy-request.json']);
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
    const edit = commandsIn(message).find((found) => found.includes('get-key-policy')) ?? '';
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
    const [again = ''] = startsAgain(writeAlert(failed({ ...EXAMPLES.CopyFailed, execution }), INSTALL).message);
    const calls = paste(again);
    expect(calls[0]).toContain("it's; rm -rf $HOME");
    expect(calls[1]).toContain('by hand-2');
  });
});
