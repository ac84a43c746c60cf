import type { CopyRule } from '../core/rules.ts';
import { sourceOwners } from '../core/source-owners.ts';

/** An EventBridge event pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html */
export interface EventPattern {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
  readonly account?: readonly string[];
  readonly detail: {
    readonly event: readonly string[];
    readonly result: readonly string[];
    readonly source?: readonly (string | number)[];
  };
}

/**
 * The EBS events that can name a snapshot for the rules; each event matches one pattern at most. Everything finer
 * (tags, volumes, descriptions) is not in the events, or comes in more than one layout, and is left to selection.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 */
export function snapshotEventPatterns(rules: readonly CopyRule[]): readonly EventPattern[] {
  const { own, shared } = sourceOwners(rules);
  // The account of an event about an own snapshot is the account of the install.
  const ofInstall = own === 'always' ? {} : { account: own };
  return [
    {
      source: ['aws.ec2'],
      'detail-type': ['EBS Snapshot Notification'],
      ...ofInstall,
      detail: { event: ['createSnapshot'], result: ['succeeded'] },
    },
    {
      source: ['aws.ec2'],
      'detail-type': ['EBS Multi-Volume Snapshots Completion Status'],
      ...ofInstall,
      detail: { event: ['createSnapshots'], result: ['succeeded'] },
    },
    ...(shared.length === 0
      ? []
      : [
          {
            source: ['aws.ec2'],
            'detail-type': ['EBS Snapshot Notification'],
            detail: {
              event: ['shareSnapshot'],
              result: ['succeeded'],
              ...(shared !== 'any' && { source: shared.flatMap(waysToWriteAccount) }),
            },
          },
        ]),
  ];
}

/** AWS's sample of shareSnapshot has the sharing account as a bare number, and a number loses its leading zeros. */
function waysToWriteAccount(account: string): readonly (string | number)[] {
  const bare = Number(account);
  return [...new Set([account, String(bare), bare])];
}
