/** What a service behind the ledger answered, as it can be read back from the message of an error. */
export interface LedgerAnswer {
  readonly service: 'DynamoDB' | 'Step Functions';
  /** Name of the table, if it was DynamoDB. */
  readonly table?: string;
  /** The service's code, or the name of what happened on the way to it. */
  readonly code: string;
  readonly words: string;
}

/** As aws/dynamodb-errors.ts and aws/step-functions.ts write it: last in a message, for the words may contain anything. */
const ANSWER =
  /(?: in table (?<table>\S+))?: (?:(?:no answer from (?<silent>DynamoDB|Step Functions) but)|(?<speaking>DynamoDB|Step Functions) says) (?<code>\S+): (?<words>.*)$/s;

/** Undefined if there is no such answer in the message. */
export function readLedgerAnswer(message: string): LedgerAnswer | undefined {
  const groups = ANSWER.exec(message)?.groups;
  if (groups === undefined) return undefined;
  const { table, silent, speaking = silent, code = '', words = '' } = groups;
  const service = speaking === 'Step Functions' ? speaking : 'DynamoDB';
  return { service, code, words, ...(table !== undefined && { table }) };
}

/** Whether an error of ours that holds no answer of a service is one of the ledger: others were quicker, or an item is broken. */
export function isOfLedger(name: string, message: string): boolean {
  return name === 'LedgerBusyError' || /\bin the ledger\b|\bof LedgerTable\b/.test(message);
}
