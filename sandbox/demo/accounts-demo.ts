import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { findAccountsEvidence, findRowEvidence } from './accounts-evidence.ts';
import { type AccountsScene, playAccountsScenario, SOURCE_ACCOUNTS } from './accounts-scenario.ts';
import { describeForeignRow, drawAccounts, type ForeignRow } from './accounts-table.ts';
import { isReleased, problemsOfAccounts, summaryOfAccounts } from './accounts-verdict.ts';
import { showTags, showWayOut } from './details.ts';
import { findStateMachine } from './executions.ts';
import { forgeEvents, type Refusals, refusalsIn } from './forgeries.ts';
import { Observer } from './observer.ts';
import type { Outcome } from './outcome.ts';
import { heading, Screen, say } from './screen.ts';
import { SourceObserver } from './source-observer.ts';
import { HOME_ACCOUNT, HOME_REGION, openStage, type Stage } from './stage.ts';
import { stateOf } from './table.ts';
import { isOver, problemsOf } from './verdict.ts';

/** Ten minutes of copying in six seconds. */
const SPEED = 100;
/** What takes hours and shows nothing but its end. */
const FAST = 3000;
/** On AWS up to 90. */
const SHARE_DELAY_SECONDS = 30;
const GIVE_UP_AFTER_MS = 120_000;
/** An intermediate copy that is needed no more goes after two hours, or with the next look of every hour. */
const LATER_MS = 3.5 * 3_600_000;

/** `npm run demo -- --accounts`: snapshots of other accounts, with the companion and without. */
export async function playAccounts(): Promise<Outcome> {
  const stage = await openStage('accounts-rules.yml', { speed: SPEED, shareDelaySeconds: SHARE_DELAY_SECONDS });
  // An error of the demo itself must not leave the sandbox running.
  try {
    return await playOn(stage);
  } finally {
    await stage.stop();
  }
}

async function playOn(stage: Stage): Promise<Outcome> {
  const { name, outputs } = await stage.stack();
  const screen = new Screen();
  introduce(name);
  const look = await lookFrom(stage);
  const scene = await playAccountsScenario({
    ec2: (account) => stage.ec2(HOME_REGION, account),
    kms: (account) => stage.kms(HOME_REGION, account),
    install: { name, account: HOME_ACCOUNT, region: HOME_REGION },
  });
  const bus = `arn:aws:events:${HOME_REGION}:${HOME_ACCOUNT}:event-bus/${outputs.get('SourceEventBusName')}`;
  const ofBus = await forgeEvents(scene.decoy, { events: stage.events, post: stage.post, bus, region: HOME_REGION });
  const { rows, refusals } = await watch(stage, scene, look.rows, ofBus, screen);

  const tagged = rows.find(({ expected, copies }) => expected.share === 'intermediate' && copies.length > 0);
  if (tagged !== undefined) showTags(tagged);
  for (const { expected, alerts } of rows) {
    if (expected.end === 'alert') for (const alert of alerts) showWayOut(alert, expected.wayOut ?? []);
  }

  say(`\n${heading('Intermediate copies, some hours later')}`);
  const hoursLater = await passHours(stage, scene, look.rows);
  showIntermediates(rows, hoursLater);
  const evidence = await findAccountsEvidence(rows, hoursLater, refusals, scene, {
    control: stage.control,
    sqs: stage.sqs,
    stuckEventsQueueUrl: outputs.get('StuckEventsQueueUrl') ?? '',
  });
  const ended = (state: string) => rows.filter((row) => stateOf(row) === state).length;
  return {
    problems: [
      ...problemsOf(rows, look.alerts(), await findRowEvidence(rows, stage)),
      ...problemsOfAccounts(rows, evidence),
    ],
    summary: summaryOfAccounts(rows, evidence),
    ending: `${ended('copied')} copies, each once; ${ended('failed')} failures, one alert each.`,
  };
}

function introduce(install: string): void {
  const { payroll, shop, agency } = SOURCE_ACCOUNTS;
  say(`${HOME_ACCOUNT}  has the service, ${install}, and gets the copies`);
  say(`${payroll}  has companions/source-account.yml`);
  say(`${shop}  has it, too`);
  say(`${agency}  has nothing of it, and shares a snapshot by hand\n`);
}

/** How the rows are looked at, from home and from the accounts that own the sources. */
async function lookFrom(stage: Stage) {
  const { stepFunctions, sqs } = stage;
  const stateMachineArn = await findStateMachine(stepFunctions);
  const alertQueueUrl = await stage.subscribe();
  const observer = new Observer({ ec2In: stage.ec2, stepFunctions, stateMachineArn, sqs, alertQueueUrl });
  const sources = new SourceObserver((account) => stage.ec2(HOME_REGION, account));
  return {
    alerts: () => observer.alerts,
    rows: async ({ expected }: AccountsScene): Promise<readonly ForeignRow[]> => {
      const atHome = await observer.look(expected);
      const owners = new Map<string, Awaited<ReturnType<typeof sources.look>>>();
      for (const { owner } of expected) {
        if (!owners.has(owner)) owners.set(owner, await sources.look(owner));
      }
      const nothing = { source: undefined, intermediates: [] };
      return expected.flatMap((one, index) => {
        const row = atHome[index];
        const there = owners.get(one.owner)?.(one.snapshotId) ?? nothing;
        return row === undefined ? [] : [{ ...row, expected: one, there, home: HOME_ACCOUNT }];
      });
    },
  };
}

async function watch(
  stage: Stage,
  scene: AccountsScene,
  look: (scene: AccountsScene) => Promise<readonly ForeignRow[]>,
  ofBus: string | undefined,
  screen: Screen,
): Promise<{ readonly rows: readonly ForeignRow[]; readonly refusals: Refusals }> {
  const began = Date.now();
  for (;;) {
    const [now, rows, log] = await Promise.all([
      stage.now(),
      look(scene),
      stage.control('/logs?function=onSnapshotEvent'),
    ]);
    const refusals = { ofBus, ofFunction: refusalsIn(log) };
    const forged = describeRefusals(refusals);
    const picture = () =>
      [
        drawAccounts(rows, now, screen.columns),
        ...forged.map((line) => styleText('yellow', line.slice(0, screen.columns))),
      ].join('\n');
    screen.show(picture, () => [...rows.map(describeForeignRow), ...forged.map((line) => ({ line, news: line }))]);
    if ((isOver(rows) && isReleased(rows)) || Date.now() - began > GIVE_UP_AFTER_MS) {
      screen.keep(picture);
      return { rows, refusals };
    }
    await sleep(250);
  }
}

function describeRefusals({ ofBus, ofFunction }: Refusals): readonly string[] {
  return [
    `Forged, bus refused      ${SOURCE_ACCOUNTS.stranger}: ${ofBus ?? 'no'}`,
    ...ofFunction.map((reason) => `Forged, function refused ${inShort(reason)}`),
  ];
}

/** Who told of what, without the whole event. */
function inShort(reason: string): string {
  return reason
    .replace('an event of account ', '')
    .replace('Cannot read this event, ', '')
    .replace(/\. Found: .*/, '')
    .replace(/ about snap-\w+, which is not/, ': not');
}

function showIntermediates(whenCopied: readonly ForeignRow[], hoursLater: readonly ForeignRow[]): void {
  const left = new Set(hoursLater.flatMap(({ there }) => there.intermediates).map(({ snapshotId }) => snapshotId));
  for (const { expected, there } of whenCopied) {
    for (const { snapshotId } of there.intermediates) {
      say(
        `  ${snapshotId} of ${expected.what}: ${left.has(snapshotId) ? 'kept for the next of its volume' : 'removed'}`,
      );
    }
  }
}

/** Until the older intermediate copy is gone, or should be. */
async function passHours(
  { now, post }: Stage,
  scene: AccountsScene,
  look: (scene: AccountsScene) => Promise<readonly ForeignRow[]>,
): Promise<readonly ForeignRow[]> {
  const until = (await now()).getTime() + LATER_MS;
  await post('/speed', { speed: FAST });
  for (;;) {
    const isLate = (await now()).getTime() > until;
    const rows = await look(scene);
    const older = rows.find(({ expected }) => expected.snapshotId === scene.pair[0]);
    if (isLate || older?.there.intermediates.length === 0) return rows;
    await sleep(250);
  }
}
