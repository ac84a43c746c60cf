import { stepFunctionsExecutions } from '../../aws/executions.ts';
import { ledgerListing } from '../../aws/ledger-listing.ts';
import { checkCompanionRole, type ListedAccount, notListedYet } from '../../core/doctor/companion-role.ts';
import { deployCommand } from '../../core/doctor/deploy-command.ts';
import { type Fact, isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import { checkSourceBus, refusedEvents } from '../../core/doctor/source-bus.ts';
import { checkSourceEvents, type HeardOf, newestTelling } from '../../core/doctor/source-events.ts';
import type { SelectedCopy } from '../../core/doctor/source-keys.ts';
import { checkIntermediates, checkShares, claimsIn, type ExecutionEnd } from '../../core/doctor/source-leftovers.ts';
import { checkUnseenTags } from '../../core/doctor/unseen-tags.ts';
import { SourceAccountRefusedError } from '../../core/errors.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import type { SourceCheck } from '../../core/source-look.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import type { Deployed } from '../deployed.ts';
import type { Examination } from './examination.ts';

/** More claims are looked at by the service alone: each takes a call. */
const MOST_CLAIMS = 50;

/** Whether the service can act in source accounts, hears of them, and has left nothing there. */
export async function checkSourceAccounts(
  examination: Examination,
  selected: Promise<Fact<readonly SelectedCopy[]>>,
): Promise<readonly Finding[]> {
  const { rules, sourceAccounts, deployed, deployment, visible, look, eventRules } = examination;
  const { install } = deployment;
  const unseen = checkUnseenTags(rules, sourceAccounts.accounts, install);
  const accounts = listedAccounts(examination);
  const ofAccounts = await Promise.all(
    accounts.map(async (listed) =>
      deployed === undefined || !visible.includes(listed.account)
        ? [notListedYet(listed, install, deployCommand(deployment))]
        : checkAccount(examination, deployed, listed, selected),
    ),
  );
  const atHome =
    deployed === undefined || visible.length === 0
      ? []
      : [
          checkSourceBus(
            {
              ...deployed.rules.sourceAccounts,
              accounts: otherAccounts(deployed.rules.sourceAccounts.accounts, install.account),
            },
            await look(['events:DescribeEventBus'], () => eventRules.bus(install.region, install.name)),
            deployment,
          ),
          refusedEvents(install),
        ];
  return [...unseen, ...ofAccounts.flat(), ...atHome];
}

/** Of what some rules alone need, the accounts that these select. */
function listedAccounts({ sourceAccounts, rules, allRules }: Examination): readonly ListedAccount[] {
  const { accounts, externalId } = sourceAccounts;
  const wanted = rules.length === allRules.length ? accounts : sourceOwners(rules, accounts).withCompanion;
  return wanted.map((account) => {
    const selecting = rules.filter(({ select: { owners } }) => owners?.includes(account) ?? true);
    return {
      account,
      rules: selecting.map(({ name }) => name),
      reencrypt: selecting.some(({ reencrypt, dryRun }) => reencrypt === true && !dryRun),
      ...(externalId !== undefined && { externalId }),
    };
  });
}

async function checkAccount(
  examination: Examination,
  deployed: Deployed,
  listed: ListedAccount,
  selected: Promise<Fact<readonly SelectedCopy[]>>,
): Promise<readonly Finding[]> {
  const { look, looks, deployment } = examination;
  const { install } = deployment;
  const { account, reencrypt } = listed;
  const found = await look(['lambda:InvokeFunction'], async () => {
    try {
      const check = await looks?.check(account, install.region, reencrypt);
      return check === undefined ? { refused: 'nothing is deployed' } : { check };
    } catch (error) {
      if (error instanceof SourceAccountRefusedError) return { refused: error.message };
      throw error;
    }
  });
  const ofRole = checkCompanionRole(listed, found, install);
  if (!isKnown(found) || !('check' in found.value)) return ofRole;
  const { check } = found.value;
  const now = examination.now();
  return [
    ...ofRole,
    ...(await eventsOf(examination, deployed, listed, selected)),
    ...checkShares(listed, await endsOfClaims(examination, deployed, check), install, now),
    ...checkIntermediates(listed, check.intermediates, install, now),
  ];
}

async function eventsOf(
  { look, now, deployment }: Examination,
  { ledgerTable }: Deployed,
  listed: ListedAccount,
  selected: Promise<Fact<readonly SelectedCopy[]>>,
): Promise<readonly Finding[]> {
  const { install } = deployment;
  const copies = await selected;
  // That the sources cannot be listed is told with them.
  if (!isKnown(copies)) return [];
  const theirs = copies.value.filter(({ snapshot, rule }) => snapshot.ownerId === listed.account && !rule.dryRun);
  const newest = newestTelling(
    theirs.map(({ snapshot }) => snapshot),
    now(),
  );
  const keys = theirs
    .filter(({ snapshot }) => snapshot === newest)
    .map(({ snapshot, destination }) => requestKey(snapshot, destination));
  const heard: Fact<HeardOf | undefined> =
    newest === undefined
      ? { value: undefined }
      : await look(['dynamodb:BatchGetItem'], async () => {
          const { requests } = await ledgerListing(ledgerTable, { now }).find(keys);
          return { snapshot: newest, requests };
        });
  return [checkSourceEvents(listed, heard, install, now())];
}

async function endsOfClaims({ look }: Examination, { stateMachineArn }: Deployed, check: SourceCheck) {
  const executions = stepFunctionsExecutions(stateMachineArn);
  return Promise.all(
    claimsIn(check)
      .slice(0, MOST_CLAIMS)
      .map(async (claim) => ({
        ...claim,
        end: await look(['states:DescribeExecution'], async (): Promise<ExecutionEnd> => {
          const record = await executions.find(claim.execution);
          if (record === undefined) return 'gone';
          return record.stopDate === undefined ? 'runs' : new Date(record.stopDate);
        }),
      })),
  );
}
