import { shellWord } from '../shell-word.ts';
import { type Deployment, deployCommand } from './deploy-command.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** Somebody who hears of failed copies, or will. */
export interface Subscription {
  readonly protocol: string;
  readonly endpoint: string;
  readonly isConfirmed: boolean;
}

/**
 * Whether anybody hears of failed copies.
 *
 * @param subscriptions undefined if there is no such topic
 */
export function checkTopic(
  topicArn: string,
  subscriptions: Fact<readonly Subscription[] | undefined>,
  deployment: Deployment,
): readonly Finding[] {
  const { region } = deployment.install;
  const check = 'topic';
  const about = `dead-letter topic ${topicArn.split(':').at(-1)}`;
  const why = 'Every copy that fails is told there once, and nobody would hear of it.';
  if (!isKnown(subscriptions)) return [couldNotCheck(subscriptions, { check, about, why })];
  if (subscriptions.value === undefined) {
    const deploy = { say: 'Deploy again; that makes what is missing:', run: deployCommand(deployment) };
    return [{ check, about, status: 'problem', found: 'there is no such topic', why, mend: [deploy] }];
  }
  const subscribe = (protocol: string, endpoint: string) => [
    `aws sns subscribe --region ${region} --topic-arn ${topicArn}`,
    `--protocol ${protocol} --notification-endpoint ${shellWord(endpoint)}`,
  ];
  const confirmed = subscriptions.value.filter(({ isConfirmed }) => isConfirmed);
  const pending = subscriptions.value
    .filter(({ isConfirmed }) => !isConfirmed)
    .map(
      ({ protocol, endpoint }): Finding => ({
        check,
        about,
        status: confirmed.length === 0 ? 'problem' : 'warning',
        found: `${protocol} ${endpoint} has not confirmed the subscription`,
        why: confirmed.length === 0 ? why : 'Whoever that is does not hear of copies that fail.',
        mend: [
          {
            say: 'Open the link in the mail "AWS Notification - Subscription Confirmation". It holds for two days; this sends another:',
            run: subscribe(protocol, endpoint),
          },
        ],
      }),
    );
  if (confirmed.length > 0) {
    const found = `${[...new Set(confirmed.map(({ protocol }) => protocol))].join(', ')} confirmed`;
    return [fine({ check, about, found }), ...pending];
  }
  if (pending.length > 0) return pending;
  return [
    {
      check,
      about,
      status: 'problem',
      found: 'nobody subscribes to it',
      why,
      mend: [{ say: 'Subscribe, and confirm the mail that comes:', run: subscribe('email', 'oncall@example.com') }],
    },
  ];
}

/** Whether there are events that no function could process. */
export function checkStuckEvents(queueUrl: string, waiting: Fact<number>, deployment: Deployment): Finding {
  const { region } = deployment.install;
  const of = { check: 'stuck-events', about: 'queue of events that nobody could process' };
  const why = 'Each of them is a snapshot, or the end of a copy, that the service does not know of.';
  if (!isKnown(waiting)) return couldNotCheck(waiting, { ...of, why });
  if (waiting.value === 0) return fine({ ...of, found: 'empty' });
  const at = `--region ${region} --queue-url ${queueUrl}`;
  return {
    ...of,
    status: 'problem',
    found: waiting.value === 1 ? '1 event waits there' : `${waiting.value} events wait there`,
    why,
    mend: [
      {
        say: 'Read them. ERROR_MESSAGE, or errorMessage in responsePayload, says what went wrong:',
        run: [`aws sqs receive-message ${at}`, '--max-number-of-messages 10 --message-attribute-names All'],
      },
      {
        say: 'When the cause is removed, ask for the copies that are missing:',
        run: ['snapshot-copier backfill --since 14d'],
      },
      { say: 'Then empty the queue, so that it shows what comes:', run: [`aws sqs purge-queue ${at}`] },
    ],
  };
}
