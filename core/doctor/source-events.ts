import type { LedgerRequest } from '../ledger-request.ts';
import type { Snapshot } from '../snapshot.ts';
import { type ActingInstall, actingName } from '../source-account.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** A selected snapshot of the account, and what the ledger has of it. */
export interface HeardOf {
  readonly snapshot: Snapshot;
  readonly requests: readonly LedgerRequest[];
}

/** Events take seconds; after so long a snapshot is found by the clock, if at all. See core/lookback.ts. */
const BY_EVENT_SECONDS = 15 * 60;
/** By then it should have been found by the clock, too. */
const BY_CLOCK_SECONDS = 2 * 3600;

/** The snapshot that can tell best whether events arrive: the newest that is complete for long enough. */
export function newestTelling(snapshots: readonly Snapshot[], now: Date): Snapshot | undefined {
  return snapshots
    .filter((each) => each.state === 'completed' && now.getTime() - completed(each) >= BY_EVENT_SECONDS * 1000)
    .toSorted((a, b) => completed(b) - completed(a))
    .at(0);
}

/**
 * Whether events of an account arrive. What sends them is in that account, where the service may not look, so that is told
 * by the newest snapshot: the event has a copy asked for at once, and the clock an hour later.
 */
export function checkSourceEvents(
  { account, rules }: { readonly account: string; readonly rules: readonly string[] },
  heard: Fact<HeardOf | undefined>,
  install: ActingInstall,
  now: Date,
): Finding {
  const of = {
    check: 'source-events',
    about: `events of new snapshots of account ${account}`,
    rules,
    why: 'Without them copies begin up to an hour late, and not at all if the hourly look is off.',
  };
  if (!isKnown(heard)) return couldNotCheck(heard, of);
  const look = {
    say: `See whether the rule of the companion is there and ENABLED, as an administrator of account ${account}:`,
    run: [
      `aws events describe-rule --region ${install.region} --name ${actingName(install)} --query '[State,EventPattern]'`,
      `&& aws events list-targets-by-rule --region ${install.region} --rule ${actingName(install)} --query Targets[].Arn`,
    ],
  };
  if (heard.value === undefined) {
    const found = 'no snapshot of the last days is selected and complete for long enough to tell whether they arrive';
    return { ...of, status: 'unchecked', found, mend: [look] };
  }
  const { snapshot, requests } = heard.value;
  const { snapshotId } = snapshot;
  const asked = requests.map(({ requestedAt }) => Date.parse(requestedAt));
  const age = seconds(now.getTime() - completed(snapshot));
  if (asked.length === 0) {
    return {
      ...of,
      status: age >= BY_CLOCK_SECONDS ? 'problem' : 'warning',
      found: `nobody asked for a copy of ${snapshotId}, which is complete for ${inWords(age)}`,
      mend: [look, { say: 'Then ask for the copies that are missing:', run: ['snapshot-copier backfill --since 3d'] }],
    };
  }
  const delay = Math.max(0, seconds(Math.min(...asked) - completed(snapshot)));
  if (delay < BY_EVENT_SECONDS) {
    const { check, about } = of;
    return fine({ check, about, rules, found: `${snapshotId} was asked for ${inWords(delay)} after it was complete` });
  }
  const found = `${snapshotId} was asked for ${inWords(delay)} after it was complete: by the clock or by hand, not by its event`;
  return { ...of, status: 'warning', found, mend: [look] };
}

function completed({ completionTime, startTime }: Snapshot): number {
  return Date.parse(completionTime ?? startTime);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000);
}

function inWords(number: number): string {
  if (number < 120) return `${number} s`;
  return number < 7200 ? `${Math.round(number / 60)} min` : `${Math.round(number / 3600)} h`;
}
