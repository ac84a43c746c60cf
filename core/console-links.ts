import { partitionOf } from './region.ts';

/** The page of an execution of a state machine, in the console of the Region's partition. */
export function executionLink(region: string, executionArn: string): string {
  return `${consoleOf(region)}/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/** The page of a snapshot. */
export function snapshotLink(region: string, snapshotId: string): string {
  return `${consoleOf(region)}/ec2/home?region=${region}#SnapshotDetails:snapshotId=${snapshotId}`;
}

function consoleOf(region: string): string {
  switch (partitionOf(region)) {
    case 'aws-cn':
      return `https://${region}.console.amazonaws.cn`;
    case 'aws-us-gov':
      return `https://${region}.console.amazonaws-us-gov.com`;
    default:
      return `https://${region}.console.aws.amazon.com`;
  }
}
