import type { HeardAlert, Row } from './observer.ts';
import { heading, say } from './screen.ts';

/** All tags of a row's copy. */
export function showTags({ expected, copies }: Row): void {
  const [copy] = copies;
  if (copy === undefined) return;
  say(`\n${heading(`Tags of ${copy.copyId}, copy of ${expected.snapshotId} in ${expected.destination}`)}`);
  for (const [key, value] of [...copy.tags].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    say(`  ${key.padEnd(36)} ${value}`);
}

/** Every alert, to the letter. */
export function showAlerts(alerts: readonly HeardAlert[]): void {
  for (const { subject, message } of alerts) say(`\n${heading(`Alert: ${subject}`)}\n${message}`);
}

/** Of an alert what failed, and of what to do the steps that say one of these words. */
export function showWayOut({ subject, message }: HeardAlert, words: readonly string[]): void {
  const [failed = ''] = message.split('\n\n');
  say(`\n${heading(`Alert: ${subject}`)}\n${failed}\n`);
  for (const step of stepsWith(message, words)) say(step);
  say(`  … of ${message.split('\n').length} lines`);
}

/** The numbered steps that say one of these words. */
export function stepsWith(message: string, words: readonly string[]): readonly string[] {
  const parts = message.split(/\n(?= {2}\d+\. |\n)/);
  return parts.filter((part) => /^ {2}\d+\. /.test(part) && words.some((word) => part.includes(word)));
}
