import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTagsCommand } from '@aws-sdk/client-ec2';
import { showAlerts, showTags } from './details.ts';
import { findStateMachine } from './executions.ts';
import { Observer, type Row } from './observer.ts';
import type { Outcome } from './outcome.ts';
import { findQueueEvidence, type QueueEvidence } from './queue-evidence.ts';
import { QueueObserver, type QueueRow } from './queue-observer.ts';
import { describeQueueRow, drawQueue, drawStarts } from './queue-table.ts';
import { isDrained, problemsOfQueue, summaryOfQueue } from './queue-verdict.ts';
import { playScenario, type Scene } from './scenario.ts';
import { heading, type Line, Screen, say } from './screen.ts';
import { copiesSeenBy } from './seen-copies.ts';
import { HOME_ACCOUNT, HOME_REGION, openStage, type Stage } from './stage.ts';
import { describeRow, drawTable, stateOf } from './table.ts';
import { type Evidence, isOver, problemsOf } from './verdict.ts';

/** Ten minutes of copying in six seconds. */
const SPEED = 100;
/** The rules select what it shares. */
const NEIGHBOUR_ACCOUNT = '111122223333';
const GIVE_UP_AFTER_MS = 120_000;

/** What can be seen from outside. */
interface Sight {
  readonly rows: readonly Row[];
  readonly queue: readonly QueueRow[];
}

/** `npm run demo`: snapshots of the account itself, with a queue and failures. */
export async function playCopies(): Promise<Outcome> {
  const stage = await openStage('copy-rules.yml', { speed: SPEED });
  // An error of the demo itself must not leave the sandbox running.
  try {
    return await playOn(stage);
  } finally {
    await stage.stop();
  }
}

async function playOn(stage: Stage): Promise<Outcome> {
  const { stepFunctions, sqs, control } = stage;
  const stateMachineArn = await findStateMachine(stepFunctions);
  const alertQueueUrl = await stage.subscribe();
  const observer = new Observer({ ec2In: stage.ec2, stepFunctions, stateMachineArn, sqs, alertQueueUrl });
  const scene = await playScenario({
    ec2: stage.ec2(HOME_REGION),
    neighbour: stage.ec2(HOME_REGION, NEIGHBOUR_ACCOUNT),
    homeAccount: HOME_ACCOUNT,
    kmsIn: stage.kms,
    addFault: (fault) => stage.post('/faults', fault),
  });
  const screen = new Screen();
  const { rows, queue } = await watch(stage, observer, scene, screen);
  const { region } = scene.burst;
  const copies = await copiesSeenBy(stage.ec2(region));
  const ofQueue = await findQueueEvidence(queue, { stepFunctions, stateMachineArn, copies, region, control });
  showStarts(ofQueue, screen);
  const tagged = rows.find(({ expected: { what }, copies }) => what === '80 GiB' && copies.length > 0);
  if (tagged !== undefined) showTags(tagged);
  showAlerts(observer.alerts);
  const copied = [...rows.map(stateOf), ...queue.map(({ request }) => request?.status)].filter(
    (state) => state === 'copied',
  ).length;
  const failed = rows.filter((row) => stateOf(row) === 'failed').length;
  return {
    problems: [
      ...problemsOf(rows, observer.alerts, await evidenceFor(rows, stage)),
      ...problemsOfQueue(queue, scene.burst.deleted.snapshotId, ofQueue),
    ],
    summary: summaryOfQueue(queue, ofQueue),
    ending: `${copied} copies, each once; ${failed} failures, one alert each.`,
  };
}

async function watch(
  stage: Stage,
  observer: Observer,
  { expected, burst, deleteSources }: Scene,
  screen: Screen,
): Promise<Sight> {
  const began = Date.now();
  const queueObserver = new QueueObserver({ dynamodb: stage.dynamodb, ec2: stage.ec2(burst.region), burst });
  for (;;) {
    const now = await stage.now();
    const [rows, queue] = await Promise.all([observer.look(expected), queueObserver.look(now)]);
    await deleteSources(rows, queue);
    const sight = { rows, queue };
    screen.show(
      () => draw(sight, now, screen),
      () => describe(sight),
    );
    if ((isOver(rows) && isDrained(queue)) || Date.now() - began > GIVE_UP_AFTER_MS) {
      screen.keep(() => drawTable(rows, now, screen.columns));
      return sight;
    }
    await sleep(250);
  }
}

/** Plain lines, to be printed when there is news in them. */
function describe({ rows, queue }: Sight): readonly Line[] {
  const lines = rows.map(describeRow).map((line) => ({ line, news: line }));
  return [...lines, ...queue.flatMap((row) => describeQueueRow(row, queue))];
}

/** As much as fits into the terminal. */
function draw({ rows, queue }: Sight, now: Date, { columns, rows: height }: Screen): string {
  const table = drawTable(rows, now, columns);
  // The last line is the cursor's.
  const left = height - 1 - table.split('\n').length;
  return left < 1 ? table : `${table}\n${drawQueue(queue, now, columns, left)}`;
}

async function evidenceFor(rows: readonly Row[], stage: Stage): Promise<Evidence> {
  const keys = rows.flatMap(({ expected }) =>
    expected.end === 'copied' && expected.key !== undefined
      ? [{ region: expected.destination, alias: expected.key }]
      : [],
  );
  const { Tags = [] } = await stage.ec2(HOME_REGION).send(new DescribeTagsCommand({}));
  const log = JSON.stringify(await stage.control('/logs?function=onSnapshotEvent'));
  return {
    keyArn: await stage.keyArns(keys),
    sourceTags: (snapshotId) =>
      new Map(Tags.filter((tag) => tag.ResourceId === snapshotId).map(({ Key = '', Value = '' }) => [Key, Value])),
    requests: (snapshotId, destination) => log.split(`: ${snapshotId} for ${destination}: `).length - 1,
  };
}

function showStarts({ starts }: QueueEvidence, screen: Screen): void {
  say(`\n${heading('The queue, in the order in which it started')}`);
  screen.print(drawStarts(starts, screen.columns));
}
