import { startSandbox } from '../sandbox/sandbox.ts';
import { priceOf } from './prices.ts';
import type { IdleMeasurement } from './results.ts';

const DAYS_PER_MONTH = 730 / 24;
/** START, END and REPORT, which Lambda writes for each invocation. */
const LAMBDA_LINES_BYTES = 400;

/** A month of 730 hours, from one day in virtual time with the packaged service and no snapshot. */
export async function measureIdle(packageDir: string): Promise<IdleMeasurement> {
  const sandbox = await startSandbox({ packageDir, time: { mode: 'jumping' } });
  try {
    await sandbox.advance(24 * 3_600_000);
    const aMonth = (aDay: number) => Math.round(aDay * DAYS_PER_MONTH);
    const lambdaInvocations = aMonth(sum(sandbox.lambda.invocationCounts().values()));
    const calls = sandbox.dynamodb.callCounts();
    const ledgerWrites = aMonth(calls.get('PutItem') ?? 0);
    const ledgerReads = aMonth(sum(calls.values())) - ledgerWrites;
    const expressExecutions = aMonth(
      sum([...sandbox.stepFunctions.expressTotals().values()].map(({ started }) => started)),
    );
    const logBytes = sum(sandbox.logs().map(({ text }) => Buffer.byteLength(text)));
    const logMegabytes = (aMonth(logBytes) + lambdaInvocations * LAMBDA_LINES_BYTES) / 1_000_000;
    return {
      perMonth: {
        lambdaInvocations,
        ledgerReads,
        ledgerWrites,
        expressExecutions,
        ec2Calls: aMonth(sandbox.ec2.calls.length),
        logMegabytes,
        dollars: priceOf({
          lambdaInvocations,
          ledgerReads,
          ledgerWrites,
          expressRequests: expressExecutions,
          schedules: lambdaInvocations,
          traces: lambdaInvocations,
          logMegabytes,
        }),
      },
      alarms: [...sandbox.physicalIds.keys()].filter((id) => id.endsWith('Alarm')).length,
    };
  } finally {
    await sandbox.stop();
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
