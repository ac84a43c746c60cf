import type { CopyRule, SourceAccounts } from '../core/rules.ts';
import type { CompanionStack } from './companions.ts';
import type { Sandbox } from './sandbox.ts';

/** What people call it, in the account that it is deployed to: the template's own example does. */
const STACK = 'snapshot-copier-source';

/**
 * Deploys companions/source-account.yml to the accounts that the rules list, for the service's Region; with a key for
 * intermediate copies if a rule has `reencrypt`.
 */
export function deployCompanionsOfRules(
  rules: readonly CopyRule[],
  { accounts, externalId }: SourceAccounts,
  { home, outputs, deployCompanion }: Pick<Sandbox, 'home' | 'outputs' | 'deployCompanion'>,
): readonly CompanionStack[] {
  const parameters = {
    TargetAccount: home.account,
    EventBus: outputs['SourceEventBusName'] ?? '',
    Regions: home.region,
    Reencrypt: rules.some(({ reencrypt }) => reencrypt === true) ? 'on' : 'off',
    ...(externalId !== undefined && { ExternalId: externalId }),
  };
  return accounts.map((account) =>
    deployCompanion({
      template: 'companions/source-account.yml',
      account,
      region: home.region,
      stackName: STACK,
      parameters,
    }),
  );
}
