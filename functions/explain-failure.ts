// State ExplainFailure of statemachines/copy-snapshot.asl.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { companionSessions } from '../aws/companion-role.ts';
import { type KeyObserver, lookAtKey } from '../aws/key-look.ts';
import { type KeyApi, kmsKeys } from '../aws/kms-keys.ts';
import { perRegion } from '../aws/per-region.ts';
import { type Alert, writeAlert } from '../core/alert.ts';
import { destinationId } from '../core/destination.ts';
import type { FailedExecution } from '../core/execution.ts';
import type { Install } from '../core/install.ts';
import { type EvidenceOnKeys, judgeKey, type KeySeen } from '../core/key-evidence.ts';
import type { KeyOfCopy } from '../core/keys-of-copy.ts';
import { keysInQuestion } from '../core/kms-advice.ts';
import type { CopyRule, SourceAccounts } from '../core/rules.ts';
import { mayReadKeysOf, sourceKeyAccounts } from '../core/source-key-accounts.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readPackagedRules, readPackagedSourceAccounts } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Ports {
  /** Keys as this account sees them. */
  readonly keys: KeyApi;
  /** Keys as the companion's role in an account sees them. */
  readonly keysOf: (account: string) => KeyApi;
  /** What is deployed; read when it comes to it, for an alert is written whatever is wrong with it. */
  readonly deployed: () => { readonly rules: readonly CopyRule[]; readonly sourceAccounts: SourceAccounts };
  /** An alert does not wait longer for KMS. */
  readonly lookForMs: number;
}

/** Writes the alert that TellDeadLetterTopic sends. */
export const explainFailure =
  (ports: Ports, install: Install) =>
  async (input: unknown): Promise<Alert> => {
    const failed = parseTaskInput(input);
    const alert = writeAlert(failed, install, undefined, await lookAtKeys(failed, ports, install));
    metrics.addDimension('destination', destinationId(failed.request.destination));
    metrics.addMetric('CopiesFailed', MetricUnit.Count, 1);
    logger.warn(alert.subject, { ...alert.attributes });
    return alert;
  };

/** What is wrong with the keys, if it can be seen. Never throws: without it, the alert has all that it can be. */
async function lookAtKeys(failed: FailedExecution, ports: Ports, install: Install): Promise<EvidenceOnKeys> {
  const keys = keysInQuestion(failed, install);
  if (keys.length === 0) return {};
  try {
    const { rules, sourceAccounts } = ports.deployed();
    const accounts = sourceKeyAccounts(rules, sourceAccounts);
    const judged = await Promise.all(
      keys.map(async (key) => {
        const seen = await seenInTime(key, observerOf(key, ports, sourceAccounts, install), ports.lookForMs, install);
        // The key of the copy the role may use, or EC2 would not have accepted the copy.
        const mayRead = key.of === 'copy' || mayReadKeysOf(key.account, install.account, accounts);
        return [key.of, judgeKey(key, seen, install, mayRead)] as const;
      }),
    );
    logger.info('Looked at the keys', { keys: Object.fromEntries(judged) });
    return Object.fromEntries(judged);
  } catch (error) {
    logger.warn('Could not look at the keys', { error });
    const unseen = error instanceof Error ? error.message : String(error);
    return Object.fromEntries(keys.map(({ of }) => [of, { problems: [], unseen, isUsable: false }]));
  }
}

function observerOf(
  { account }: KeyOfCopy,
  { keys, keysOf }: Ports,
  { accounts }: SourceAccounts,
  install: Install,
): KeyObserver {
  if (account === install.account) return { keys, as: 'home', isOwner: true };
  if (accounts.includes(account)) return { keys: keysOf(account), as: 'companion', isOwner: true };
  return { keys, as: 'home', isOwner: false };
}

async function seenInTime(key: KeyOfCopy, by: KeyObserver, ms: number, install: Install): Promise<KeySeen> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<KeySeen>((resolve) => {
    timer = setTimeout(() => resolve({ as: by.as, metadata: { unknown: `KMS took longer than ${ms} ms` } }), ms);
  });
  try {
    return await Promise.race([lookAtKey(key, by, install.roleArn), late]);
  } finally {
    clearTimeout(timer);
  }
}

const settings = readSettings(process.env, { ...installSettings, SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID });

const install = readInstall(settings);

const sessions = companionSessions(install, settings.SOURCE_EXTERNAL_ID);

export const handler = lambda(
  explainFailure(
    {
      keys: kmsKeys(),
      keysOf: perRegion((account) => kmsKeys(sessions(account))),
      deployed: () => ({ rules: readPackagedRules(), sourceAccounts: readPackagedSourceAccounts() }),
      lookForMs: 15_000,
    },
    install,
  ),
);
