import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CliProblem } from '../../../cli/cli-problem.ts';
import { copySnapshot } from '../../../cli/copy-snapshot/run.ts';
import type { Terminal } from '../../../cli/terminal.ts';
import { argumentLists, wordedDifferently, writeFiles } from './argument-lists.ts';
import { mutilated, tagSpecification } from './made-up-specifications.ts';
import { type AwsCliCase, type Ended, pythonWithAwsCli, runRealAwsCli } from './real-aws-cli.ts';
import { recordingEc2 } from './recording-ec2.ts';
import { seen } from './seen.ts';
import { CREDENTIALS, settingsCases, writeConfiguration } from './settings-cases.ts';

const python = pythonWithAwsCli();

const withCredentials = (args: readonly string[]): AwsCliCase => ({ args, environment: CREDENTIALS });

describe.skipIf(python === undefined)('aws ec2 copy-snapshot and snapshot-copier copy-snapshot --direct', () => {
  it.each(Object.keys(argumentLists('/nowhere')))(
    'ask EC2 for the same, print the same and end the same, whatever is asked for and however wrong it is: %s',
    async (group) => {
      const folder = temporaryFolder();
      writeFiles(folder);
      await compare((argumentLists(folder)[group] ?? []).map(withCredentials));
    },
  );

  it('end alike where Python and JavaScript have words of their own', async () => {
    const folder = temporaryFolder();
    writeFiles(folder);
    await compare(wordedDifferently(folder).map(withCredentials), { words: false });
  });

  it('take credentials, Region and output from the same of option, environment and profile', async () => {
    await compare(settingsCases(writeConfiguration(temporaryFolder())));
  });

  it.each([
    ['right ones', tagSpecification, 80],
    ['wrong ones', mutilated, 120],
  ] as const)('read tag specifications alike that a machine made up: %s', async (_which, specifications, numRuns) => {
    await compare(
      fc
        .sample(specifications, { seed: 20_261_122, numRuns })
        .map((specification) =>
          withCredentials([
            '--region=eu-central-1',
            '--source-region=eu-west-1',
            '--source-snapshot-id=snap-1',
            `--tag-specifications=${specification}`,
          ]),
        ),
    );
  });
});

async function compare(cases: readonly AwsCliCase[], { words = true } = {}): Promise<void> {
  if (python === undefined) throw new Error('there is nothing to compare with');
  const ec2 = await recordingEc2();
  const at = (who: string, { args, environment }: AwsCliCase, number: number): AwsCliCase => ({
    args,
    environment: { ...PLAIN, ...environment, AWS_ENDPOINT_URL: `${ec2.endpoint}/${who}/${number}` },
  });
  const theirs = runRealAwsCli(
    python,
    cases.map((each, number) => at('theirs', { ...each, args: ['ec2', 'copy-snapshot', ...each.args] }, number)),
  );
  const ours: Ended[] = [];
  for (const [number, each] of cases.entries()) ours.push(await run(at('ours', each, number)));
  const expected = (await theirs).map((ended, number) => seen(ended, ec2, `theirs/${number}`));
  const actual = ours.map((ended, number) => seen(ended, ec2, `ours/${number}`));
  expect(expected).toHaveLength(cases.length);
  expect(expected.some(({ asked }) => asked !== 'nothing')).toBe(true);
  const different = cases.flatMap(({ args, environment }, number) => {
    const [aws, own] = [expected[number], actual[number]].map((one) =>
      words ? one : { ...one, said: one?.said !== '' },
    );
    return JSON.stringify(aws) === JSON.stringify(own) ? [] : [{ args, environment, aws, ours: own }];
  });
  expect(different).toEqual([]);
}

/** Nothing of this machine. */
const PLAIN = { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1' };

/** The command in this process, with another environment for as long as it takes. */
async function run({ args, environment }: AwsCliCase): Promise<Ended> {
  const saved = process.env;
  const written = { stdout: '', stderr: '' };
  process.env = { ...environment };
  try {
    const code = await copySnapshot(['--direct', ...args], terminalInto(written), () => {});
    return { code, ...written };
  } catch (error) {
    if (!(error instanceof CliProblem)) throw error;
    return { code: error.exitCode, stdout: written.stdout, stderr: `${written.stderr}${error.message}\n` };
  } finally {
    process.env = saved;
  }
}

function terminalInto(written: { stdout: string; stderr: string }): Terminal {
  const unused = (): never => {
    throw new Error('not of this command');
  };
  return {
    print: (text) => {
      written.stdout += `${text}\n`;
    },
    tell: (text) => {
      written.stderr += `${text}\n`;
    },
    json: unused,
    table: unused,
    drawTable: unused,
    width: 80,
    height: 24,
    isLive: false,
    progress: unused,
    confirm: unused,
  };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'copy-snapshot-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
