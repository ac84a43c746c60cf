import { command, prose, steps } from './alert-layout.ts';
import type { ExecutionIdentity } from './execution.ts';
import { nextAttemptName } from './execution-name.ts';
import { shellWord } from './shell-word.ts';

/** How to start an execution again, with the same input. The name is new: Step Functions keeps names for 90 days. */
export function startAgain({ arn, name, stateMachineArn }: ExecutionIdentity, region: string): string {
  return command([
    `aws stepfunctions start-execution --region ${region}`,
    `--state-machine-arn ${shellWord(stateMachineArn)}`,
    `--name ${shellWord(nextAttemptName(name))}`,
    `--input "$(aws stepfunctions describe-execution --region ${region}`,
    `  --execution-arn ${shellWord(arn)}`,
    '  --query input --output text)"',
  ]);
}

/** How to start an execution again with another input, for what a change of `copy-rules.yml` would set right. */
export function startAgainChanged({ arn, name, stateMachineArn }: ExecutionIdentity, region: string): string {
  return [
    prose('That repeats the request as it was. To change it first (another key, another deadline):'),
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
          `aws stepfunctions start-execution --region ${region}`,
          `--state-machine-arn ${shellWord(stateMachineArn)}`,
          `--name ${shellWord(nextAttemptName(name))} --input file://copy-request.json`,
        ],
      },
    ]),
  ].join('\n');
}
