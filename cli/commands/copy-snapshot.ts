import { Command } from 'commander';
import { helpOnOptions } from '../copy-snapshot/help.ts';
import { copySnapshot } from '../copy-snapshot/run.ts';
import { examples } from '../install-options.ts';
import { processTerminal } from '../terminal.ts';

const COPY = 'snapshot-copier copy-snapshot --source-region eu-west-1 --source-snapshot-id snap-0a1b2c3d4e5f60718';

/** Takes its arguments as they are, and has a help text of its own making. */
class CopySnapshotCommand extends Command {
  override helpInformation(): string {
    return helpOnOptions();
  }
}

/** `snapshot-copier copy-snapshot` */
export function copySnapshotCommand(): Command {
  return new CopySnapshotCommand('copy-snapshot')
    .allowUnknownOption()
    .argument('[options...]')
    .helpOption('--help')
    .addHelpText(
      'after',
      examples([
        [`${COPY} --region eu-central-1`, 'through the service'],
        [
          `${COPY} --region eu-central-1 --encrypted --kms-key-id alias/dr-copies \\\n    --tag-specifications 'ResourceType=snapshot,Tags=[{Key=Team,Value=db}]' --wait`,
          'under a key, with a tag, followed to the end',
        ],
        [`${COPY} --region eu-central-1 --direct`, 'without the service, as the AWS command line does it'],
        [`${COPY} --region eu-central-1 --query SnapshotId --output text`, 'the id alone'],
        ['snapshot-copier copy-snapshot --cli-input-json file://copy.json', 'the options in a file'],
      ]),
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 found a problem, and 2 and 255 as in the AWS command line: wrong usage, all else.',
    )
    .action(async function action(this: Command) {
      process.exitCode = await copySnapshot(this.args, processTerminal(), () => this.outputHelp());
    });
}
