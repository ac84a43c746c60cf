/**
 * US dollars in us-east-1 (most other Regions are the same or a little dearer), without free tiers, as of November 2026:
 * https://aws.amazon.com/step-functions/pricing/ https://aws.amazon.com/lambda/pricing/
 * https://aws.amazon.com/dynamodb/pricing/on-demand/
 */
const PRICES = {
  /** Of a Standard workflow; retries count. */
  stateTransition: 0.025 / 1000,
  expressRequest: 1 / 1_000_000,
  expressGbSecond: 0.00001667,
  lambdaRequest: 0.2 / 1_000_000,
  /** On arm64. */
  lambdaGbSecond: 0.0000133334,
  /** Strongly consistent, up to 4 KB. */
  ledgerRead: 0.125 / 1_000_000,
  /** Up to 1 KB. */
  ledgerWrite: 0.625 / 1_000_000,
  /** https://aws.amazon.com/eventbridge/pricing/ */
  schedule: 1 / 1_000_000,
  /** https://aws.amazon.com/cloudwatch/pricing/ */
  logMegabyte: 0.5 / 1000,
  /** https://aws.amazon.com/xray/pricing/ */
  trace: 5 / 1_000_000,
} as const;

/** An invocation that makes a call or two: the memory of serverless.yml, and a duration that is assumed. */
const INVOCATION_GB = 0.25;
const INVOCATION_SECONDS = 0.15;
/** Express workflows are billed in chunks of 64 MB, and these need one. */
const EXPRESS_GB = 0.0625;

/** What is billed. */
export interface Billed {
  readonly stateTransitions?: number;
  readonly lambdaInvocations?: number;
  readonly expressRequests?: number;
  /** Of all executions together, each rounded up to 0.1 s. */
  readonly expressSeconds?: number;
  /** In read request units. */
  readonly ledgerReads?: number;
  /** In write request units, with those of indexes. */
  readonly ledgerWrites?: number;
  /** Invocations by EventBridge Scheduler. */
  readonly schedules?: number;
  readonly traces?: number;
  readonly logMegabytes?: number;
}

/** In US dollars. */
export function priceOf({
  stateTransitions = 0,
  lambdaInvocations = 0,
  expressRequests = 0,
  expressSeconds = 0,
  ledgerReads = 0,
  ledgerWrites = 0,
  schedules = 0,
  traces = 0,
  logMegabytes = 0,
}: Billed): number {
  const invocation = PRICES.lambdaRequest + INVOCATION_SECONDS * INVOCATION_GB * PRICES.lambdaGbSecond;
  return (
    stateTransitions * PRICES.stateTransition +
    lambdaInvocations * invocation +
    expressRequests * PRICES.expressRequest +
    expressSeconds * EXPRESS_GB * PRICES.expressGbSecond +
    ledgerReads * PRICES.ledgerRead +
    ledgerWrites * PRICES.ledgerWrite +
    schedules * PRICES.schedule +
    traces * PRICES.trace +
    logMegabytes * PRICES.logMegabyte
  );
}
