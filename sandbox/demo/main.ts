// `npm run demo`: the whole service on this machine, watched from outside through the real AWS SDK.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters, styleText } from 'node:util';
import { DescribeTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createLogUpdate } from 'log-update';
import { Observer, type Row } from './observer.ts';
import { startSandboxProcess } from './sandbox-process.ts';
import { deleteSource, playScenario } from './scenario.ts';
import { describeRow, drawTable } from './table.ts';
import { type Evidence, isOver, problemsOf } from './verdict.ts';

/** Ten minutes of copying in six seconds. */
const SPEED = 100;
const HOME_REGION = 'eu-west-1';
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
say(`It runs at ${sandbox.endpoint}, ${SPEED} times faster than real time, and so does what is elapsed below.`);
say('Rules: sandbox/demo/copy-rules.yml\n');
const ready = Date.now();

const client = (region: string) => ({
  endpoint: sandbox.endpoint,
  region,
  credentials: { accessKeyId: '000000000000', secretAccessKey: 'none' },
});
const regional = <T>(make: (region: string) => T) => {
  const made = new Map<string, T>();
  return (region: string) => made.get(region) ?? made.set(region, make(region)).get(region) ?? make(region);
};
const ec2In = regional((region) => new EC2Client(client(region)));
const stepFunctions = new SFNClient(client(HOME_REGION));
const sqs = new SQSClient(client(HOME_REGION));

/** An error of the demo itself must not leave the sandbox running. */
try {
  const { stateMachines = [] } = await stepFunctions.send(new ListStateMachinesCommand({}));
  const stateMachineArn = stateMachines[0]?.stateMachineArn ?? '';
  const observer = new Observer({ ec2In, stepFunctions, stateMachineArn, sqs, alertQueueUrl: await subscribe() });

  const kmsIn = (region: string) => new KMSClient(client(region));
  const expected = await playScenario({ ec2: ec2In(HOME_REGION), kmsIn, addFault });
  const rows = await watch(observer, expected);
  showTags(rows);
  showAlerts(observer);
  verdict(rows, observer, await evidenceFor(rows));
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

/** The sandbox's clock; it sets the Date of its answers. */
async function sandboxTime(): Promise<Date> {
  const answer = await fetch(`${sandbox.endpoint}/_sandbox`);
  return new Date(answer.headers.get('date') ?? Date.now());
}

async function watch(observer: Observer, expected: Awaited<ReturnType<typeof playScenario>>): Promise<readonly Row[]> {
  const live = process.stdout.isTTY ? createLogUpdate(process.stdout) : undefined;
  const printed = new Set<string>();
  let sourceDeleted = false;
  for (;;) {
    const rows = await observer.look(expected);
    if (
      !sourceDeleted &&
      rows.some((row) => row.expected.end === 'alert' && row.expected.reason === 'SourceGone' && row.status)
    ) {
      await deleteSource(ec2In(HOME_REGION), expected);
      sourceDeleted = true;
    }
    if (live === undefined) {
      for (const line of rows.map(describeRow).filter((text) => !printed.has(text))) {
        printed.add(line);
        say(line);
      }
    } else {
      live(drawTable(rows, await sandboxTime(), process.stdout.columns));
    }
    if (isOver(rows) || Date.now() - ready > GIVE_UP_AFTER_MS) {
      live?.done();
      if (live === undefined) say(`\n${stripVTControlCharacters(drawTable(rows, await sandboxTime(), PLAIN_COLUMNS))}`);
      return rows;
    }
    await sleep(250);
  }
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
  const log = await (await fetch(`${sandbox.endpoint}/_sandbox/logs?function=onSnapshotEvent`)).text();
  return {
    keyArn: (region, alias) => keys.get(`${region} ${alias}`),
    sourceTags: (snapshotId) =>
      new Map(Tags.filter((tag) => tag.ResourceId === snapshotId).map(({ Key = '', Value = '' }) => [Key, Value])),
    requests: (snapshotId, destination) => log.split(`tarted execution ${snapshotId}-${destination}-1:`).length - 1,
  };
}

function showTags(rows: readonly Row[]): void {
  const row = rows.find(({ expected: { what }, copies }) => what === '120 GiB' && copies.length > 0);
  const copy = row?.copies[0];
  if (row === undefined || copy === undefined) return;
  say(`\n${heading(`Tags of ${copy.copyId}, the copy of ${row.expected.snapshotId} in ${row.expected.destination}`)}`);
  for (const [key, value] of [...copy.tags].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    say(`  ${key.padEnd(36)} ${value}`);
}

function showAlerts(observer: Observer): void {
  for (const { subject, message } of observer.alerts) say(`\n${heading(`Alert: ${subject}`)}\n${message}`);
}

function verdict(rows: readonly Row[], observer: Observer, evidence: Evidence): void {
  const problems = problemsOf(rows, observer.alerts, evidence);
  const seconds = Math.round((Date.now() - began) / 1000);
  const copied = rows.filter(({ expected }) => expected.end === 'copied').length;
  say();
  if (problems.length === 0) {
    const failed = rows.length - copied;
    say(
      `All as expected after ${seconds} s: ${copied} copies, each exactly once, and ${failed} failures, each with one alert.`,
    );
    return;
  }
  say(`Not as expected after ${seconds} s:`);
  for (const problem of problems) say(`  ${problem}`);
  process.exitCode = 1;
}

function heading(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}
