import { partitionOf } from './region.ts';

/** The AWS console of each partition: https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/getting-started.html */
const consoleDomain: Readonly<Record<string, string>> = {
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The page of an execution of a state machine. */
export function executionLink(region: string, executionArn: string): string {
  return `${consoleOf(region)}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/** The page of a snapshot. */
export function snapshotLink(region: string, snapshotId: string): string {
  return `${consoleOf(region)}/ec2/home?region=${region}#SnapshotDetails:snapshotId=${snapshotId}`;
}

function consoleOf(region: string): string {
  return `https://${region}.${consoleDomain[partitionOf(region)] ?? 'console.aws.amazon.com'}`;
}
