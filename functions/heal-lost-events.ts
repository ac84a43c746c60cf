// Triggered by a schedule, every hour: `healLostEvents` in serverless.yml

import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { type SourceSnapshots, sourceSnapshotsOf } from '../aws/source-snapshots.ts';
import { copyRequest } from '../core/copy-request.ts';
import { destinationId } from '../core/destination.ts';
import { requestKey } from '../core/ledger-request.ts';
import { daysOf, shouldBeKnown } from '../core/lookback.ts';
import { otherAccounts } from '../core/other-accounts.ts';
import { requested } from '../core/request-transitions.ts';
import type { CopyRule, SourceAccounts } from '../core/rules.ts';
import { type Home, selectDestinations } from '../core/selection.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { sourceOwners } from '../core/source-owners.ts';
import { readPackagedRules, readPackagedSourceAccounts } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Ports {
  readonly snapshots: Pick<SnapshotApi, 'begunOn'>;
  readonly sourceSnapshots: (account: string) => Pick<SourceSnapshots, 'begunOn'>;
  readonly ledger: Pick<Ledger, 'change'>;
  readonly admission: AdmissionMachine;
  readonly now: () => Date;
}

interface Settings {
  /** Where the source snapshots are. */
  readonly region: string;
  readonly lookbackHours: number;
}

/**
 * Requests copies of snapshots that a rule selects and that no event has told of: EC2's events are best effort.
 *
 * @throws the first error, after all snapshots had their turn
 */
export const healLostEvents =
  (ports: Ports, rules: readonly CopyRule[], listed: SourceAccounts, home: Home, { region, lookbackHours }: Settings) =>
  async (): Promise<void> => {
    if (lookbackHours === 0) return;
    const { snapshots, sourceSnapshots: ofSources, admission, now } = ports;
    const { shared, withCompanion } = sourceOwners(rules, otherAccounts(listed.accounts, home.account));
    const days = daysOf(lookbackHours, now());
    const regions = new Set<string>();
    const troubles: unknown[] = [];
    const note = (error: unknown, about = ''): void => {
      troubles.push(error);
      logger.warn(`${about}${error instanceof Error ? error.message : String(error)}`);
    };
    const found = [
      ...(await snapshots.begunOn(region, days, 'own')),
      // What the service itself had shared is looked at from its owner's side.
      ...(shared.length > 0 ? await snapshots.begunOn(region, days, 'shared') : []).filter(
        ({ ownerId }) => !withCompanion.includes(ownerId),
      ),
    ];
    for (const account of withCompanion) {
      try {
        found.push(...(await ofSources(account).begunOn(region, days)));
      } catch (error) {
        note(error, `Source account ${account}: `);
      }
    }
    // Among those that it may use, EC2 lists an account's own again.
    const once = [...new Map(found.map((snapshot) => [snapshot.snapshotId, snapshot])).values()];
    for (const snapshot of once.filter((each) => shouldBeKnown(each, lookbackHours, now()))) {
      await heal(snapshot, ports, rules, home, regions).catch(note);
    }
    for (const woken of regions) await admission.wake(woken);
    if (troubles.length > 0) throw troubles[0];
  };

/** @param regions gets the Regions of the requests that were missing */
async function heal(
  snapshot: Snapshot,
  { ledger, now }: Ports,
  rules: readonly CopyRule[],
  home: Home,
  regions: Set<string>,
): Promise<void> {
  for (const { action, rule, destination, reason } of selectDestinations(snapshot, rules, home)) {
    if (action === 'skip' || rule.dryRun) continue;
    const why = `nobody had asked for it, and ${reason}`;
    const request = copyRequest(snapshot, rule, destination);
    const { changed } = await ledger.change(requestKey(snapshot, destination), requested(request, why, now()));
    if (!changed) continue;
    regions.add(destination.region);
    const where = destinationId(destination);
    const one = metrics.singleMetric();
    one.addDimension('destination', where);
    one.addMetric('EventsHealed', MetricUnit.Count, 1);
    logger.warn(`Requested: ${snapshot.snapshotId} for ${where}: ${why}`, { rule: rule.name });
  }
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
  LEDGER_TABLE: setting.LEDGER_TABLE,
  LOOKBACK_HOURS: setting.LOOKBACK_HOURS,
});

const install = { name: settings.INSTALL_NAME, account: settings.ACCOUNT_ID, region: settings.AWS_REGION };

export const handler = lambda(
  healLostEvents(
    {
      snapshots: ec2Snapshots(),
      sourceSnapshots: sourceSnapshotsOf(install, settings.SOURCE_EXTERNAL_ID),
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedRules(),
    readPackagedSourceAccounts(),
    { account: settings.ACCOUNT_ID },
    { region: settings.AWS_REGION, lookbackHours: settings.LOOKBACK_HOURS },
  ),
);
