import { command, prose, steps } from './alert-layout.ts';
import type { CopyRequest } from './copy-request.ts';
import type { ExecutionIdentity } from './execution.ts';
import { nextAttemptName } from './execution-name.ts';
import { BY_HAND } from './hand-request.ts';
import type { Install } from './install.ts';
import { shellWord } from './shell-word.ts';

/**
 * How to start a failed copy again: with the command of this product; or without it, where the input of its execution
 * goes back into the queue. A dry run, of which the ledger knows nothing, is started under a new name: Step Functions
 * keeps names for 90 days.
 */
export function startAgain(
  { arn, name, stateMachineArn }: ExecutionIdentity,
  { dryRun, rule }: CopyRequest,
  install: Install,
): string {
  const { region } = install;
  if (dryRun) {
    return command([
      `aws stepfunctions start-execution --region ${region}`,
      `--state-machine-arn ${shellWord(stateMachineArn)}`,
      `--name ${shellWord(nextAttemptName(name))}`,
      `--input "$(aws stepfunctions describe-execution --region ${region}`,
      `  --execution-arn ${shellWord(arn)}`,
      '  --query input --output text)"',
    ]);
  }
  return [
    prose(
      rule === BY_HAND
        ? 'In a checkout of this product:'
        : `In a checkout of this product, with the settings that rule ${rule} has by then:`,
    ),
    command([`npx snapshot-copier retry ${shellWord(name)}`, `--region ${region} --stack ${shellWord(install.name)}`]),
    prose('With the AWS command line alone, the request as it was:'),
    command([
      `aws stepfunctions describe-execution --region ${region}`,
      `--execution-arn ${shellWord(arn)}`,
      `--query input --output text | aws lambda invoke --region ${region}`,
      `--function-name ${shellWord(requestCopyFunction(install))}`,
      '--payload fileb:///dev/stdin /dev/stdout',
    ]),
  ].join('\n');
}

/** How to start a copy again with another request, for what a change of `copy-rules.yml` would set right. */
export function startAgainChanged({ arn }: ExecutionIdentity, install: Install): string {
  const { region } = install;
  return [
    prose('To change that request first (another key, another deadline), with the AWS command line alone:'),
    steps([
      {
        say: 'Save the request, and edit copy-request.json:',
        run: [
          `aws stepfunctions describe-execution --region ${region}`,
          `--execution-arn ${shellWord(arn)}`,
          '--query input --output text > copy-request.json',
        ],
      },
      {
        say: 'Start:',
        run: [
          `aws lambda invoke --region ${region}`,
          `--function-name ${shellWord(requestCopyFunction(install))}`,
          '--payload fileb://copy-request.json /dev/stdout',
        ],
      },
    ]),
  ].join('\n');
}

/** As serverless.yml names it. */
function requestCopyFunction({ name }: Install): string {
  return `${name}-requestCopy`;
}
