import type { Seen } from './look.ts';
import { retryCommand } from './sections.ts';

/** The shape that docs/cli/status.md promises. */
export function statusAsJson(
  { status, failures, since, unreadable, gaps }: Seen,
  install: { readonly name: string; readonly account: string; readonly region: string },
) {
  const { at, destinations, running, waiting } = status;
  const age = (time: string) => Math.max(0, Math.round((Date.parse(at) - Date.parse(time)) / 1000));
  return {
    at,
    install: { name: install.name, account: install.account, region: install.region },
    destinations: destinations.map((each) => ({
      ...each,
      oldestWaitingSeconds: each.oldestWaitingSince === null ? null : age(each.oldestWaitingSince),
    })),
    running: running.map((each) => ({ ...each, ageSeconds: age(each.begunAt) })),
    waiting: waiting.map((each) => ({ ...each, waitingSeconds: age(each.waitingSince) })),
    failures: {
      since,
      open: failures.open.map((each) => ({ ...each, retry: retryCommand(each) })),
      startedAgain: failures.since,
    },
    unreadable,
    gaps,
  };
}
