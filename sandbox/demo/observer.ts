import type { EC2Client } from '@aws-sdk/client-ec2';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { findExecution } from './executions.ts';
import type { Expected } from './scenario.ts';
import { copiesSeenBy, type SeenCopy } from './seen-copies.ts';

/** A message of the dead-letter topic, as its subscribers get it. */
export interface HeardAlert {
  readonly subject: string;
  readonly message: string;
  readonly sourceSnapshot: string;
  readonly destinationRegion: string;
  readonly reason: string;
}

/** One expected copy and what can be seen of it now. */
export interface Row {
  readonly expected: Expected;
  /** Step Functions' status, or undefined before the execution starts. */
  readonly status?: string | undefined;
  readonly started?: Date | undefined;
  readonly stopped?: Date | undefined;
  /** More than one would be a duplicate. */
  readonly copies: readonly SeenCopy[];
  readonly alerts: readonly HeardAlert[];
}

const notification = z.object({
  Subject: z.string(),
  Message: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ Value: z.string() })),
});

/** Looks at the service from outside only: through the same APIs that its users have. */
export class Observer {
  readonly #ec2In: (region: string) => EC2Client;
  readonly #stepFunctions: SFNClient;
  readonly #stateMachineArn: string;
  readonly #sqs: SQSClient;
  readonly #alertQueueUrl: string;
  readonly #alerts: HeardAlert[] = [];

  constructor(ports: {
    readonly ec2In: (region: string) => EC2Client;
    readonly stepFunctions: SFNClient;
    readonly stateMachineArn: string;
    readonly sqs: SQSClient;
    readonly alertQueueUrl: string;
  }) {
    this.#ec2In = ports.ec2In;
    this.#stepFunctions = ports.stepFunctions;
    this.#stateMachineArn = ports.stateMachineArn;
    this.#sqs = ports.sqs;
    this.#alertQueueUrl = ports.alertQueueUrl;
  }

  get alerts(): readonly HeardAlert[] {
    return this.#alerts;
  }

  async look(expected: readonly Expected[]): Promise<readonly Row[]> {
    await this.#receiveAlerts();
    const executions = await Promise.all(expected.map((one) => this.#execution(one)));
    // After the executions: of one that has ended, the copy must be seen as it was at its end.
    const regions = [...new Set(expected.map(({ destination }) => destination))];
    const copies = new Map(
      await Promise.all(regions.map(async (region) => [region, await copiesSeenBy(this.#ec2In(region))] as const)),
    );
    return expected.map((one, index) => ({
      expected: one,
      ...executions[index],
      copies: (copies.get(one.destination) ?? []).filter(({ sourceSnapshotId }) => sourceSnapshotId === one.snapshotId),
      alerts: this.#alerts.filter(
        (alert) => alert.sourceSnapshot === one.snapshotId && alert.destinationRegion === one.destination,
      ),
    }));
  }

  async #execution({ snapshotId, destination }: Expected): Promise<Pick<Row, 'status' | 'started' | 'stopped'>> {
    const name = `${snapshotId}-${destination}-1`;
    const found = await findExecution(this.#stepFunctions, this.#stateMachineArn, name);
    return { status: found?.status, started: found?.startDate, stopped: found?.stopDate };
  }

  async #receiveAlerts(): Promise<void> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({ QueueUrl: this.#alertQueueUrl, MaxNumberOfMessages: 10 }),
    );
    for (const { Body = '', ReceiptHandle } of Messages) {
      const { Subject, Message, MessageAttributes } = notification.parse(JSON.parse(Body));
      const attribute = (name: string) => MessageAttributes[name]?.Value ?? '';
      this.#alerts.push({
        subject: Subject,
        message: Message,
        sourceSnapshot: attribute('sourceSnapshot'),
        destinationRegion: attribute('destinationRegion'),
        reason: attribute('reason'),
      });
      await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: this.#alertQueueUrl, ReceiptHandle }));
    }
  }
}
