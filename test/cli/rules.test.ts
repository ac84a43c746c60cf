import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { newWorld } from '../stories/world.ts';
import { runCli, runCliAlone } from '../support/cli.ts';
import { TEST_RULES } from '../support/packaged.ts';

const folder = mkdtempSync(join(tmpdir(), 'rules-command-'));
afterAll(() => rmSync(folder, { recursive: true }));
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Without credentials, and with an endpoint that nobody serves. */
const rules = (args: readonly string[], options: { readonly cwd?: string; readonly stdin?: string } = {}) =>
  runCliAlone(['rules', ...args], { cwd: folder, ...options, env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } });

const WRONG = 'rules:\n  - name: nightly\n    destinations:\n      - region: frankfurt\n        slots: 0\n';

describe('rules check', () => {
  it('says in one line that the rules of the working directory are right', async () => {
    expect(await rules(['check'], { cwd: repository })).toEqual({
      code: 0,
      stdout: 'copy-rules.yml is right: 1 rule, 1 destination.\n',
      stderr: '',
    });
  });

  it('shows every problem as packaging does, and ends with 1', async () => {
    writeFileSync(join(folder, 'wrong.yml'), WRONG);
    const { code, stdout, stderr } = await rules(['check', 'wrong.yml']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(`wrong.yml is wrong. 2 problems:

  rules[0].destinations[0].region (line 4)
    problem  is not the id of a Region
    found    "frankfurt"
    example  eu-central-1

  rules[0].destinations[0].slots (line 5)
    problem  must be from 1 to 1000
    found    0
    example  18
`);
  });

  it('tells machines the same', async () => {
    const [wrong, unreadable] = await Promise.all([
      rules(['check', '-', '--json'], { stdin: WRONG }),
      rules(['check', '-', '--json'], { stdin: 'rules:\n  - name: a\n    name: b\n' }),
    ]);
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toEqual({
      file: 'standard input',
      right: false,
      rules: null,
      destinations: null,
      sourceAccounts: null,
      problems: [
        {
          path: 'rules[0].destinations[0].region',
          line: 4,
          problem: 'is not the id of a Region',
          found: '"frankfurt"',
          example: 'eu-central-1',
        },
        {
          path: 'rules[0].destinations[0].slots',
          line: 5,
          problem: 'must be from 1 to 1000',
          found: '0',
          example: '18',
        },
      ],
      warnings: [],
    });
    expect(unreadable.code).toBe(1);
    expect(JSON.parse(unreadable.stdout)).toMatchObject({
      right: false,
      problems: [{ path: '', line: 3, problem: 'Map keys must be unique', found: null, example: null }],
    });
  });

  it('warns of what is right but surprising, in the order of the file, and ends with 0', async () => {
    const stdin = `rules:
  - name: all
    destinations: [{ region: eu-central-1, slots: 5 }]
  - name: nightly
    select:
      tags: { Backup: [nightly] }
      owners: ["111122223333"]
    destinations:
      - region: eu-central-1
`;
    const [text, json] = await Promise.all([
      rules(['check', '-'], { stdin }),
      rules(['check', '-', '--json'], { stdin }),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toBe(`standard input is right: 2 rules, 1 destination.

3 warnings, about what is right but may surprise:

  rules[1].select.owners (line 7)
    warning  tags of other accounts' snapshots cannot be seen without the companion (sourceAccounts), and the rule wants tags: it selects nothing, unless the service runs in 111122223333

  rules[1].destinations[0] (line 9)
    warning  nothing is copied there by this rule: rule all selects all of it for eu-central-1, and comes first

  rules[1].destinations[0].slots (line 9)
    warning  is 20, and 5 in rule all for the same Region: while 5 or more copies are pending in eu-central-1, those of rule all wait, even behind younger ones
`);
    expect(JSON.parse(json.stdout)).toMatchObject({
      right: true,
      rules: 2,
      destinations: 1,
      problems: [],
      warnings: [
        { path: 'rules[1].select.owners', line: 7 },
        {
          path: 'rules[1].destinations[0]',
          line: 9,
          warning: 'nothing is copied there by this rule: rule all selects all of it for eu-central-1, and comes first',
        },
        { path: 'rules[1].destinations[0].slots', line: 9 },
      ],
    });
  });

  it('finds what IAM has no room for', async () => {
    const destinations = Array.from({ length: 60 }, (_, index) => {
      const key = `arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890${String(index).padStart(2, '0')}`;
      return `  - { name: r${index}, destinations: [{ region: eu-central-1, encryption: { kmsKey: "${key}" } }] }\n`;
    });
    const { code, stdout } = await rules(['check', '-'], { stdin: `rules:\n${destinations.join('')}` });
    expect(stdout).toMatch(
      /^standard input cannot be deployed\.\n\nThe rules need a policy of about \d+ characters for /,
    );
    expect(code).toBe(1);
  });

  it.each([
    [['check'], 'Cannot read the rules file copy-rules.yml (ENOENT'],
    [['check'], 'Name the rules file, or add --deployed for the rules that are deployed.'],
    [['explain', 'none.yml'], 'Cannot read the rules file none.yml (ENOENT'],
    [['check', '.'], 'Cannot read the rules file . (EISDIR'],
    [['check', 'wrong.yml', '--deployed'], 'Either wrong.yml or --deployed, not both.'],
    [['check', '--stack', 'a'], '--stack means nothing for a file. For the rules that are deployed, add --deployed.'],
    [['chekc'], 'unknown command'],
  ])('%j is wrong usage: %s', async (args, message) => {
    const { code, stdout, stderr } = await rules(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('rules explain', () => {
  it('says a file in plain sentences, in lines of 100 letters', async () => {
    const stdin = `# Who reads this?
rules:
  - name: nightly-to-frankfurt
    select:
      tags: { Backup: [nightly, weekly] }
      except: { tags: { Copy: ["no"] } }
    destinations:
      - region: eu-central-1
        encryption: { kmsKey: alias/dr-copies }
        tags: { copy: all, add: { Tier: dr } }
        slots: 18
`;
    const { code, stdout, stderr } = await rules(['explain', '-'], { stdin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`standard input has 1 rule.

nightly-to-frankfurt (standard input:3)
  Every snapshot of this account whose tag Backup is "nightly" or "weekly" is copied to
  eu-central-1, unless its tag Copy is "no".
  - In eu-central-1, a copy has all tags of the snapshot, and Tier set to "dr". It is always
    encrypted, under the key alias/dr-copies of eu-central-1. It starts while fewer than 18 copies
    are pending in eu-central-1, which leaves 2 of the 20 that EC2 runs at a time to others.

In general
  - Only snapshots in the Region where the service runs are looked at. One that no rule selects is
    left alone.
  - Never copied are snapshots that are not complete or ended in error, that are archived, in the
    recycle bin or on an Outpost, and the copies that this service made (tag
    snapshot-copier:managed).
  - A snapshot in a Local Zone goes to its own zone group and to the Region around it only.
  - Where nothing else is said, a copy is described as "[copy of {snapshotId} from {sourceRegion}]
    {description}", starts while fewer than 20 copies are pending in its Region, and is given up,
    and somebody told, if it is not complete 48 hours after its start.
  - A copy waits for its slot: the oldest snapshot first, and one copy of a volume to a destination
    at a time.
  - Every copy also gets 8 tags of this service (snapshot-copier:…), which say where it comes from.
`);
  });

  it('tells machines the rules as they were read, each with its sentences and lines', async () => {
    const { code, stdout } = await rules(['explain', TEST_RULES, '--json']);
    expect(code).toBe(0);
    const { file, rules: told, inCommon } = JSON.parse(stdout);
    expect(file).toBe(TEST_RULES);
    expect(told).toHaveLength(10);
    expect(told[9]).toMatchObject({
      line: 72,
      rule: {
        name: 'four-with-zone',
        dryRun: false,
        destinations: [{ slots: 4, deadlineSeconds: 172_800 }, { slots: 4 }],
      },
      selects: [
        'Every snapshot of this account whose tag Backup is "four-with-zone" is copied to eu-central-1 and the Local Zone eu-central-1-ham-1a.',
      ],
      copies: [
        { line: 75, destination: 'eu-central-1' },
        { line: 77, destination: 'eu-central-1-ham-1a' },
      ],
    });
    expect(told[9].copies[1].sentences[0]).toBe(
      'In the Local Zone eu-central-1-ham-1a, a copy has all tags of the snapshot.',
    );
    expect(inCommon[0]).toMatch(/^Only snapshots in the Region where the service runs/);
  });

  it('explains nothing that is wrong', async () => {
    const { code, stdout, stderr } = await rules(['explain', '-'], { stdin: WRONG });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^standard input is wrong\. 2 problems:/);
  });
});

describe('with --deployed', () => {
  it('the rules of the stack are checked and explained, for its account and Region, whatever lies in the folder', async () => {
    const { sandbox } = await newWorld();
    const cwd = join(folder, 'other');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'copy-rules.yml'), WRONG);
    const [check, explain, json] = await Promise.all([
      runCli(sandbox, ['rules', 'check', '--deployed'], { cwd }),
      runCli(sandbox, ['rules', 'explain', '--deployed'], { cwd }),
      runCli(sandbox, ['rules', 'explain', '--deployed', '--json'], { cwd }),
    ]);
    const title = 'copy-rules.yml, as deployed in eu-west-1 by the stack ebs-snapshot-copier-test,';
    expect(check).toMatchObject({ code: 0, stderr: '' });
    expect(check.stdout).toContain(`${title} is right: 10 rules, 7 destinations.\n\n3 warnings`);
    expect(explain).toMatchObject({ code: 0, stderr: '' });
    expect(explain.stdout).toContain(`${title} has 10 rules.\n\nnightly (copy-rules.yml:3)\n`);
    expect(explain.stdout).toContain('Only snapshots in eu-west-1, where the service runs, are looked at.');
    expect(JSON.parse(json.stdout)).toMatchObject({ file: 'copy-rules.yml', rules: { length: 10 } });
  });
});
