import type { SourceLooks } from '../../aws/look-at-sources-function.ts';
import { isAwsAlias } from '../../core/doctor/aws-key.ts';
import { checkKey, hasPolicyThatMatters } from '../../core/doctor/check-key.ts';
import { checkEncryptionByDefault } from '../../core/doctor/default-key.ts';
import { isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import type { KeyFacts, KeyInUse } from '../../core/doctor/key.ts';
import { needsGrants } from '../../core/doctor/key-access.ts';
import { checkUnshareableKey } from '../../core/doctor/unshareable-key.ts';
import { parseKmsKey } from '../../core/rules/kms-key.ts';
import { type Examination, rulesWith } from './examination.ts';

/** The keys that copies are encrypted under. */
export async function checkKeysOfCopies(examination: Examination): Promise<readonly Finding[]> {
  const findings = await Promise.all(
    examination.destinationRegions.map(async (region) => {
      if (!(await examination.canAsk(region))) return [];
      const named = namedKeys(examination, region).map((key) => examineKey(examination, key));
      return (await Promise.all([...named, defaultKey(examination, region)])).flat();
    }),
  );
  return findings.flat();
}

function namedKeys(examination: Examination, region: string): readonly KeyInUse[] {
  const names = examination.destinations.flatMap(({ destination: { region: where, encryption } }) =>
    where === region && encryption.kind === 'key' ? [encryption.kmsKey] : [],
  );
  return [...new Set(names)].map((name) => ({
    name,
    region,
    as: 'named',
    rules: rulesWith(
      examination,
      ({ region: where, encryption }) => where === region && encryption.kind === 'key' && encryption.kmsKey === name,
    ),
    usedFrom: [region],
  }));
}

async function defaultKey(examination: Examination, region: string): Promise<readonly Finding[]> {
  const { look, regions } = examination;
  const rules = rulesWith(
    examination,
    ({ region: where, encryption }) => where === region && encryption.kind !== 'key',
  );
  if (rules.length === 0) return [];
  const asSource = rulesWith(
    examination,
    ({ region: where, encryption }) => where === region && encryption.kind === 'as-source',
  );
  const defaults = await look(['ec2:GetEbsEncryptionByDefault', 'ec2:GetEbsDefaultKmsKeyId'], () =>
    regions.ebsDefaults(region),
  );
  const encryption = checkEncryptionByDefault(region, asSource, defaults);
  if (!isKnown(defaults)) return encryption;
  const key = { name: defaults.value.key, region, as: 'default', rules, usedFrom: [region] } as const;
  return [...encryption, ...(await examineKey(examination, key))];
}

/** All that KMS tells of one key. */
export async function examineKey(examination: Examination, key: KeyInUse): Promise<readonly Finding[]> {
  const { deployment, allRules } = examination;
  const facts = await factsOf(examination, key);
  const owner = companionWith(examination, key);
  const isAws = isKnown(facts.metadata) && facts.metadata.value?.manager === 'AWS';
  if (owner !== undefined && isAws) return [checkUnshareableKey(key, owner, allRules, deployment.install)];
  return checkKey(key, facts, deployment.install);
}

/** The source account that has the key, if the service may ask there. */
function companionWith({ visible }: Examination, { name, as }: KeyInUse): string | undefined {
  const owner = parseKmsKey(name)?.arn?.account;
  return as === 'source' ? visible.find((account) => account === owner) : undefined;
}

/** What its owner sees, whatever its policy says of others. */
async function factsOfOwner(
  { look, deployment }: Examination,
  looks: SourceLooks,
  owner: string,
  { name, region }: KeyInUse,
): Promise<KeyFacts> {
  const asked = await look(['lambda:InvokeFunction'], () =>
    looks.keys(owner, region, [name], deployment.install.roleArn),
  );
  const of = { elsewhere: [], byCompanion: true } as const;
  if (!isKnown(asked)) return { ...of, metadata: asked };
  const [found] = asked.value;
  if (found === undefined || 'missing' in found) return { ...of, metadata: { value: undefined } };
  if ('unknown' in found) return { ...of, metadata: found };
  const { key, policy, grants } = found;
  return {
    ...of,
    metadata: { value: key },
    ...(policy !== undefined && { policy }),
    ...(grants !== undefined && { grants }),
  };
}

async function factsOf(examination: Examination, key: KeyInUse): Promise<KeyFacts> {
  const { look, looks, keys, deployment } = examination;
  const { account, roleArn } = deployment.install;
  const { name, region } = key;
  if (isAwsAlias(name)) return { metadata: { value: undefined }, elsewhere: [] };

  const owner = companionWith(examination, key);
  if (owner !== undefined && looks !== undefined) return factsOfOwner(examination, looks, owner, key);

  const metadata = await look(['kms:DescribeKey'], () => keys.describe(region, name));
  if (!isKnown(metadata)) return { metadata, elsewhere: [] };
  const found = metadata.value;
  if (found === undefined) return { metadata, elsewhere: await regionsWith(examination, key) };
  if (!hasPolicyThatMatters(found) || found.account !== account) return { metadata, elsewhere: [] };

  const policy = await look(['kms:GetKeyPolicy'], () => keys.policy(region, found.keyId));
  if (roleArn === undefined || !isKnown(policy) || !needsGrants(key, found, policy.value, { account, roleArn })) {
    return { metadata, elsewhere: [], policy };
  }
  const grants = await look(['kms:ListGrants'], () => keys.grants(region, found.keyId, roleArn));
  return { metadata, elsewhere: [], policy, grants };
}

/** An ARN names its Region; an id or alias may be one of another Region that is in use here. */
async function regionsWith(
  { look, keys, canAsk, deployment, destinationRegions }: Examination,
  { name, region }: KeyInUse,
): Promise<readonly string[]> {
  if (name.startsWith('arn:')) return [];
  const others = new Set([deployment.install.region, ...destinationRegions]);
  others.delete(region);
  const looked = await Promise.all(
    [...others].map(async (other) => {
      if (!(await canAsk(other))) return [];
      const fact = await look(['kms:DescribeKey'], () => keys.describe(other, name));
      return isKnown(fact) && fact.value !== undefined ? [other] : [];
    }),
  );
  return looked.flat();
}
