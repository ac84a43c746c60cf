import { USE_OF_A_KEY } from '../core/key-statements.ts';
import { partitionOf } from '../core/region.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import { parseKmsKey } from '../core/rules/kms-key.ts';
import type { CopyRule, SourceAccounts } from '../core/rules.ts';
import { sourceKeyAccounts } from '../core/source-key-accounts.ts';
import { ACCOUNT, PARTITION, type Permission, REGION, sub } from './permission.ts';

/** What StartCopy may do with KMS keys: only through EC2, and only with keys that the rules can lead to. */
export function keyPermissions(rules: readonly CopyRule[], sourceAccounts: SourceAccounts): readonly Permission[] {
  const through = { 'kms:ViaService': ec2Services(rules) };
  const { named, byAlias, defaults } = destinationKeys(rules);
  return [
    ...useAndGrant(
      'SourceKeys',
      sourceKeys(rules, sourceAccounts),
      'the keys of source snapshots, read by EC2 for the copy',
      through,
    ),
    ...useAndGrant('NamedKeys', named, 'the keys that the rules name by id or ARN, for the copies', through),
    ...[...byAlias].flatMap(([alias, keys], index) =>
      useAndGrant(`AliasKeys${index + 1}`, keys, `the keys that have ${alias}, for the copies`, through, alias),
    ),
    ...useAndGrant('DefaultKeys', defaults, 'the default EBS keys, for copies without a key of their own', through),
  ];
}

/** What ExplainFailure may do with them: look, whose policy lacks what. */
export function keyLookPermissions(rules: readonly CopyRule[], sourceAccounts: SourceAccounts): readonly Permission[] {
  const { named, byAlias } = destinationKeys(rules);
  const withCompanion = new Set(sourceAccounts.accounts);
  const ofSources = sourceKeyAccounts(rules, sourceAccounts);
  const others =
    ofSources === 'any'
      ? [keyArn(REGION, '*', '*')]
      : ofSources
          .filter((account) => account !== 'self' && !withCompanion.has(account))
          .map((account) => keyArn(REGION, account, '*'));
  const ofCopies = [...named, ...[...byAlias.values()].flat()].filter((key) => !isOwn(key));
  return [
    {
      sid: 'LookAtKeys',
      reason: 'See what the keys of this account lack, when EC2 could not use one',
      actions: ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants'],
      resources: [REGION, ...destinationRegions(rules)].map((region) => keyArn(region, ACCOUNT, '*')),
    },
    ...(others.length + ofCopies.length === 0
      ? []
      : [
          {
            sid: 'LookAtKeysOfOthers',
            reason: 'See whether those of other accounts are there; only these can read their policies',
            actions: ['kms:DescribeKey'],
            resources: [...others, ...ofCopies],
          },
        ]),
  ];
}

type Text = Permission['resources'][number];

function useAndGrant(
  sid: string,
  keys: readonly Text[],
  what: string,
  through: Readonly<Record<string, readonly Text[]>>,
  alias?: string,
): readonly Permission[] {
  if (keys.length === 0) return [];
  // Also true for EC2's own requests, where kms:RequestAlias would not hold: there the key is named by its ARN.
  // https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
  const withAlias = alias === undefined ? {} : { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } };
  return [
    {
      sid: `Use${sid}`,
      reason: `Use ${what}`,
      actions: USE_OF_A_KEY,
      resources: keys,
      conditions: { StringEquals: through, ...withAlias },
    },
    {
      sid: `Grant${sid}`,
      reason: `Let EC2 use ${what}, while it copies`,
      actions: ['kms:CreateGrant'],
      resources: keys,
      conditions: { StringEquals: through, Bool: { 'kms:GrantIsForAWSResource': 'true' }, ...withAlias },
    },
  ];
}

/** AWS does not say which Region's EC2 a source key sees in a copy between Regions, so both are listed. */
function ec2Services(rules: readonly CopyRule[]): readonly Text[] {
  const regions = destinationRegions(rules);
  // Nor does it say which suffix the name has in China.
  const suffixes = regions.some((region) => partitionOf(region) === 'aws-cn')
    ? ['amazonaws.com', 'amazonaws.com.cn']
    : ['amazonaws.com'];
  return suffixes.flatMap((suffix) => [
    sub(`ec2.${REGION}.${suffix}`),
    ...regions.map((region) => `ec2.${region}.${suffix}`),
  ]);
}

function sourceKeys(rules: readonly CopyRule[], sourceAccounts: SourceAccounts): readonly Text[] {
  const accounts = sourceKeyAccounts(rules, sourceAccounts);
  if (accounts === 'any') return [keyArn(REGION, '*', '*')];
  return accounts.map((account) => keyArn(REGION, account === 'self' ? ACCOUNT : account, '*'));
}

function destinationKeys(rules: readonly CopyRule[]) {
  const named = new Map<string, Text>();
  const byAlias = new Map<string, Map<string, Text>>();
  const defaults = new Map<string, Text>();
  const add = (group: Map<string, Text>, arn: Text) => group.set(JSON.stringify(arn), arn);
  for (const { region, encryption } of rules.flatMap((rule) => rule.destinations)) {
    const key = encryption.kind === 'key' ? parseKmsKey(encryption.kmsKey) : undefined;
    const account = key?.arn?.account ?? ACCOUNT;
    if (key === undefined) add(defaults, keyArn(region, ACCOUNT, '*'));
    else if (key.kind === 'id') add(named, keyArn(region, account, key.name));
    else {
      const group = byAlias.get(key.name) ?? new Map<string, Text>();
      add(group, keyArn(region, account, '*'));
      byAlias.set(key.name, group);
    }
  }
  return {
    named: [...named.values()],
    byAlias: new Map([...byAlias].map(([alias, keys]) => [alias, [...keys.values()]])),
    defaults: [...defaults.values()],
  };
}

function isOwn(key: Text): boolean {
  return JSON.stringify(key).includes(`:${ACCOUNT}:`);
}

function keyArn(region: string, account: string, id: string): Text {
  return sub(`arn:${PARTITION}:kms:${region}:${account}:key/${id}`);
}
