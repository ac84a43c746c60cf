import { classify } from '../core/ec2-error-codes.ts';
import { RequestRefusedError, ServiceTroubleError, ThrottledError } from '../core/errors.ts';
import { isOurs, readThrown } from '../core/thrown-error.ts';

/** The calls that this product makes of DynamoDB; the last two only for people, from the command line. */
export type DynamoDbCall = 'GetItem' | 'PutItem' | 'Query' | 'Scan' | 'BatchGetItem';

/** Which call failed. */
interface AboutTableCall {
  readonly call: DynamoDbCall;
  readonly table: string;
  /** What was read or written, in words. */
  readonly what: string;
  /** Who calls, in words. Default: a function. */
  readonly who?: string;
}

/** What core/ec2-error-codes.ts does not know, because EC2 has other names for it. */
const passing = new Map<string, 'throttled' | 'serviceTrouble'>(
  Object.entries({
    ProvisionedThroughputExceededException: 'throttled',
    // A function that was frozen in the middle of a call wakes with an old signature.
    InvalidSignatureException: 'serviceTrouble',
  }),
);

/**
 * An error of the DynamoDB client as one of core/errors.ts, with DynamoDB's code and words in the message and the
 * original as `cause`. What is ours already passes.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export function ledgerError(
  error: unknown,
  { call, table, what, who: caller = 'the role of the function' }: AboutTableCall,
): Error {
  if (isOurs(error)) return error;
  const { code, words, status } = readThrown(error);
  const who = status === undefined ? 'no answer from DynamoDB but' : 'DynamoDB says';
  const say = (text: string) =>
    [`${text} ${call} of ${what} in table ${table}: ${who} ${code}: ${words}`, { cause: error }] as const;

  switch (passing.get(code) ?? classify(code, status)) {
    case 'throttled':
      return new ThrottledError(
        ...say('DynamoDB throttles the ledger. If it lasts, find out what else uses its table so often.'),
      );
    case 'permanent':
      return new RequestRefusedError(
        ...say(`DynamoDB refuses the ledger a call and would refuse it again. ${whatToDo(code, call, caller)}`),
      );
    default:
      return new ServiceTroubleError(
        ...say('DynamoDB, or the way to it, is in trouble. Nothing to do unless it lasts.'),
      );
  }
}

function whatToDo(code: string, call: DynamoDbCall, caller: string): string {
  switch (code) {
    case 'AccessDeniedException':
      return `Allow dynamodb:${call} on the table and its indexes to ${caller}, and look for an SCP.`;
    case 'ResourceNotFoundException':
      return 'The table is gone. AWS keeps a backup of a deleted one for 35 days: restore it under the same name.';
    case 'ItemCollectionSizeLimitExceededException':
      return 'The requests of one Region may take 10 GB: keep them for fewer days after their end.';
    case 'ValidationException':
      return 'Compare the keys and the index of the table with LedgerTable in serverless.yml.';
    default:
      return 'What the code means: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html';
  }
}
