// The command `snapshot-copier`.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import * as z from 'zod';
import { EXIT } from './exit-codes.ts';
import { explainError } from './explain-error.ts';

interface Entry {
  readonly summary: string;
  /** Loaded when it is called: clients of AWS take their time. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  'copy-snapshot': {
    summary: 'copy one snapshot: `aws ec2 copy-snapshot` that waits, tries again and tells',
    load: async () => (await import('./commands/copy-snapshot.ts')).copySnapshotCommand(),
  },
  plan: {
    summary: 'what the rules would copy, why, and for how much; changes nothing',
    load: async () => (await import('./commands/plan.ts')).planCommand(),
  },
  backfill: {
    summary: 'ask for copies of snapshots that were there before',
    load: async () => (await import('./commands/backfill.ts')).backfillCommand(),
  },
  status: {
    summary: 'what runs, what waits, what failed',
    load: async () => (await import('./commands/status.ts')).statusCommand(),
  },
  retry: {
    summary: 'start failed copies again',
    load: async () => (await import('./commands/retry.ts')).retryCommand(),
  },
  audit: {
    summary: 'prove that every selected snapshot has its copies',
    load: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  doctor: {
    summary: 'check a set-up before it is needed',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  rules: {
    summary: 'check the rules file, or say it in plain sentences',
    load: async () => (await import('./commands/rules.ts')).rulesCommand(),
  },
};

// `snapshot-copier plan | head` closes the pipe early: no trouble to speak of, but the work may not be done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.problem);
  process.stderr.write(`Cannot write what was found: ${error.message}\n`);
  process.exit(EXIT.problem);
});

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  try {
    const program = await programFor(args[0] === 'help' ? args[1] : args[0]);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    else process.exitCode = explainError(error);
  }
}

/** @param called the command whose options are needed; of the others their names are enough */
async function programFor(called: string | undefined): Promise<Command> {
  const program = new Command('snapshot-copier')
    .description('Copies of EBS snapshots: ask for them, watch them, prove them.')
    .version(versionOfPackage(), '--version')
    .showHelpAfterError('(--help says what it takes)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      '\nsnapshot-copier <command> --help has examples. Exit codes: 0 fine, 1 found a problem, 2 wrong usage.',
    );
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = name === called ? await load() : new Command(name);
    program.addCommand(inheriting(command.summary(summary), program));
  }
  return program;
}

/** Commander hands settings down to commands that it makes itself, and not to those that are added. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inheriting(child, command);
  return command;
}

function versionOfPackage(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(file)).version;
}
