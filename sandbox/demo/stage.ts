import { fileURLToPath } from 'node:url';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SFNClient } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startSandboxProcess } from './sandbox-process.ts';
import { say } from './screen.ts';

export const HOME_REGION = 'eu-west-1';
export const HOME_ACCOUNT = '000000000000';

/** A sandbox with the service in it, as it is reached from outside: through the AWS SDK, as any account's administrator. */
export interface Stage {
  readonly endpoint: string;
  readonly ec2: (region: string, account?: string) => EC2Client;
  readonly kms: (region: string, account?: string) => KMSClient;
  readonly events: (account: string) => EventBridgeClient;
  readonly stepFunctions: SFNClient;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  /** A queue that gets every alert, as an operator would subscribe one. */
  readonly subscribe: () => Promise<string>;
  /** What an endpoint of docs/sandbox.md answers at this path. */
  readonly control: (path: string) => Promise<unknown>;
  /** The same, with something to take. */
  readonly post: (path: string, body: Readonly<Record<string, unknown>>) => Promise<void>;
  /** The sandbox's clock. */
  readonly now: () => Promise<Date>;
  /** The ARNs of keys of the home account, for pairs of Region and alias; without those that are not there. */
  readonly keyArns: (keys: readonly KeyName[]) => Promise<(region: string, alias: string) => string | undefined>;
  /** Name of the service's stack, and its outputs. */
  readonly stack: () => Promise<{ readonly name: string; readonly outputs: ReadonlyMap<string, string> }>;
  readonly stop: () => Promise<void>;
}

interface KeyName {
  readonly region: string;
  readonly alias: string;
}

/** Packages the service with rules of this folder, starts it and says so. */
export async function openStage(
  rules: string,
  options: { readonly speed: number; readonly shareDelaySeconds?: number },
): Promise<Stage> {
  say('Packaging the service and starting it in the sandbox …');
  const { endpoint, stop } = await startSandboxProcess(fileURLToPath(new URL(rules, import.meta.url)), options);
  say(`It runs at ${endpoint}, ${options.speed} times faster than real time,`);
  say('and so does what is elapsed below.');
  say(`Rules: sandbox/demo/${rules}\n`);

  const client = (region: string, account = HOME_ACCOUNT) => ({
    endpoint,
    region,
    credentials: { accessKeyId: account, secretAccessKey: 'none' },
  });
  const kept = <Client>(make: (settings: ReturnType<typeof client>) => Client) => {
    const made = new Map<string, Client>();
    return (region: string, account = HOME_ACCOUNT): Client => {
      const known = made.get(`${account} ${region}`) ?? make(client(region, account));
      made.set(`${account} ${region}`, known);
      return known;
    };
  };
  const sqs = new SQSClient(client(HOME_REGION));
  const kms = kept((settings) => new KMSClient(settings));

  return {
    endpoint,
    ec2: kept((settings) => new EC2Client(settings)),
    kms,
    events: (account) => new EventBridgeClient(client(HOME_REGION, account)),
    stepFunctions: new SFNClient(client(HOME_REGION)),
    dynamodb: new DynamoDBClient(client(HOME_REGION)),
    sqs,
    subscribe: () => subscribe(new SNSClient(client(HOME_REGION)), sqs),
    control: async (path) => (await fetch(`${endpoint}/_sandbox${path}`)).json(),
    async post(path, body) {
      const answer = await fetch(`${endpoint}/_sandbox${path}`, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`The sandbox refused ${path}: ${await answer.text()}`);
    },
    async now() {
      const answer = await fetch(`${endpoint}/_sandbox`);
      return new Date(answer.headers.get('date') ?? Date.now());
    },
    async keyArns(keys) {
      const arns = new Map<string, string | undefined>();
      for (const { region, alias } of keys) {
        // A key that is not there is a copy that is not as it should be, and told as such.
        const found = await kms(region)
          .send(new DescribeKeyCommand({ KeyId: alias }))
          .catch(() => undefined);
        arns.set(`${region} ${alias}`, found?.KeyMetadata?.Arn);
      }
      return (region, alias) => arns.get(`${region} ${alias}`);
    },
    async stack() {
      const { Stacks: [stack] = [] } = await new CloudFormationClient(client(HOME_REGION)).send(
        new DescribeStacksCommand({}),
      );
      if (stack?.StackName === undefined) throw new Error('The sandbox has no stack.');
      const outputs = (stack.Outputs ?? []).map(
        ({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue] as const,
      );
      return { name: stack.StackName, outputs: new Map(outputs) };
    },
    stop,
  };
}

async function subscribe(sns: SNSClient, sqs: SQSClient): Promise<string> {
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  const topic = Topics.find(({ TopicArn = '' }) => TopicArn.includes('DeadLetterTopic'));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'demo-alerts' }));
  if (topic?.TopicArn === undefined || QueueUrl === undefined) throw new Error('The sandbox has no dead-letter topic.');
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(new SubscribeCommand({ TopicArn: topic.TopicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn }));
  return QueueUrl;
}
