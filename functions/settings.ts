import * as z from 'zod/mini';

/** The settings of the functions, set by serverless.yml (those of AWS_… by Lambda). Each function picks what it needs. */
export const setting = {
  INSTALL_NAME: text('the name of this install, written into the managed tag', 'ebs-snapshot-copier-prod'),
  ACCOUNT_ID: text('the account that owns the copies', '111122223333'),
  STATE_MACHINE_ARN: text('the state machine', 'arn:aws:states:eu-west-1:111122223333:stateMachine:copier'),
  ADMISSION_MACHINE_ARN: text(
    'the state machine that admits requests',
    'arn:aws:states:eu-west-1:111122223333:stateMachine:copier-admission',
  ),
  LEDGER_TABLE: text('the table of all requests', 'ebs-snapshot-copier-prod-LedgerTable-1ABCDEFGHIJKL'),
  KEEP_REQUESTS_DAYS: number('how many days the ledger keeps a request after its end', '90'),
  LOOKBACK_HOURS: number('how far back to look for snapshots that nobody asked about', '24'),
  DEAD_LETTER_TOPIC_ARN: text('the topic for alerts', 'arn:aws:sns:eu-west-1:111122223333:copier-alerts'),
  COPIER_ROLE_ARN: text('the role that calls CopySnapshot', 'arn:aws:iam::111122223333:role/copier-StartCopyRole'),
  SOURCE_EXTERNAL_ID: text("what the companions' roles in source accounts want to hear", 'ebs-snapshot-copier-prod'),
  AWS_LAMBDA_FUNCTION_NAME: text('the name of this function', 'ebs-snapshot-copier-prod-onSnapshotEvent'),
  AWS_REGION: text('the Region of this function', 'eu-west-1'),
};

function text(meaning: string, example: string) {
  const error = `missing: ${meaning}, for example ${example}`;
  return z.string({ error }).check(z.minLength(1, { error }));
}

function number(meaning: string, example: string) {
  const error = `not a whole number: ${meaning}, for example ${example}`;
  return z.pipe(z.string({ error }).check(z.regex(/^\d+$/, { error })), z.transform(Number));
}

/**
 * Reads the settings that `shape` names.
 *
 * @throws Error that lists every missing one at once, with an example of each.
 */
export function readSettings<Shape extends z.core.$ZodShape>(
  env: Readonly<Record<string, string | undefined>>,
  shape: Shape,
): z.infer<z.ZodMiniObject<Shape>> {
  const parsed = z.object(shape).safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment of this function is not complete:\n${lines.join('\n')}`);
  }
  return parsed.data;
}
