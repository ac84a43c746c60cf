import { COPIER_TAG } from '../../core/copier-tags.ts';
import type { HeardAlert, Row } from './observer.ts';
import { stateOf } from './table.ts';

/** Has every row ended, and has every alert that it owes been heard? */
export function isOver(rows: readonly Row[]): boolean {
  return rows.every((row) => {
    const state = stateOf(row);
    return state === 'copied' || (state === 'failed' && row.alerts.length > 0);
  });
}

/** Everything that is not as it had to be; empty = the promise was kept. */
export function problemsOf(rows: readonly Row[], alerts: readonly HeardAlert[]): readonly string[] {
  const owed = rows.filter(({ expected }) => expected.end === 'alert').length;
  return [
    ...rows.flatMap(problemsOfRow),
    ...(alerts.length === owed ? [] : [`${owed} alerts were owed, ${alerts.length} came`]),
  ];
}

function problemsOfRow(row: Row): readonly string[] {
  const { expected, copies, alerts } = row;
  const name = `${expected.snapshotId} to ${expected.destination} (${expected.what})`;
  const state = stateOf(row);
  if (expected.end === 'copied') {
    const good = copies.filter((copy) => copy.state === 'completed' && copy.tags.get(COPIER_TAG.state) === 'copied');
    return [
      ...(state === 'copied' ? [] : [`${name}: expected a copy, it is ${state}`]),
      ...(good.length === 1 && copies.length === 1
        ? []
        : [`${name}: expected exactly one good copy, found ${copies.length}, of which ${good.length} good`]),
      ...(alerts.length === 0 ? [] : [`${name}: nobody should have been alerted`]),
    ];
  }
  const left = copies.filter((copy) => copy.tags.get(COPIER_TAG.state) !== 'failed');
  const reasons = alerts.map(({ reason }) => reason).join(', ');
  return [
    ...(state === 'failed' ? [] : [`${name}: expected a failure, it is ${state}`]),
    ...(alerts.length === 1 && reasons === expected.reason
      ? []
      : [`${name}: expected one alert (${expected.reason ?? ''}), came: ${reasons || 'none'}`]),
    ...(left.length === 0 ? [] : [`${name}: a half-made copy was left behind`]),
  ];
}
