// `npm run sandbox`: the packaged service in a local AWS, until it is interrupted.
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { isRegion, partitionOf } from '../core/region.ts';
import { readRulesFileText } from '../packaging/rules-file.ts';
import { readCompanionOption } from './companion-option.ts';
import type { Companion } from './companions.ts';
import { deployCompanionsOfRules } from './companions-of-rules.ts';
import { introduction } from './introduction.ts';
import { makeKeysOfRules } from './keys-of-rules.ts';
import { packageService } from './package-service.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { WORK_DIR } from './work-dir.ts';

interface Options {
  readonly port: number;
  readonly rules: string;
  readonly speed: number;
  readonly slots: number;
  readonly shareDelay: number;
  readonly region: string;
  readonly companion: readonly Companion[];
  readonly packageDir?: string;
}

const command = new Command('npm run sandbox --')
  .description('Runs the packaged service in a local AWS on http://127.0.0.1, until Ctrl-C.')
  .option('--port <number>', 'of the endpoint; 0 = any free one', wholeNumber(0, 65_535), 4599)
  .option('--rules <file>', 'rules to package the service with', 'copy-rules.yml')
  .option('--speed <number>', 'how many times faster than real time copies and waits are', wholeNumber(1, 10_000), 60)
  .option(
    '--slots <number>',
    'copies that EC2 runs into a Region at once; how many of them the service takes is the `slots` of a rule',
    wholeNumber(1, 1_000),
    20,
  )
  .option(
    '--share-delay <seconds>',
    'how long a share of a snapshot takes to have effect; on AWS up to 90 s',
    wholeNumber(0, 3_600),
    0,
  )
  .option('--region <region>', 'Region that the service is deployed to', homeRegion, 'eu-west-1')
  .option(
    '--companion <template:account:region[:Name=value,…]>',
    'a companion and where it is deployed; several times if need be. Other source accounts of the rules get theirs anyway',
    companion,
    [],
  )
  .option('--package-dir <folder>', 'what `serverless package` wrote, instead of packaging now')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

await run(command.parse().opts<Options>());

async function run(options: Options): Promise<void> {
  try {
    const sandbox = await start(options);
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(1);
      stopping = true;
      void sandbox.stop().then(() => process.exit(0));
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  } catch (error) {
    process.stderr.write(`${explain(error, options)}\n`);
    process.exit(2);
  }
}

async function start(options: Options): Promise<Sandbox> {
  const { rules, sourceAccounts } = readRulesFileText(options.rules);
  await checkPort(options.port);
  const packageDir = options.packageDir ?? join(WORK_DIR, `package-${process.pid}`);
  if (options.packageDir === undefined) {
    say('Packaging the service …');
    await packageService({ rulesFile: options.rules, packageDir, region: options.region });
  }
  const sandbox = await startSandbox({
    packageDir,
    port: options.port,
    time: { mode: 'paced', speed: options.speed },
    home: { region: options.region },
    slots: options.slots,
    ec2: { shareVisibleAfterSeconds: options.shareDelay },
  });
  if (options.packageDir === undefined) rmSync(packageDir, { recursive: true });
  const keys = makeKeysOfRules(rules, sandbox.keys, sandbox.home);
  const asked = options.companion.map((each) => sandbox.deployCompanion(each));
  const accounts = sourceAccounts.accounts.filter((id) => !asked.some(({ account }) => account === id));
  const companions = [...asked, ...deployCompanionsOfRules(rules, { ...sourceAccounts, accounts }, sandbox)];
  say(introduction(sandbox, { speed: options.speed, rules, keys, companions }));
  return sandbox;
}

/** Packaging takes seconds; who must choose another port should not wait for that. */
async function checkPort(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

function explain(error: unknown, { port }: Options): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `Port ${port} is in use: stop the other program, or choose another port with --port (0 = any free one).`;
  }
  return error.message;
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() !== '' && Number.isInteger(number) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };
}

function companion(text: string, earlier: readonly Companion[]): readonly Companion[] {
  try {
    return [...earlier, readCompanionOption(text)];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function homeRegion(text: string): string {
  if (isRegion(text) && partitionOf(text) === 'aws') return text;
  throw new InvalidArgumentError('It must be a Region of the partition aws, for example eu-west-1.');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
