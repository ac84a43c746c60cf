// `npm run demo`: the whole service on this machine, watched from outside through the real AWS SDK.
import { Command } from 'commander';

const command = new Command('npm run demo --')
  .description('Runs the packaged service in a local AWS, gives it snapshots, and checks what becomes of them.')
  .option('--accounts', 'snapshots of other accounts, with and without companions/source-account.yml')
  .allowExcessArguments(false)
  .showHelpAfterError()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
const { accounts = false } = command.parse().opts<{ readonly accounts?: boolean }>();

// Whoever reads with `head` has read enough.
process.stdout.on('error', () => process.exit(0));
const began = Date.now();
// Loaded when the options are right: whoever asks for help need not wait for the AWS SDK.
const play = accounts
  ? (await import('./accounts-demo.ts')).playAccounts
  : (await import('./copies-demo.ts')).playCopies;
const { say } = await import('./screen.ts');
const { problems, summary, ending } = await play();
const seconds = Math.round((Date.now() - began) / 1000);
say();
if (problems.length === 0) {
  for (const line of summary) say(line);
  say(`All as expected after ${seconds} s: ${ending}`);
} else {
  say(`Not as expected after ${seconds} s:`);
  for (const problem of problems) say(`  ${problem}`);
  process.exitCode = 1;
}
