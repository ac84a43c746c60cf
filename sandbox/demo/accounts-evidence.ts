import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { AccountsScene } from './accounts-scenario.ts';
import type { ForeignRow } from './accounts-table.ts';
import type { ForeignEvidence, IntermediateTwice, ShareCount } from './accounts-verdict.ts';
import type { Refusals } from './forgeries.ts';
import { incrementalCopies } from './incremental-copies.ts';
import { HOME_ACCOUNT, type Stage } from './stage.ts';
import type { Evidence } from './verdict.ts';

const calls = z.array(z.object({ params: z.record(z.string(), z.string()), outcome: z.string() }));

/** What becomes known of the copies themselves when all is over. */
export async function findRowEvidence(rows: readonly ForeignRow[], { keyArns }: Stage): Promise<Evidence> {
  const keys = rows.flatMap(({ expected }) =>
    expected.end === 'copied' && expected.key !== undefined
      ? [{ region: expected.destination, alias: expected.key }]
      : [],
  );
  return {
    keyArn: await keyArns(keys),
    sourceTags: (snapshotId) =>
      rows.find(({ expected }) => expected.snapshotId === snapshotId)?.there.source?.tags ?? new Map(),
    requests: () => 0,
  };
}

/** Asks EC2's own record of its calls, its events, and the queue of stuck events. */
export async function findAccountsEvidence(
  whenCopied: readonly ForeignRow[],
  hoursLater: readonly ForeignRow[],
  refusals: Refusals,
  { pair, decoy }: Pick<AccountsScene, 'pair' | 'decoy'>,
  { control, sqs, stuckEventsQueueUrl }: Pick<Stage, 'control' | 'sqs'> & { readonly stuckEventsQueueUrl: string },
): Promise<ForeignEvidence> {
  const isIncremental = incrementalCopies(await control('/events'));
  const twice = (id: string): IntermediateTwice => {
    const at = (rows: readonly ForeignRow[]) =>
      rows.find(({ expected }) => expected.snapshotId === id)?.there.intermediates ?? [];
    return { whenCopied: at(whenCopied), hoursLater: at(hoursLater) };
  };
  const [older, newer] = pair;
  const copyOfNewer = whenCopied.find(({ expected }) => expected.snapshotId === newer)?.copies[0];
  const copies = calls.parse(await control('/calls?action=CopySnapshot'));
  return {
    shares: sharesIn(await control('/calls?action=ModifySnapshotAttribute'), HOME_ACCOUNT),
    pair: [twice(older), twice(newer)],
    isNewerIncremental: copyOfNewer !== undefined && isIncremental.get(copyOfNewer.copyId) === true,
    refusals,
    copiesOfDecoy: copies.filter(({ params }) => params['SourceSnapshotId'] === decoy).length,
    stuck: await messagesIn(sqs, stuckEventsQueueUrl),
  };
}

/** By the snapshot: how often it was shared with the account, and how often that was ended. */
function sharesIn(answer: unknown, account: string): ReadonlyMap<string, ShareCount> {
  const changes = calls.parse(answer).filter(({ params, outcome }) => {
    return outcome === 'accepted' && Object.values(params).includes(account);
  });
  const count = (of: typeof changes, change: RegExp) =>
    of.filter(({ params }) => Object.entries(params).some(([name, value]) => change.test(`${name}=${value}`))).length;
  return new Map(
    [...Map.groupBy(changes, ({ params }) => params['SnapshotId'] ?? '')].map(([snapshotId, of]) => [
      snapshotId,
      // EC2 takes either form of each.
      {
        made: count(of, /^CreateVolumePermission\.Add\.|^OperationType=add$/),
        takenBack: count(of, /^CreateVolumePermission\.Remove\.|^OperationType=remove$/),
      },
    ]),
  );
}

async function messagesIn(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages);
}
