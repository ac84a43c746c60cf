// `npm run demo`: the whole service on this machine, watched from outside through the real AWS SDK.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters, styleText } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { SFNClient } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createLogUpdate } from 'log-update';
import { findStateMachine } from './executions.ts';
import { Observer, type Row } from './observer.ts';
import { findQueueEvidence, type QueueEvidence } from './queue-evidence.ts';
import { QueueObserver, type QueueRow } from './queue-observer.ts';
import { describeQueueRow, drawQueue, drawStarts } from './queue-table.ts';
import { isDrained, problemsOfQueue, summaryOfQueue } from './queue-verdict.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { playScenario, type Scene } from './scenario.ts';
import { copiesSeenBy } from './seen-copies.ts';
import { describeRow, drawTable, stateOf } from './table.ts';
import { type Evidence, isOver, problemsOf } from './verdict.ts';

/** Ten minutes of copying in six seconds. */
const SPEED = 100;
const HOME_REGION = 'eu-west-1';
const HOME_ACCOUNT = '000000000000';
/** The rules select what it shares. */
const NEIGHBOUR_ACCOUNT = '111122223333';
/** A log has no edge. */
const PLAIN_COLUMNS = 200;
const GIVE_UP_AFTER_MS = 120_000;

const say = (text = '') => process.stdout.write(`${text}\n`);
// Whoever reads with `head` has read enough.
process.stdout.on('error', () => process.exit(0));
const began = Date.now();

say('Packaging the service and starting it in the sandbox …');
const rules = fileURLToPath(new URL('./copy-rules.yml', import.meta.url));
const sandbox = await startSandboxProcess(rules, SPEED);
say(`It runs at ${sandbox.endpoint}, ${SPEED} times faster than real time,`);
say('and so does what is elapsed below.');
say('Rules: sandbox/demo/copy-rules.yml\n');
const ready = Date.now();

const client = (region: string, account = HOME_ACCOUNT) => ({
  endpoint: sandbox.endpoint,
  region,
  credentials: { accessKeyId: account, secretAccessKey: 'none' },
});
const regional = <T>(make: (region: string) => T) => {
  const made = new Map<string, T>();
  return (region: string) => made.get(region) ?? made.set(region, make(region)).get(region) ?? make(region);
};
const ec2In = regional((region) => new EC2Client(client(region)));
const stepFunctions = new SFNClient(client(HOME_REGION));
const sqs = new SQSClient(client(HOME_REGION));

/** What can be seen from outside. */
interface Sight {
  readonly rows: readonly Row[];
  readonly queue: readonly QueueRow[];
}

/** An error of the demo itself must not leave the sandbox running. */
try {
  const stateMachineArn = await findStateMachine(stepFunctions);
  const observer = new Observer({ ec2In, stepFunctions, stateMachineArn, sqs, alertQueueUrl: await subscribe() });

  const scene = await playScenario({
    ec2: ec2In(HOME_REGION),
    neighbour: new EC2Client(client(HOME_REGION, NEIGHBOUR_ACCOUNT)),
    homeAccount: HOME_ACCOUNT,
    kmsIn: (region) => new KMSClient(client(region)),
    addFault,
  });
  const { rows, queue } = await watch(observer, scene);
  const { region } = scene.burst;
  const ofQueue = await findQueueEvidence(queue, {
    stepFunctions,
    stateMachineArn,
    copies: await copiesSeenBy(ec2In(region)),
    region,
    control,
  });
  showStarts(ofQueue);
  showTags(rows);
  showAlerts(observer);
  const problems = [
    ...problemsOf(rows, observer.alerts, await evidenceFor(rows)),
    ...problemsOfQueue(queue, scene.burst.deleted.snapshotId, ofQueue),
  ];
  verdict(problems, rows, queue, ofQueue);
} finally {
  await sandbox.stop();
}

/** A queue that gets every alert, as an operator would subscribe one. */
async function subscribe(): Promise<string> {
  const sns = new SNSClient(client(HOME_REGION));
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  const topic = Topics.find(({ TopicArn = '' }) => TopicArn.includes('DeadLetterTopic'));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'demo-alerts' }));
  if (topic?.TopicArn === undefined || QueueUrl === undefined) throw new Error('The sandbox has no dead-letter topic.');
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await sns.send(new SubscribeCommand({ TopicArn: topic.TopicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn }));
  return QueueUrl;
}

async function addFault(fault: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await fetch(`${sandbox.endpoint}/_sandbox/faults`, { method: 'POST', body: JSON.stringify(fault) });
  if (!answer.ok) throw new Error(`The sandbox refused the fault: ${await answer.text()}`);
}

/** What an endpoint of docs/sandbox.md answers. */
async function control(path: string): Promise<unknown> {
  return (await fetch(`${sandbox.endpoint}/_sandbox${path}`)).json();
}

/** The sandbox's clock; it sets the Date of its answers. */
async function sandboxTime(): Promise<Date> {
  const answer = await fetch(`${sandbox.endpoint}/_sandbox`);
  return new Date(answer.headers.get('date') ?? Date.now());
}

async function watch(observer: Observer, { expected, burst, deleteSources }: Scene): Promise<Sight> {
  const queueObserver = new QueueObserver({
    dynamodb: new DynamoDBClient(client(HOME_REGION)),
    ec2: ec2In(burst.region),
    burst,
  });
  const live = process.stdout.isTTY ? createLogUpdate(process.stdout) : undefined;
  const printed = new Set<string>();
  for (;;) {
    const now = await sandboxTime();
    const [rows, queue] = await Promise.all([observer.look(expected), queueObserver.look(now)]);
    await deleteSources(rows, queue);
    const ended = (isOver(rows) && isDrained(queue)) || Date.now() - ready > GIVE_UP_AFTER_MS;
    if (live === undefined) {
      for (const { line, news } of describe({ rows, queue })) {
        if (!printed.has(news)) say(line);
        printed.add(news);
      }
      if (ended) say(`\n${stripVTControlCharacters(drawTable(rows, now, PLAIN_COLUMNS))}`);
    } else {
      live(ended ? drawTable(rows, now, process.stdout.columns) : draw({ rows, queue }, now));
      if (ended) live.done();
    }
    if (ended) return { rows, queue };
    await sleep(250);
  }
}

/** Plain lines, to be printed when there is news in them. */
function describe({ rows, queue }: Sight): readonly { readonly line: string; readonly news: string }[] {
  const lines = rows.map(describeRow).map((line) => ({ line, news: line }));
  return [...lines, ...queue.flatMap((row) => describeQueueRow(row, queue))];
}

/** As much as fits into the terminal. */
function draw({ rows, queue }: Sight, now: Date): string {
  const { columns, rows: height } = process.stdout;
  const table = drawTable(rows, now, columns);
  // The last line is the cursor's.
  const left = height - 1 - table.split('\n').length;
  return left < 1 ? table : `${table}\n${drawQueue(queue, now, columns, left)}`;
}

async function evidenceFor(rows: readonly Row[]): Promise<Evidence> {
  const keys = new Map<string, string | undefined>();
  for (const { expected } of rows) {
    if (expected.end !== 'copied' || expected.key === undefined) continue;
    const describe = new DescribeKeyCommand({ KeyId: expected.key });
    // A key that is not there is a copy that is not as it should be, and told as such.
    const found = await new KMSClient(client(expected.destination)).send(describe).catch(() => undefined);
    keys.set(`${expected.destination} ${expected.key}`, found?.KeyMetadata?.Arn);
  }
  const { Tags = [] } = await ec2In(HOME_REGION).send(new DescribeTagsCommand({}));
  const log = JSON.stringify(await control('/logs?function=onSnapshotEvent'));
  return {
    keyArn: (region, alias) => keys.get(`${region} ${alias}`),
    sourceTags: (snapshotId) =>
      new Map(Tags.filter((tag) => tag.ResourceId === snapshotId).map(({ Key = '', Value = '' }) => [Key, Value])),
    requests: (snapshotId, destination) => log.split(`: ${snapshotId} for ${destination}: `).length - 1,
  };
}

function showStarts({ starts }: QueueEvidence): void {
  const columns = process.stdout.isTTY ? process.stdout.columns : PLAIN_COLUMNS;
  const table = drawStarts(starts, columns);
  say(`\n${heading('The queue, in the order in which it started')}`);
  say(process.stdout.isTTY ? table : stripVTControlCharacters(table));
}

function showTags(rows: readonly Row[]): void {
  const row = rows.find(({ expected: { what }, copies }) => what === '80 GiB' && copies.length > 0);
  const copy = row?.copies[0];
  if (row === undefined || copy === undefined) return;
  say(`\n${heading(`Tags of ${copy.copyId}, copy of ${row.expected.snapshotId} in ${row.expected.destination}`)}`);
  for (const [key, value] of [...copy.tags].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    say(`  ${key.padEnd(36)} ${value}`);
}

function showAlerts(observer: Observer): void {
  for (const { subject, message } of observer.alerts) say(`\n${heading(`Alert: ${subject}`)}\n${message}`);
}

function verdict(
  problems: readonly string[],
  rows: readonly Row[],
  queue: readonly QueueRow[],
  ofQueue: QueueEvidence,
): void {
  const seconds = Math.round((Date.now() - began) / 1000);
  say();
  if (problems.length === 0) {
    const copied = [...rows.map(stateOf), ...queue.map(({ request }) => request?.status)].filter(
      (state) => state === 'copied',
    ).length;
    const failed = rows.filter((row) => stateOf(row) === 'failed').length;
    for (const line of summaryOfQueue(queue, ofQueue)) say(line);
    say(`All as expected after ${seconds} s: ${copied} copies, each once; ${failed} failures, one alert each.`);
    return;
  }
  say(`Not as expected after ${seconds} s:`);
  for (const problem of problems) say(`  ${problem}`);
  process.exitCode = 1;
}

function heading(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}
