import { COPIER_TAG, copiedToTag } from '../../core/copier-tags.ts';
import type { HeardAlert, Row } from './observer.ts';
import type { Expected } from './scenario.ts';
import type { SeenCopy } from './seen-copies.ts';
import { stateOf } from './table.ts';

/** What the rows do not show, looked up when all is over. */
export interface Evidence {
  /** The key behind an alias, as an ARN. */
  readonly keyArn: (region: string, alias: string) => string | undefined;
  /** Tags of a source snapshot. */
  readonly sourceTags: (snapshotId: string) => ReadonlyMap<string, string>;
  /** How often the function onSnapshotEvent heard of the snapshot and asked for this copy. */
  readonly requests: (snapshotId: string, destination: string) => number;
}

/** Has every row ended, and has every alert that it owes been heard? */
export function isOver(rows: readonly Row[]): boolean {
  return rows.every((row) => {
    const state = stateOf(row);
    return state === 'copied' || (state === 'failed' && row.alerts.length > 0);
  });
}

/** Everything that is not as it had to be; empty = the promise was kept. */
export function problemsOf(rows: readonly Row[], alerts: readonly HeardAlert[], evidence: Evidence): readonly string[] {
  const owed = rows.filter(({ expected }) => expected.end === 'alert').length;
  return [
    ...rows.flatMap((row) => {
      const { snapshotId, destination, what } = row.expected;
      return problemsOfRow(row, evidence).map((problem) => `${snapshotId} to ${destination} (${what}): ${problem}`);
    }),
    ...(alerts.length === owed ? [] : [`${owed} alerts were owed, ${alerts.length} came`]),
  ];
}

function problemsOfRow({ expected, copies, alerts, ...rest }: Row, evidence: Evidence): readonly string[] {
  const state = stateOf({ expected, copies, alerts, ...rest });
  if (expected.end === 'alert') {
    const left = copies.filter((copy) => copy.tags.get(COPIER_TAG.state) !== 'failed');
    const reasons = alerts.map(({ reason }) => reason).join(', ');
    const unsaid = (expected.wayOut ?? []).filter((words) => alerts.some(({ message }) => !message.includes(words)));
    return [
      ...(state === 'failed' ? [] : [`expected a failure, it is ${state}`]),
      ...(reasons === expected.reason ? [] : [`expected one alert (${expected.reason}), came: ${reasons || 'none'}`]),
      ...unsaid.map((words) => `its alert does not say ${words}`),
      ...(left.length === 0 ? [] : ['a half-made copy was left behind']),
    ];
  }
  const [copy, ...more] = copies;
  const requests = evidence.requests(expected.snapshotId, expected.destination);
  return [
    ...(state === 'copied' ? [] : [`expected a copy, it is ${state}`]),
    ...(copy === undefined || more.length > 0 ? [`expected exactly one copy, found ${copies.length}`] : []),
    ...(copy === undefined ? [] : problemsOfCopy(copy, expected, evidence)),
    ...(alerts.length === 0 ? [] : ['nobody should have been alerted']),
    ...(expected.events === undefined || requests === expected.events
      ? []
      : [`its event came ${requests} times and not ${expected.events}`]),
  ];
}

function problemsOfCopy(
  copy: SeenCopy,
  { destination, key, tags, snapshotId, isMarked = true }: Extract<Expected, { end: 'copied' }>,
  { keyArn, sourceTags }: Evidence,
): readonly string[] {
  const wantedKey = key === undefined ? undefined : keyArn(destination, key);
  const wantedTags = Object.entries({ ...tags, [COPIER_TAG.state]: 'copied' });
  const wrongTags = wantedTags.filter(([name, value]) => copy.tags.get(name) !== value).map(([name]) => name);
  const mark = sourceTags(snapshotId).get(copiedToTag(destination));
  return [
    ...(copy.state === 'completed' ? [] : [`the copy is ${copy.state}`]),
    ...(copy.kmsKeyId === wantedKey
      ? []
      : [`the copy is under ${copy.kmsKeyId ?? 'no key'}, not ${wantedKey ?? 'none'}`]),
    ...(wrongTags.length === 0 ? [] : [`the copy lacks the right tags ${wrongTags.join(', ')}`]),
    ...(mark === (isMarked ? copy.copyId : undefined) ? [] : [`its source is marked with ${mark ?? 'no copy'}`]),
  ];
}
