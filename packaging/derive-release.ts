import type { SourceAccounts } from '../core/rules.ts';

/** What has shares and intermediate copies in source accounts looked after. Nothing where there are none. */

/** The ends of executions, as the function onCopyEnded hears them. */
export function endsOfExecutions({ accounts }: SourceAccounts) {
  if (accounts.length === 0) return [];
  return [
    {
      eventBridge: {
        pattern: {
          source: ['aws.states'],
          'detail-type': ['Step Functions Execution Status Change'],
          detail: {
            status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'],
            stateMachineArn: [{ Ref: 'CopySnapshotMachine' }],
          },
        },
        retryPolicy: { maximumEventAge: 86_400, maximumRetryAttempts: 185 },
        deadLetterQueueArn: { 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] },
      },
    },
  ];
}

/** For ends that nobody heard of, and for intermediate copies that time has made needless. */
export function releaseSchedule({ accounts }: SourceAccounts) {
  if (accounts.length === 0) return {};
  return {
    ReleaseSourceSchedule: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        Description: 'Looks for shares and intermediate copies that were left behind in source accounts',
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: { 'Fn::GetAtt': ['ReleaseSourceLambdaFunction', 'Arn'] },
          RoleArn: { 'Fn::GetAtt': ['SchedulesRole', 'Arn'] },
          Input: JSON.stringify({ look: 'everywhere' }),
          RetryPolicy: { MaximumEventAgeInSeconds: 1800, MaximumRetryAttempts: 10 },
        },
      },
    },
  };
}
