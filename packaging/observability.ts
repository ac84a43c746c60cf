import { destinationId } from '../core/destination.ts';
import { destinations } from '../core/rule-destinations.ts';
import { type CopyRule, NO_SOURCE_ACCOUNTS, type SourceAccounts } from '../core/rules.ts';
import { snapshotEventPatterns } from './derive-events.ts';
import { FUNCTION_NAMES } from './derive-permissions.ts';
import { sourceEventsRuleName } from './derive-source-bus.ts';

/** A CloudFormation resource as plain data. */
interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** What CloudFormation takes where a string is wanted. */
type Value = string | Readonly<Record<string, unknown>>;

interface MetricOf {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, Value>>;
}

const MACHINE = { StateMachineArn: { Ref: 'CopySnapshotMachine' } };
const ADMISSION = { StateMachineArn: { Ref: 'AdmitCopiesMachine' } };
const QUEUE = { QueueName: { 'Fn::GetAtt': ['StuckEventsQueue', 'QueueName'] } };

/**
 * Alarms and the dashboard. Three things are different and have alarms of their own: something is stuck, copies are
 * failing now, and the last success is too old (which is the one that a broken trigger cannot hide from).
 *
 * Only alarms of which nobody else tells have an action; a failed copy has told the topic already.
 */
export function observability(
  install: string,
  region: string,
  rules: readonly CopyRule[],
  sourceAccounts: SourceAccounts = NO_SOURCE_ACCOUNTS,
): Readonly<Record<string, Resource>> {
  const hasSources = sourceAccounts.accounts.length > 0;
  // A rehearsal makes no copies, nor does a rule for sources in other Regions.
  const busy = rules.filter(({ dryRun, select }) => !dryRun && (select.regions?.includes(region) ?? true));
  return {
    ...stuckAlarms(install, snapshotEventPatterns(rules).length, hasSources),
    ...(hasSources && sourceAlarms(install)),
    ...failureAlarms(install),
    ...queueAlarms(install, busy),
    ...Object.fromEntries(
      destinations(busy)
        .map(destinationId)
        .map((where) => [`NoRecentCopyTo${logicalIdPart(where)}Alarm`, noRecentCopyAlarm(install, where)]),
    ),
    Dashboard: dashboard(install, destinations(rules).map(destinationId), hasSources),
  };
}

/** @param eventRules how many rules osls makes for onSnapshotEvent; it numbers their names. */
function stuckAlarms(install: string, eventRules: number, hasSources: boolean): Readonly<Record<string, Resource>> {
  const hearEnds = ['onCopyEnded', ...(hasSources ? ['releaseSource'] : [])];
  const rules = [
    ...Array.from({ length: eventRules }, (_, i) => `onSnapshotEvent-rule-${i + 1}`),
    ...hearEnds.map((name) => `${name}-rule-1`),
  ];
  return {
    ...Object.fromEntries(
      rules.map((rule) => [
        `Undelivered${logicalIdPart(rule)}Alarm`,
        undeliveredAlarm({ RuleName: `${install}-${rule}` }),
      ]),
    ),
    StuckEventsAlarm: alarm({
      description: 'Events wait in the stuck-events queue: no function could process them. README: "Stuck events".',
      metric: { namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible', dimensions: QUEUE },
      statistic: 'Maximum',
      notify: true,
    }),
    ...Object.fromEntries(
      ['onSnapshotEvent', ...hearEnds].map((name) => [
        `Lost${logicalIdPart(name.replace(/^on/, ''))}Alarm`,
        alarm({
          description: `Events for ${name} were lost: Lambda could not hand them to the stuck-events queue.`,
          metric: {
            namespace: 'AWS/Lambda',
            name: 'DestinationDeliveryFailures',
            dimensions: { FunctionName: `${install}-${name}` },
          },
          statistic: 'Sum',
          notify: true,
        }),
      ]),
    ),
    ExecutionThrottledAlarm: alarm({
      description: 'Step Functions throttles the state machine: copies are late, none is lost. Raise the quota.',
      metric: { namespace: 'AWS/States', name: 'ExecutionThrottled', dimensions: MACHINE },
      statistic: 'Sum',
      notify: true,
    }),
  };
}

/** @param dimensions `EventBusName` is one of those of rules on other buses than the default one */
function undeliveredAlarm(dimensions: MetricOf['dimensions']): Resource {
  return alarm({
    description:
      'Events were lost: EventBridge could deliver them neither to the function nor to the stuck-events queue.',
    metric: { namespace: 'AWS/Events', name: 'InvocationsFailedToBeSentToDlq', dimensions },
    statistic: 'Sum',
    notify: true,
  });
}

/** What is on the bus for source accounts comes from outside. */
function sourceAlarms(install: string): Readonly<Record<string, Resource>> {
  return {
    UndeliveredSourceEventsAlarm: undeliveredAlarm({
      EventBusName: { Ref: 'SourceAccountsBus' },
      RuleName: sourceEventsRuleName(install),
    }),
    EventsRefusedAlarm: alarm({
      description:
        'Events on the bus for source accounts were refused: unexpected, or forged. The log of onSnapshotEvent has each, and who sent it. docs/source-accounts.md: "Events that are refused".',
      metric: { namespace: 'SnapshotCopier', name: 'EventsRefused', dimensions: { service: install } },
      statistic: 'Sum',
      notify: true,
    }),
  };
}

/** Waiting is no failure; waiting for longer than a copy may take is. */
function queueAlarms(install: string, rules: readonly CopyRule[]): Readonly<Record<string, Resource>> {
  const waits = destinations(rules).map((destination) => {
    const where = destinationId(destination);
    return [
      `OldestWaitsFor${logicalIdPart(where)}Alarm`,
      alarm({
        description: `A request has waited for ${where} longer than its deadline. README: "When requests wait".`,
        metric: {
          namespace: 'SnapshotCopier',
          name: 'OldestWaitingAge',
          dimensions: { service: install, destination: where },
        },
        statistic: 'Maximum',
        threshold: Math.min(...deadlines(rules, where)),
        period: 900, // the longest time between two sweeps, which write it
        notify: true,
      }),
    ] as const;
  });
  return {
    ...Object.fromEntries(waits),
    ...Object.fromEntries(
      (['ExecutionsFailed', 'ExecutionsTimedOut'] as const).map((name) => [
        `Admission${name}Alarm`,
        alarm({
          description: `Admission: ${name}, again and again: requests wait although slots may be free.`,
          metric: { namespace: 'AWS/States', name, dimensions: ADMISSION },
          statistic: 'Sum',
          period: 900, // while nothing else wakes it, only the sweep does
          periods: 2, // what is missed once is done by the next look
          notify: true,
        }),
      ]),
    ),
    SweepFailingAlarm: alarm({
      description: 'The sweep failed more than twice within an hour: what events lose is not found.',
      metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: `${install}-sweep` } },
      statistic: 'Sum',
      threshold: 2,
      period: 3600,
      notify: true,
    }),
    HealLostEventsFailingAlarm: alarm({
      description: 'healLostEvents failed: snapshots that no event tells of are not found.',
      metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: `${install}-healLostEvents` } },
      statistic: 'Sum',
      notify: true,
    }),
    SweepSilentAlarm: {
      Type: 'AWS::CloudWatch::Alarm',
      Condition: 'WantsMonitoring',
      Properties: {
        AlarmDescription: 'The sweep has not run for two hours: look at its schedule.',
        Namespace: 'AWS/Lambda',
        MetricName: 'Invocations',
        Dimensions: dimensions({ FunctionName: `${install}-sweep` }),
        Statistic: 'Sum',
        Period: 3600,
        EvaluationPeriods: 2,
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'breaching',
        AlarmActions: [{ Ref: 'DeadLetterTopic' }],
        OKActions: [{ Ref: 'DeadLetterTopic' }],
      },
    },
  };
}

function deadlines(rules: readonly CopyRule[], where: string): readonly number[] {
  return rules.flatMap((rule) =>
    rule.destinations.flatMap((destination) =>
      destinationId(destination) === where ? [destination.deadlineSeconds] : [],
    ),
  );
}

function failureAlarms(install: string): Readonly<Record<string, Resource>> {
  return Object.fromEntries(
    (['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'] as const).map((name) => [
      `${name}Alarm`,
      alarm({
        description: `${install}: ${name}. The dead-letter topic has an alert for each such copy.`,
        metric: { namespace: 'AWS/States', name, dimensions: MACHINE },
        statistic: 'Sum',
        // Those that ended otherwise than FAILED cannot tell it themselves, and the event of their end is best effort.
        notify: name !== 'ExecutionsFailed',
      }),
    ]),
  );
}

/** No data means no copies, which is just what this alarm is about. */
function noRecentCopyAlarm(install: string, where: string): Resource {
  const hours = 26;
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Condition: 'WantsNoRecentCopyAlarm',
    Properties: {
      AlarmDescription: `No copy to ${where} was completed for ${hours} hours. Off: --param="noRecentCopyAlarm=off".`,
      Namespace: 'SnapshotCopier',
      MetricName: 'CopiesCompleted',
      Dimensions: dimensions({ service: install, destination: where }),
      Statistic: 'Sum',
      Period: 3600,
      EvaluationPeriods: hours,
      DatapointsToAlarm: hours,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
      AlarmActions: [{ Ref: 'DeadLetterTopic' }],
      OKActions: [{ Ref: 'DeadLetterTopic' }],
    },
  };
}

function alarm(of: {
  readonly description: string;
  readonly metric: MetricOf;
  readonly statistic: 'Sum' | 'Maximum';
  /** Default 0: anything above it is an alarm. */
  readonly threshold?: number;
  /** In seconds. Default 300. */
  readonly period?: number;
  /** How many of them in a row. Default 1. */
  readonly periods?: number;
  readonly notify: boolean;
}): Resource {
  const actions = of.notify ? [{ Ref: 'DeadLetterTopic' }] : [];
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Condition: 'WantsMonitoring',
    Properties: {
      AlarmDescription: of.description,
      Namespace: of.metric.namespace,
      MetricName: of.metric.name,
      Dimensions: dimensions(of.metric.dimensions),
      Statistic: of.statistic,
      Period: of.period ?? 300,
      EvaluationPeriods: of.periods ?? 1,
      Threshold: of.threshold ?? 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching', // a counter that nothing has counted is zero
      AlarmActions: actions,
      OKActions: actions,
    },
  };
}

function dashboard(install: string, places: readonly string[], hasSources: boolean): Resource {
  const own = (name: string, stat: string) =>
    places.map((destination) => [
      'SnapshotCopier',
      name,
      'service',
      install,
      'destination',
      destination,
      { stat, label: destination },
    ]);
  const executions = [
    'ExecutionsStarted',
    'ExecutionsSucceeded',
    'ExecutionsFailed',
    'ExecutionsTimedOut',
    'ExecutionsAborted',
    'ExecutionThrottled',
  ].map((name) => ['AWS/States', name, 'StateMachineArn', MACHINE_ARN, { stat: 'Sum' }]);
  const lambdas = ['Errors', 'Throttles'].flatMap((name) =>
    FUNCTION_NAMES.map((fn) => [
      'AWS/Lambda',
      name,
      'FunctionName',
      `${install}-${fn}`,
      { stat: 'Sum', label: `${fn} ${name}` },
    ]),
  );
  const refused = [['SnapshotCopier', 'EventsRefused', 'service', install, { stat: 'Sum' }]];
  const stuck = [['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'QueueName', QUEUE_NAME, { stat: 'Maximum' }]];
  const graphs: readonly (readonly [string, readonly unknown[]])[] = [
    ['Requests that wait', own('RequestsWaiting', 'Maximum')],
    ['Seconds that the oldest of them has waited', own('OldestWaitingAge', 'Maximum')],
    ['Copies started', own('CopiesStarted', 'Sum')],
    ['Copies completed', own('CopiesCompleted', 'Sum')],
    ['Copies failed', own('CopiesFailed', 'Sum')],
    ['Full copies (a surprise here is a surprise on the bill)', own('FullCopies', 'Sum')],
    ['Seconds per copy, p90', own('CopySeconds', 'p90')],
    ['Requests that no event had told of', own('EventsHealed', 'Sum')],
    ['Executions', executions],
    ['Functions', lambdas],
    ['Stuck events', stuck],
    ...(hasSources ? [['Events of source accounts that were refused', refused] as const] : []),
  ];
  const widgets = graphs.map(([title, metrics], index) => ({
    type: 'metric',
    x: (index % 2) * 12,
    y: Math.floor(index / 2) * 6,
    width: 12,
    height: 6,
    properties: { title, metrics, region: REGION, view: 'timeSeries', period: 300 },
  }));
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Condition: 'WantsMonitoring',
    Properties: {
      DashboardBody: {
        'Fn::Sub': [JSON.stringify({ widgets }), { QueueName: QUEUE.QueueName }],
      },
    },
  };
}

// Placeholders of Fn::Sub in the dashboard's text.
const REGION = `$\{AWS::Region}`;
const MACHINE_ARN = `$\{CopySnapshotMachine}`;
const QUEUE_NAME = `$\{QueueName}`;

function dimensions(of: Readonly<Record<string, Value>>): readonly { Name: string; Value: Value }[] {
  return Object.entries(of).map(([Name, Value]) => ({ Name, Value }));
}

/** `eu-central-1` to `EuCentral1`: logical ids take letters and digits only. */
function logicalIdPart(where: string): string {
  return where
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
