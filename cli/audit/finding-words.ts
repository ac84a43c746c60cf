import type { Finding, FindingItem } from '../../core/audit/findings.ts';
import { count, duration, gib, inMinutes } from '../words.ts';
import { type Report, rpoOf, windowOf } from './report.ts';

/** A finding for people. */
export interface FindingWords {
  readonly title: string;
  /** What it means and what to do about it, in some sentences. */
  readonly advice: string;
  /** To be pasted into a shell, a line each. */
  readonly commands: readonly string[];
  /** Columns of `rowOf`. */
  readonly columns: readonly string[];
}

/** Lines of commands that somebody would paste. */
const MOST_COMMANDS = 10;
/** Ids that go into one command. */
const MOST_IDS = 10;

export function wordsOf(finding: Finding, { evidence, options }: Report): FindingWords {
  const { items, destination = '', kind } = finding;
  const snapshots = count(items.length, 'snapshot');
  const volumes = count(items.length, 'volume');
  const copies = count(items.length, 'copy', 'copies');
  const one = items.length === 1;
  const rpo = rpoOf(evidence);
  const ours = (command: string): string => `snapshot-copier ${command}${options.ours}`;
  const remove = (copyIds: readonly string[]): readonly string[] =>
    copyIds
      .slice(0, MOST_COMMANDS)
      .map((id) => `aws ec2 delete-snapshot --region ${regionOf(destination)} --snapshot-id ${id}${options.aws}`);
  const again = askAgain(finding, evidence.now).map(ours);

  switch (kind) {
    case 'unseen-account':
      return {
        title: `${count(items.length, 'source account')} could not be looked into`,
        advice:
          'Whether its snapshots have their copies is not known. This says what is wrong there, and what mends it:',
        commands: [ours('doctor')],
        columns: ['Account', 'Why'],
      };
    case 'failed':
      return {
        title: `${snapshots} could not be copied to ${destination}`,
        advice: 'The alert of each says why, and what removes the cause. Then ask for it again.',
        commands: again,
        columns: SNAPSHOT_COLUMNS,
      };
    case 'missing':
      return {
        title: `${snapshots} ${one ? 'has' : 'have'} no copy at ${destination}, and nobody works on ${one ? 'it' : 'them'}`,
        advice: `Nothing makes ${one ? 'this copy' : 'these copies'} unless somebody asks for ${one ? 'it' : 'them'}.`,
        commands: again,
        columns: SNAPSHOT_COLUMNS,
      };
    case 'late':
      return {
        title: `${snapshots} ${one ? 'is' : 'are'} older than ${rpo} and not copied to ${destination} yet`,
        advice: 'Somebody works on it: see how far the queue and the copies are, and when they should end.',
        commands: [ours('status')],
        columns: SNAPSHOT_COLUMNS,
      };
    case 'wrong-encryption':
      return {
        title: `${copies} at ${destination} ${one ? 'is' : 'are'} not encrypted as the rule says`,
        advice:
          'If the rule was changed on purpose, copies from before stay as they were, and a later --since leaves them out. A new copy is made only when the old one is gone, so delete it only if you can be without one meanwhile.',
        commands: [...remove(items.flatMap(({ copyIds }) => copyIds)), ...again],
        columns: SNAPSHOT_COLUMNS,
      };
    case 'behind':
      return {
        title: `${volumes} ${one ? 'has' : 'have'} no good copy of data younger than ${rpo} at ${destination}`,
        advice: `What became of their newest snapshots stands with those that failed, are missing or late. Where these are only under way, ${rpo} is less than the time between two snapshots and that of a copy together.`,
        commands: [],
        columns: ['Name', 'Volume', 'Newest good copy', 'Its data', 'Why'],
      };
    case 'snapshots-stopped':
      return {
        title: `${volumes} ${one ? 'exists' : 'exist'} and had no snapshot for longer than ${rpo}`,
        advice:
          'There is nothing newer to copy. Look at what should take the snapshots (Data Lifecycle Manager, AWS Backup, a script), and at why the rules do not select what it takes.',
        commands: [ours(`plan --since ${daysSince(items, evidence.now)}d`)],
        columns: ['Name', 'Volume', 'Last snapshot', 'Taken', 'Beside that'],
      };
    case 'duplicate':
      return {
        title: `${snapshots} ${one ? 'has' : 'have'} more than one good copy at ${destination}`,
        advice: 'The first is the one that the service takes for its own. The others only cost storage.',
        commands: remove(items.flatMap(({ copyIds }) => copyIds.slice(1))),
        columns: SNAPSHOT_COLUMNS,
      };
    case 'full-copies':
      return {
        title: `${copies} at ${destination} ${one ? 'was' : 'were'} full, by EC2’s rule, where ${one ? 'an incremental one was' : 'incremental ones were'} expected`,
        advice:
          'A full copy moves and stores the whole volume again. EC2 tells this only in the event of each copy; here it is computed from the copies that exist now, so one that was deleted since may have made it otherwise.',
        commands: [],
        columns: ['Name', 'Volume', 'Copy', 'Size', 'Why'],
      };
    case 'source-gone':
      return {
        title: `${copies} at ${destination} ${one ? 'has outlived its source snapshot' : 'have outlived their source snapshots'}`,
        advice: 'That is as it should be where sources are kept for a shorter time than copies.',
        commands: [],
        columns: ['Name', 'Volume', 'Copy', 'Data taken', 'Why'],
      };
    case 'not-selected':
      return {
        title: `${copies} at ${destination} ${one ? 'is of a snapshot' : 'are of snapshots'} that no rule selects for there`,
        advice: 'The rules, or the tags of the sources, have changed since. If nobody needs them, delete them.',
        commands: remove(items.flatMap(({ copyIds }) => copyIds)),
        columns: ['Name', 'Volume', 'Copy', 'Data taken', 'Why'],
      };
    case 'untraceable':
      return {
        title: `${copies} at ${destination} ${one ? 'lacks' : 'lack'} the tags that say what ${one ? 'it is a copy' : 'they are copies'} of`,
        advice: 'Somebody took tags away. Such a copy counts for no volume.',
        commands: [],
        columns: ['Name', 'Volume', 'Copy', 'Data taken', 'Why'],
      };
    case 'unseen-volumes':
      return {
        title: `${volumes} ${one ? 'has copies, but had' : 'have copies, but had'} no snapshot in the last ${windowOf(evidence)}, and EC2 does not tell whether ${one ? 'it still exists' : 'they still exist'}`,
        advice: 'Ask their owners: a volume was deleted, or its snapshots are no longer taken, or no longer shared.',
        commands: [],
        columns: ['Name', 'Volume', 'Last snapshot', 'Taken'],
      };
    default:
      return kind satisfies never;
  }
}

const SNAPSHOT_COLUMNS = ['Name', 'Volume', 'Snapshot', 'Taken', 'Copy', 'Why'];

/** The cells of an item under the columns of its finding. Names in it are what users wrote. */
function rowOf({ kind, cause }: Finding, item: FindingItem, now: Date): readonly string[] {
  const { volumeId = 'unknown', volumeName = '', snapshotId = 'unknown', copyIds, dataTime, sizeGiB } = item;
  const volume = [volumeName, volumeId];
  const copies = copyIds.join(', ');
  const taken = dataTime === undefined ? 'unknown' : inMinutes(new Date(dataTime));
  const age = dataTime === undefined ? 'none' : `${duration(now.getTime() - dataTime)} old`;
  const reason = cause === undefined ? (item.reason ?? '') : '';
  switch (kind) {
    case 'unseen-account':
      return [item.account ?? '', reason];
    case 'behind':
      return [...volume, copies || 'none', copies === '' ? '' : age, reason];
    case 'full-copies':
      return [...volume, copies, gib(sizeGiB ?? 0), reason];
    case 'source-gone':
    case 'not-selected':
    case 'untraceable':
      return [...volume, copies, taken, reason];
    case 'snapshots-stopped':
    case 'unseen-volumes':
      return [...volume, snapshotId, `${taken}, ${age}`, reason];
    case 'duplicate':
      return [...volume, snapshotId, taken, copies, ''];
    default:
      return [...volume, snapshotId, taken, reason === '' ? copies : '', reason];
  }
}

/** Without columns that are empty. */
export function tableOf(
  finding: Finding,
  { columns }: FindingWords,
  most: number,
  now: Date,
): readonly (readonly string[])[] {
  const rows = finding.items.slice(0, most).map((item) => rowOf(finding, item, now));
  const used = columns.map((_, index) => index).filter((index) => rows.some((row) => (row[index] ?? '') !== ''));
  return [columns, ...rows].map((row) => used.map((index) => row[index] ?? ''));
}

/** The Region of a destination: also that of its Local Zones and Outposts. */
function regionOf(destination: string): string {
  return /^[a-z]{2,4}(?:-[a-z]+)+-\d/.exec(destination)?.[0] ?? destination;
}

/** Commands that ask for the copies again, without the name of the program. */
function askAgain({ kind, items, destination = '' }: Finding, now: Date): readonly string[] {
  const asked = items.filter(({ wasAsked }) => wasAsked === true).flatMap(({ snapshotId }) => snapshotId ?? []);
  const never = items.filter(({ wasAsked }) => wasAsked !== true);
  const lines = Array.from({ length: Math.ceil(asked.length / MOST_IDS) }, (_, line) =>
    asked.slice(line * MOST_IDS, (line + 1) * MOST_IDS),
  );
  const retries =
    kind === 'failed' && lines.length > 1
      ? ['retry --all-failed']
      : lines.slice(0, MOST_COMMANDS).map((ids) => `retry ${ids.join(' ')}`);
  const backfill = never.length === 0 ? [] : [`backfill --since ${daysSince(never, now)}d`];
  return [...retries, ...backfill].map((command) => `${command} --destination ${destination}`);
}

/** So many days ago, counted generously, the oldest was taken. */
function daysSince(items: readonly FindingItem[], now: Date): number {
  const oldest = items.reduce((least, { dataTime }) => Math.min(least, dataTime ?? least), now.getTime());
  return Math.max(1, Math.ceil((now.getTime() - oldest) / 86_400_000));
}
