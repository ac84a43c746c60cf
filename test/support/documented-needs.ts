import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Needs {
  readonly always: readonly string[];
  readonly sometimes: readonly string[];
}

/** What docs/cli.md says that a person who calls a command must be allowed to do. */
export function documentedNeeds(command: string): Needs {
  const page = readFileSync(fileURLToPath(new URL('../../docs/cli.md', import.meta.url)), 'utf8');
  const row = page.split('\n').find((line) => line.startsWith(`| \`${command}\` | \``)) ?? '';
  const [, always = '', sometimes = ''] = row.split(' | ');
  const actionsIn = (cell: string): string[] =>
    [...cell.matchAll(/`([a-z][a-z0-9]*:\w+)`/g)].map(([, action = '']) => action).toSorted();
  return { always: actionsIn(always), sometimes: actionsIn(sometimes) };
}
