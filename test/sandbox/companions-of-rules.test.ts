import { describe, expect, it } from 'vitest';
import { parseRulesFile } from '../../core/rules.ts';
import { type Companion, type CompanionStack, deployCompanion } from '../../sandbox/companions.ts';
import { deployCompanionsOfRules } from '../../sandbox/companions-of-rules.ts';
import { accountServices } from '../support/account-services.ts';

/** Deploys the real template; answers what it was told. */
function deployed(file: { readonly sourceAccounts: object; readonly reencrypt?: boolean }) {
  const { rules, sourceAccounts } = parseRulesFile({
    sourceAccounts: file.sourceAccounts,
    rules: [{ name: 'r', reencrypt: file.reencrypt ?? false, destinations: [{ region: 'eu-central-1' }] }],
  });
  const told: Companion[] = [];
  const services = accountServices();
  deployCompanionsOfRules(rules, sourceAccounts, {
    home: { account: '000000000000', region: 'eu-west-1' },
    outputs: { SourceEventBusName: 'copier-dev' },
    deployCompanion(companion): CompanionStack {
      told.push(companion);
      const place = { account: companion.account ?? '', region: companion.region };
      const { contents } = deployCompanion(companion, { place, stackName: 'c', seed: told.length }, services);
      const outputs = Object.fromEntries(contents.outputs.map(({ key, value }) => [key, value]));
      return { ...place, template: companion.template, stackName: 'c', outputs };
    },
  });
  return { told, services };
}

describe('companions of the accounts that the rules list', () => {
  it('send to the bus of the install, and have no key if nothing is to be re-encrypted', () => {
    const { told, services } = deployed({ sourceAccounts: { accounts: ['111122223333', '222233334444'] } });
    expect(told.map(({ account, region, parameters }) => ({ account, region, ...parameters }))).toEqual(
      ['111122223333', '222233334444'].map((account) => ({
        account,
        region: 'eu-west-1',
        TargetAccount: '000000000000',
        EventBus: 'copier-dev',
        Regions: 'eu-west-1',
        Reencrypt: 'off',
      })),
    );
    const role = 'arn:aws:iam::222233334444:role/snapshot-copier/copier-dev-for-000000000000';
    expect(services.iam.role(role)).toBeDefined();
    expect(services.keys.keys({ account: '111122223333', region: 'eu-west-1' })).toEqual([]);
  });

  it('have a key if a rule has reencrypt, and hear the external id of the rules', () => {
    const { told, services } = deployed({
      sourceAccounts: { accounts: ['111122223333'], externalId: 'agreed-on' },
      reencrypt: true,
    });
    expect(told[0]?.parameters).toMatchObject({ Reencrypt: 'on', ExternalId: 'agreed-on' });
    const place = { account: '111122223333', region: 'eu-west-1' };
    expect(services.keys.find(place, 'alias/snapshot-copier-copier-dev-for-000000000000')).toBeDefined();
  });
});
