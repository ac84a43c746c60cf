import { describe, expect, it } from 'vitest';
import { checkStuckEvents, checkTopic, type Subscription } from '../../../core/doctor/alerts.ts';
import { brief, briefs, DEPLOYMENT } from './examples.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:444455556666:our-topic';
const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/444455556666/our-queue';

function subscription(over: Partial<Subscription> = {}): Subscription {
  return { protocol: 'email', endpoint: 'oncall@example.com', isConfirmed: true, ...over };
}

describe('the dead-letter topic', () => {
  const check = (...those: readonly Subscription[]) => briefs(checkTopic(TOPIC, { value: those }, DEPLOYMENT));

  it('has somebody who hears it', () => {
    expect(check(subscription(), subscription({ protocol: 'sqs' }), subscription())).toEqual([
      'ok: email, sqs confirmed',
    ]);
  });

  it('without anybody is subscribed to by a command', () => {
    expect(check()).toEqual([
      `problem: nobody subscribes to it\naws sns subscribe --region eu-west-1 --topic-arn ${TOPIC} --protocol email --notification-endpoint oncall@example.com`,
    ]);
  });

  it('with somebody who has not confirmed is a problem, until somebody else has', () => {
    const pending = subscription({ isConfirmed: false, endpoint: "o'hara@example.com" });
    expect(check(pending)).toEqual([
      `problem: email o'hara@example.com has not confirmed the subscription\naws sns subscribe --region eu-west-1 --topic-arn ${TOPIC} --protocol email --notification-endpoint 'o'\\''hara@example.com'`,
    ]);
    expect(check(pending, subscription()).map((text) => text.split(':')[0])).toEqual(['ok', 'warning']);
  });

  it('may be gone, or not to be seen', () => {
    expect(briefs(checkTopic(TOPIC, { value: undefined }, DEPLOYMENT))[0]).toMatch(
      /^problem: there is no such topic\nnpx serverless deploy/,
    );
    expect(checkTopic(TOPIC, { unknown: 'no', lacks: ['sns:ListSubscriptionsByTopic'] }, DEPLOYMENT)[0]?.status).toBe(
      'unchecked',
    );
  });
});

describe('events that nobody could process', () => {
  const check = (waiting: number) => brief(checkStuckEvents(QUEUE, { value: waiting }, DEPLOYMENT));

  it('are none', () => {
    expect(check(0)).toBe('ok: empty');
  });

  it('are read, made up for, and removed', () => {
    expect(check(1)).toContain('problem: 1 event waits there\n');
    expect(check(3)).toBe(
      [
        'problem: 3 events wait there',
        `aws sqs receive-message --region eu-west-1 --queue-url ${QUEUE} --max-number-of-messages 10 --message-attribute-names All`,
        'snapshot-copier backfill --since 14d',
        `aws sqs purge-queue --region eu-west-1 --queue-url ${QUEUE}`,
      ].join('\n'),
    );
  });

  it('may not be seen', () => {
    expect(checkStuckEvents(QUEUE, { unknown: 'no' }, DEPLOYMENT).status).toBe('unchecked');
  });
});
