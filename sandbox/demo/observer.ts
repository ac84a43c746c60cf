import { DescribeSnapshotsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';
import { DeleteMessageCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import type { Expected } from './scenario.ts';

/** A message of the dead-letter topic, as its subscribers get it. */
export interface HeardAlert {
  readonly subject: string;
  readonly message: string;
  readonly sourceSnapshot: string;
  readonly destinationRegion: string;
  readonly reason: string;
}

/** A copy at a destination, as EC2 shows it. */
export interface SeenCopy {
  readonly copyId: string;
  readonly state: string;
  readonly progressPercent: number;
  /** Key ARN; undefined if it is plain. */
  readonly kmsKeyId: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
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
    const regions = [...new Set(expected.map(({ destination }) => destination))];
    const copies = new Map(
      await Promise.all(regions.map(async (region) => [region, await this.#copiesIn(region, expected)] as const)),
    );
    return Promise.all(
      expected.map(async (one) => ({
        expected: one,
        ...(await this.#execution(one)),
        copies: (copies.get(one.destination) ?? []).filter(
          ({ tags }) => tags.get(COPIER_TAG.sourceSnapshot) === one.snapshotId,
        ),
        alerts: this.#alerts.filter(
          (alert) => alert.sourceSnapshot === one.snapshotId && alert.destinationRegion === one.destination,
        ),
      })),
    );
  }

  async #execution({ snapshotId, destination }: Expected): Promise<Pick<Row, 'status' | 'started' | 'stopped'>> {
    const machine = this.#stateMachineArn.replace(':stateMachine:', ':execution:');
    const executionArn = `${machine}:${snapshotId}-${destination}-1`;
    try {
      const found = await this.#stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      return { status: found.status, started: found.startDate, stopped: found.stopDate };
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return {};
      throw error;
    }
  }

  async #copiesIn(region: string, expected: readonly Expected[]): Promise<readonly SeenCopy[]> {
    const sources = [...new Set(expected.map(({ snapshotId }) => snapshotId))];
    const { Snapshots = [] } = await this.#ec2In(region).send(
      new DescribeSnapshotsCommand({
        OwnerIds: ['self'],
        Filters: [{ Name: `tag:${COPIER_TAG.sourceSnapshot}`, Values: sources }],
      }),
    );
    return Snapshots.map(({ SnapshotId = '', State = '', Progress, KmsKeyId, Tags = [] }) => ({
      copyId: SnapshotId,
      state: State,
      progressPercent: Number.parseInt(Progress ?? '', 10) || 0,
      kmsKeyId: KmsKeyId,
      tags: new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
    }));
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
