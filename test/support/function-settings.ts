// What serverless.yml and Lambda set for the functions; their files read it when they are loaded, so import this first.

const ACCOUNT = '444455556666';
const STATES = `arn:aws:states:eu-west-1:${ACCOUNT}:stateMachine`;

Object.assign(process.env, {
  INSTALL_NAME: 'ebs-snapshot-copier-test',
  ACCOUNT_ID: ACCOUNT,
  AWS_REGION: 'eu-west-1',
  AWS_LAMBDA_FUNCTION_NAME: 'ebs-snapshot-copier-test-anyFunction',
  STATE_MACHINE_ARN: `${STATES}:ebs-snapshot-copier-test`,
  ADMISSION_MACHINE_ARN: `${STATES}:ebs-snapshot-copier-test-admission`,
  LEDGER_TABLE: 'ebs-snapshot-copier-test-LedgerTable',
  KEEP_REQUESTS_DAYS: '90',
  LOOKBACK_HOURS: '24',
  SOURCE_EXTERNAL_ID: 'ebs-snapshot-copier-test',
  DEAD_LETTER_TOPIC_ARN: `arn:aws:sns:eu-west-1:${ACCOUNT}:ebs-snapshot-copier-test-alerts`,
  COPIER_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/ebs-snapshot-copier-test-StartCopyRole`,
  POWERTOOLS_SERVICE_NAME: 'ebs-snapshot-copier-test',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
});
