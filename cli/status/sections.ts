import { shellWord } from '../../core/shell-word.ts';
import type { Pace } from '../../core/status/copy-pace.ts';
import type { OpenFailure } from '../../core/status/failures.ts';
import type { DestinationStatus, RunningStatus, SlotStatus, WaitingStatus } from '../../core/status/status.ts';
import { progressBar } from '../progress-bar.ts';
import { shortReason } from '../short-reason.ts';
import type { Alignment } from '../table.ts';
import { count, duration, inMinutes } from '../words.ts';
import type { Seen } from './look.ts';

/** A table with a title, and what is to be said below it. */
export interface Section {
  readonly title: string;
  readonly tone: 'plain' | 'running' | 'waiting' | 'failed';
  readonly head: readonly string[];
  readonly align: readonly (Alignment | undefined)[];
  readonly rows: readonly (readonly string[])[];
  readonly below: readonly string[];
}

/** Narrower than this, ids are shortened and some columns left out. */
const WIDE = 118;
/** And narrower than this, requests that wait are shown without their volumes, which are in most of the reasons. */
const VERY_WIDE = 150;

type Column<Row> = readonly [head: string, cell: (row: Row) => string, align?: Alignment];

/** How much room there is. */
interface Room {
  readonly width: number;
  /** A terminal, where lines are not to be longer than it is wide. */
  readonly isTight: boolean;
}

/** What there is to see, in the order of the screen. Sections without rows are left out, but for the first. */
export function sectionsOf(seen: Seen, { width, isTight }: Room): readonly Section[] {
  const isWide = !isTight || width >= WIDE;
  const { status } = seen;
  const at = new Date(status.at);
  return [
    destinationSection(status.destinations, at, isWide),
    runningSection(status.running.toSorted(byAge), at, isWide),
    waitingSection(status.waiting.toSorted(byPlace), at, {
      isWide,
      hasVolumes: !isTight || width >= VERY_WIDE,
      isTight,
    }),
    failedSection(seen, at, isWide),
  ].filter((section, index) => index === 0 || section.rows.length > 0);
}

/** The heads of all queues first: what is cut off is what waits longest still. */
function byPlace(a: WaitingStatus, b: WaitingStatus): number {
  return a.place - b.place;
}

function byAge(a: RunningStatus, b: RunningStatus): number {
  return Date.parse(a.begunAt) - Date.parse(b.begunAt);
}

/** What the expected times rest on, in a sentence or two; empty if there are none. */
export function basisOf({ status }: Seen): readonly string[] {
  const isExpecting = status.running.length + status.waiting.length > 0;
  if (!isExpecting) return [];
  const paces = status.destinations.flatMap(({ running, waiting, pace }) =>
    running + waiting > 0 && pace !== null ? [paceInWords(pace)] : [],
  );
  const known = [...new Set(paces)];
  if (known.length === 0) return ['Nothing is known of how long copies take: none has ended lately.'];
  return [
    `Expected times are rough: copies under way by EC2's progress so far, which promises nothing; the others as ${known.join(', ')}.`,
  ];
}

function paceInWords({ destination, seconds, copies, of }: Pace): string {
  const time = duration(seconds * 1000);
  return of === 'ended'
    ? `the last ${count(copies, 'copy', 'copies')} to ${destination} (median ${time})`
    : `the ${count(copies, 'copy', 'copies')} under way to ${destination} (${time} at their pace)`;
}

/** Those first where something happens. */
function destinationSection(destinations: readonly DestinationStatus[], at: Date, isWide: boolean): Section {
  const columns: readonly Column<DestinationStatus>[] = [
    ['DESTINATION', ({ destination }) => idOf(destination, isWide)],
    ['WAITING', ({ waiting }) => digits(waiting), 'right'],
    [
      isWide ? 'OLDEST WAITS' : 'OLDEST',
      ({ oldestWaitingSince: since }) => (since === null ? '' : ago(since, at)),
      'right',
    ],
    ['RUNNING', ({ running }) => digits(running), 'right'],
    ['SLOTS', ({ slots }) => slotsInWords(slots), 'right'],
    ['ALL COPIED', ({ waiting, emptyAt }) => (waiting === 0 ? '' : inTime(emptyAt, at)), 'right'],
    ...(isWide ? [['', (each) => remarksOn(each, at).join('; ')] satisfies Column<DestinationStatus>] : []),
  ];
  const below = isWide
    ? []
    : destinations.flatMap((each) => {
        const remarks = isBusy(each) ? remarksOn(each, at) : [];
        return remarks.length === 0 ? [] : [`${idOf(each.destination, false)}: ${remarks.join('; ')}`];
      });
  const inOrder = [...destinations.filter(isBusy), ...destinations.filter((each) => !isBusy(each))];
  return { ...section('', 'plain', columns, inOrder), below };
}

function isBusy({ waiting, running }: DestinationStatus): boolean {
  return waiting + running > 0;
}

/** `17 of 18`. */
function slotsInWords({ ours, others, believed, ofRules }: SlotStatus): string {
  return `${ours + others} of ${Math.min(ofRules, believed ?? ofRules)}`;
}

function remarksOn({ slots, isInRules }: DestinationStatus, at: Date): readonly string[] {
  const { others, believed, ofRules, countedAt } = slots;
  return [
    ...(isInRules ? [] : ['no rule copies there any more']),
    ...(others > 0 ? [`${count(others, 'slot')} taken by others`] : []),
    ...(believed !== null && believed < ofRules ? [`${ofRules} by the rules, but EC2 refused a copy`] : []),
    ...(countedAt === at.toISOString()
      ? []
      : [countedAt === null ? 'slots not counted yet' : `slots as counted ${ago(countedAt, at)} ago`]),
  ];
}

function runningSection(running: readonly RunningStatus[], at: Date, isWide: boolean): Section {
  const columns: readonly Column<RunningStatus>[] = [
    ['RUNNING', ({ snapshotId }) => idOf(snapshotId, isWide)],
    ...(isWide ? [['VOLUME', ({ volumeId }) => volumeId] satisfies Column<RunningStatus>] : []),
    ['TO', ({ destination }) => destination],
    ['GIB', ({ sizeGiB }) => (sizeGiB === null ? '' : digits(sizeGiB)), 'right'],
    ['PROGRESS', progressOf],
    ['SINCE', ({ begunAt }) => ago(begunAt, at), 'right'],
    ['COPIED', (row) => (row.stage === 'finishing' ? 'yes' : inTime(row.expectedEnd, at)), 'right'],
  ];
  return section(count(running.length, 'copy runs', 'copies run'), 'running', columns, running);
}

function progressOf({ stage, progressPercent }: RunningStatus): string {
  if (progressPercent !== null) return progressBar(progressPercent);
  return { starting: 'starting', copying: 'not known', unseen: 'not pending', finishing: 'finishing' }[stage];
}

function waitingSection(
  waiting: readonly WaitingStatus[],
  at: Date,
  {
    isWide,
    hasVolumes,
    isTight,
  }: { readonly isWide: boolean; readonly hasVolumes: boolean; readonly isTight: boolean },
): Section {
  const columns: readonly Column<WaitingStatus>[] = [
    ['NO.', ({ place }) => digits(place), 'right'],
    ['WAITING', ({ snapshotId }) => idOf(snapshotId, isWide)],
    ...(hasVolumes ? [['VOLUME', ({ volumeId }) => volumeId] satisfies Column<WaitingStatus>] : []),
    ['TO', ({ destination }) => destination],
    ['FOR', ({ waitingSince }) => ago(waitingSince, at), 'right'],
    ['STARTS', ({ mayStart, expectedStart }) => (mayStart ? 'now' : inTime(expectedStart, at)), 'right'],
    ...(isWide
      ? [['COPIED', ({ expectedEnd }) => inTime(expectedEnd, at), 'right'] satisfies Column<WaitingStatus>]
      : []),
    ['WHY', ({ why }) => (isTight ? inShort(why) : why)],
  ];
  return section(count(waiting.length, 'request waits', 'requests wait'), 'waiting', columns, waiting);
}

/** What admission says, without what the row says already. */
function inShort(why: string): string {
  return why
    .replace(/ from vol-\S+ to \S+/, '')
    .replace(/ of the same volume, vol-\S+,/, ' of the same volume')
    .replace(
      /^all (\d+) slots, of (\d+), since EC2 refused a copy are/,
      'all $1 slots (of $2, since EC2 refused a copy) are',
    )
    .replace(', 0 by others', '')
    .replace(/snap-[0-9a-f]{8,}/g, (id) => idOf(id, false));
}

function failedSection({ failures, since }: Seen, at: Date, isWide: boolean): Section {
  const { open } = failures;
  const columns: readonly Column<OpenFailure>[] = [
    ['FAILED', ({ snapshotId, execution }) => idOf(snapshotId ?? execution, isWide)],
    ['TO', ({ destination }) => destination ?? ''],
    ['AGO', ({ endedAt }) => ago(endedAt, at), 'right'],
    ['REASON', ({ reason, isDryRun }) => `${isDryRun ? 'dry run: ' : ''}${shortReason(reason)}`],
  ];
  const [first] = open.filter(({ isDryRun }) => !isDryRun);
  const startAgain =
    first === undefined
      ? []
      : [
          `Start again: ${retryCommand(first)}`,
          ...(open.length > 1 ? [`All of them: snapshot-copier retry --all-failed --since ${hours(since, at)}h`] : []),
        ];
  const title = `${count(open.length, 'copy', 'copies')} failed since ${inMinutes(since)}`;
  return { ...section(title, 'failed', columns, open), below: startAgain };
}

/** What starts a failed copy again. */
export function retryCommand({ execution }: OpenFailure): string {
  return `snapshot-copier retry ${shellWord(execution)}`;
}

function section<Row>(
  title: string,
  tone: Section['tone'],
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Section {
  return {
    title,
    tone,
    head: columns.map(([head]) => head),
    align: columns.map(([, , align]) => align),
    rows: rows.map((row) => columns.map(([, cell]) => cell(row))),
    below: [],
  };
}

function digits(number: number): string {
  return new Intl.NumberFormat('en').format(number);
}

function ago(time: string, at: Date): string {
  return duration(at.getTime() - Date.parse(time));
}

function inTime(time: string | null, at: Date): string {
  if (time === null) return 'unknown';
  const left = Date.parse(time) - at.getTime();
  return left < 1000 ? 'any moment' : `in ${duration(left)}`;
}

function hours(since: string, at: Date): number {
  return Math.ceil((at.getTime() - Date.parse(since)) / 3_600_000);
}

/** `snap-0bb84c953e039592a` as `snap-…9592a` where there is little room; the ids of Outposts alike. */
function idOf(id: string, isWide: boolean): string {
  return isWide ? id : id.replace(/((?:^snap|-op)-)[0-9a-f]{6,}([0-9a-f]{5})$/, '$1…$2');
}
