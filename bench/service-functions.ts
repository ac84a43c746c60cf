import type { AdmissionMachine } from '../aws/admission-machine.ts';
import type { DeadLetterTopic } from '../aws/dead-letter-topic.ts';
import type { ExecutionApi } from '../aws/executions.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import type { Install } from '../core/install.ts';
import { type CopyRule, NO_SOURCE_ACCOUNTS } from '../core/rules.ts';
import { admitCopies } from '../functions/admit-copies.ts';
import { checkCopy } from '../functions/check-copy.ts';
import { explainFailure } from '../functions/explain-failure.ts';
import { healLostEvents } from '../functions/heal-lost-events.ts';
import { onCopyEnded } from '../functions/on-copy-ended.ts';
import { onSnapshotEvent } from '../functions/on-snapshot-event.ts';
import { removeFailedCopy } from '../functions/remove-failed-copy.ts';
import { requestCopy } from '../functions/request-copy.ts';
import { returnToQueue } from '../functions/return-to-queue.ts';
import { metrics } from '../functions/shell.ts';
import { startCopy } from '../functions/start-copy.ts';
import { sweep } from '../functions/sweep.ts';
import { tagCopy } from '../functions/tag-copy.ts';
import type { InProcessHandler } from '../sandbox/lambda/in-process-lambda.ts';

/** What the functions do their work with. */
export interface ServicePorts {
  readonly snapshots: SnapshotApi;
  /** The same for admission, whose calls are counted by themselves. */
  readonly admissionSnapshots: SnapshotApi;
  readonly ledger: Ledger;
  readonly executions: ExecutionApi;
  readonly admission: AdmissionMachine;
  readonly topic: DeadLetterTopic;
}

/** As in serverless.yml. */
const KEEP_REQUESTS_DAYS = 90;
const LOOKBACK_HOURS = 24;

/** All functions of serverless.yml by their names, with the settings that they have there. */
export function serviceFunctions(
  { snapshots, admissionSnapshots, ledger, executions, admission, topic }: ServicePorts,
  rules: readonly CopyRule[],
  install: Install,
): ReadonlyMap<string, InProcessHandler> {
  const now = () => new Date();
  const installName = install.name;
  const accountId = install.account;
  const settle = { ledger, topic, now };
  const noSource = { sourceSnapshots: noSourceAccount };
  const functions: readonly (readonly [string, InProcessHandler])[] = [
    [
      'onSnapshotEvent',
      onSnapshotEvent(
        {
          snapshots,
          ledger,
          admission,
          executions,
          topic,
          now,
          ...noSource,
          functionName: `${installName}-onSnapshotEvent`,
        },
        rules,
        NO_SOURCE_ACCOUNTS,
        install,
      ),
    ],
    ['onCopyEnded', onCopyEnded({ ...settle, admission }, install, KEEP_REQUESTS_DAYS)],
    ['sweep', sweep({ ...settle, executions, admission }, rules, install, KEEP_REQUESTS_DAYS)],
    [
      'healLostEvents',
      healLostEvents({ snapshots, ledger, admission, now, ...noSource }, rules, NO_SOURCE_ACCOUNTS, install, {
        region: install.region,
        lookbackHours: LOOKBACK_HOURS,
      }),
    ],
    ['requestCopy', requestCopy({ ledger, snapshots, admission, now }, rules, { installName })],
    [
      'admitCopies',
      admitCopies({ ledger, snapshots: admissionSnapshots, executions, admission, now }, rules, { installName }),
    ],
    ['startCopy', startCopy({ snapshots, ledger, now }, { installName, accountId })],
    ['checkCopy', checkCopy(snapshots, now)],
    ['tagCopy', tagCopy({ snapshots, now, ...noSource }, install)],
    ['returnToQueue', returnToQueue(ledger, now)],
    ['removeFailedCopy', removeFailedCopy(snapshots, { installName })],
    [
      'explainFailure',
      explainFailure(
        {
          keys: NO_KEYS,
          keysOf: () => NO_KEYS,
          deployed: () => ({ rules, sourceAccounts: NO_SOURCE_ACCOUNTS }),
          lookForMs: 1000,
        },
        install,
      ),
    ],
    ...['prepareSource', 'releaseSource', 'lookAtSources'].map((name) => [name, noSourceAccount] as const),
  ];
  return new Map(functions.map(([name, work]) => [name, withMetrics(work)]));
}

/** No copy of the bench fails for want of a key. */
const NO_KEYS = { describe: noKey, policy: noKey, grants: noKey };

function noKey(): never {
  throw new Error('The bench has no keys');
}

/** The bench has one account. */
function noSourceAccount(): never {
  throw new Error('The bench has no source accounts');
}

/** As the shell of functions/ does it around every function: metrics do not run into those of the next invocation. */
function withMetrics(work: InProcessHandler): InProcessHandler {
  return async (event) => {
    try {
      return await work(event);
    } finally {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  };
}
