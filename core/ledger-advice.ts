import { HEALTH, type Step } from './alert-layout.ts';
import type { FailedExecution } from './execution.ts';
import type { Failure } from './failure.ts';
import type { Install } from './install.ts';
import { shellWord } from './shell-word.ts';

/** What it means that the ledger could not be used, and what to do about it. */
export function ledgerAdvice(
  failed: FailedExecution,
  failure: Failure,
  install: Install,
): { readonly meaning: string; readonly steps: readonly Step[] } {
  const { code, ledger, saidBy } = failure;
  const again: Step = { say: 'Start it again when that is over: it then waits for its turn.' };
  if (saidBy === 'EC2') return { meaning: notPutBack(failed), steps: [again] };
  const { service, table } = ledger ?? {};
  const look: readonly Step[] =
    table === undefined
      ? []
      : [
          {
            say: 'See whether the table is there, and ACTIVE:',
            run: [
              `aws dynamodb describe-table --region ${install.region} --table-name ${shellWord(table)}`,
              "--query 'Table.[TableStatus,ItemCount]' --output text",
            ],
          },
        ];
  return {
    meaning: `To start copies in their order, ${install.name} needs its ledger, a table of DynamoDB, and Step Functions. ${service ?? 'The ledger'} could not be used. Nothing is known to be wrong with the snapshot or the rule.`,
    steps: [...look, ...aboutLedgerCode(code, table, install), again],
  };
}

/** For a request that could not be put back into the queue: EC2 having no slot would have been no failure. */
export function notPutBack({ request }: FailedExecution): string {
  return `EC2 had no free copy slot in ${request.destination.region}, which is no failure, and the request was to wait for one. It could not be put back into the queue.`;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
function aboutLedgerCode(
  code: string | undefined,
  table: string | undefined,
  { name, region }: Install,
): readonly Step[] {
  if (code === undefined)
    return [{ say: 'The words above say which item of the table it is, and what to do about it.' }];
  if (code.startsWith('AccessDenied')) {
    return [
      {
        say: `As it is deployed, ${name} may use it. If a role was changed, deploy again: that restores it. Else a service control policy (SCP) of the organisation or a permissions boundary forbids it.`,
      },
    ];
  }
  if (code === 'ResourceNotFoundException' && table !== undefined) {
    return [
      {
        say: 'If somebody deleted it, AWS keeps a backup for 35 days. Restore it under the same name, with expiresAt as its time to live, and with point-in-time recovery:',
        run: [
          `aws dynamodb list-backups --region ${region} --table-name ${shellWord(table)} --backup-type ALL`,
          "--query 'BackupSummaries[].[BackupCreationDateTime,BackupArn]' --output text",
        ],
      },
    ];
  }
  if (code === 'ItemCollectionSizeLimitExceededException') {
    return [
      {
        say: 'The requests of one Region may take 10 GB. If they are kept for more than 90 days after their end, deploy with --param="keepRequestsDays=90"; DynamoDB then deletes the older ones by and by. Else delete old ones by hand.',
      },
    ];
  }
  if (/Throttl|Throughput|^RequestLimit/.test(code)) {
    return [{ say: 'The calls were not wrong but too many: find out what else uses it so often.' }];
  }
  if (code === 'ValidationException') {
    return [
      {
        say: `If the table was changed by hand, deploy ${name} again, and compare it with LedgerTable in serverless.yml.`,
      },
    ];
  }
  return [HEALTH];
}
