import type { Install } from '../install.ts';
import { ACTIONS_ON_KEYS, ec2Services } from '../key-statements.ts';
import { exceptInstall, policyOf } from '../key-steps.ts';
import { partitionOf } from '../region.ts';
import { companionCouldNotLook } from './companion-look.ts';
import { couldNotCheck, type Fact, isKnown, type Unknown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import { IN_VAIN, type KeyFacts, type KeyInUse, type KeyMetadata, keyInWords } from './key.ts';
import { changeable } from './key-change.ts';
import { deletedPrincipals, type KeyPolicy, parseKeyPolicy } from './key-policy.ts';
import { type Grant, type KeyUse, keyUse } from './key-use.ts';
import type { Site } from './site.ts';

/** The role that copies, and its account. */
type Role = Pick<Install, 'roleArn' | 'account'>;

/** Whether the grants of a key can matter: its policy alone does not settle everything. */
export function needsGrants(key: KeyInUse, metadata: KeyMetadata, policyText: string, role: Role): boolean {
  const policy = parseKeyPolicy(policyText);
  return policy !== undefined && useOf(policy, [], key, metadata, role).missing.length > 0;
}

/** Whether a customer managed key lets the role that copies do what EC2 needs. */
export function checkKeyAccess(
  key: KeyInUse,
  metadata: KeyMetadata,
  { policy, grants, byCompanion }: Pick<KeyFacts, 'policy' | 'grants' | 'byCompanion'>,
  site: Site,
): readonly Finding[] {
  const { roleArn } = site;
  if (roleArn === undefined) return checkAccessToBe(key, metadata, policy, site);
  const install = { ...site, roleArn };
  const of = {
    check: 'key-policy',
    about: `policy of ${keyInWords(key)}`,
    rules: key.rules,
    why: `EC2 uses the key in the name of ${install.roleArn}, and its policy has to let that in. ${IN_VAIN}`,
  };
  const toChange = changeable(key, site, metadata);
  const letIn = [policyOf(toChange, install)];
  const couldNotLook = (why: Unknown, what: typeof of) =>
    byCompanion === true
      ? companionCouldNotLook(why, what, metadata.account, install, letIn)
      : couldNotCheck(why, what, letIn);
  if (policy === undefined) {
    if (byCompanion === true) {
      const found = 'the service that is deployed is of an older version, which does not ask the companion for it';
      return [
        { ...of, status: 'unchecked', found, mend: [{ say: 'Deploy this version, and check again.' }, ...letIn] },
      ];
    }
    if (metadata.account === install.account) return [];
    const found = `you may see the key; what else its policy allows, only account ${metadata.account} can read`;
    return [{ ...of, status: 'unchecked', found, mend: letIn }];
  }
  if (!isKnown(policy)) return [couldNotLook(policy, of)];
  const read = parseKeyPolicy(policy.value);
  if (read === undefined) {
    return [{ ...of, status: 'unchecked', found: 'this command does not understand it', mend: letIn }];
  }
  const known = grants !== undefined && isKnown(grants) ? grants.value : [];
  const use = useOf(read, known, key, metadata, install);
  const reasons = use.because.join(', ');
  if (use.denied.length > 0) {
    const found = `it denies ${use.denied.join(', ')}: ${reasons}`;
    return [{ ...of, status: 'problem', found, mend: [exceptInstall(toChange, install)] }];
  }
  if (use.missing.length > 0) {
    if (grants !== undefined && !isKnown(grants)) {
      return [couldNotLook(grants, { ...of, about: `grants of ${keyInWords(key)}` })];
    }
    const what = use.missing.length === ACTIONS_ON_KEYS.length ? 'use the key at all' : `do ${use.missing.join(', ')}`;
    const found = `neither it nor a grant lets the role, or its account, ${what}${deletedIn(read)}`;
    return [{ ...of, status: 'problem', found, mend: [policyOf(toChange, install, use.missing)] }];
  }
  if (use.undecided.length > 0) {
    const found = `could not decide whether it allows ${use.undecided.join(', ')}: ${reasons}`;
    const look = { say: 'Read what is named there, in the policy of the key.' };
    return [{ ...of, status: 'unchecked', found, mend: [look, ...letIn] }];
  }
  return [
    fine({
      check: of.check,
      about: of.about,
      rules: of.rules,
      found: howLetIn(use, needsGrants(key, metadata, policy.value, install)),
    }),
  ];
}

function howLetIn({ isLeftToIam }: KeyUse, isByGrant: boolean): string {
  if (isByGrant) return 'what it lacks, a grant gives the role';
  return isLeftToIam
    ? 'it leaves that to IAM, and the role gets the permission from the rules that are deployed'
    : 'it lets the role in';
}

/**
 * The same before the first deployment. A policy that leaves it to IAM lets the role in, whatever it will be called; of
 * any other nobody can say.
 */
function checkAccessToBe(
  key: KeyInUse,
  metadata: KeyMetadata,
  policy: Fact<string> | undefined,
  site: Site,
): readonly Finding[] {
  const of = { check: 'key-policy', about: `policy of ${keyInWords(key)}`, rules: key.rules };
  const why = `EC2 uses the key in the name of the role of the service, and its policy has to let that in. ${IN_VAIN}`;
  const later = { say: 'Deploy, and check again: then the statements that it may lack are here, with the role.' };
  if (metadata.account !== site.account) {
    const found = `only account ${metadata.account} can read it, and the role that it has to let in is not there yet`;
    return [{ ...of, why, status: 'unchecked', found, mend: [later] }];
  }
  if (policy === undefined) return [];
  if (!isKnown(policy)) return [couldNotCheck(policy, { ...of, why }, [later])];
  const read = parseKeyPolicy(policy.value);
  const anyRole = `arn:${partitionOf(site.region)}:iam::${site.account}:role/not-there-yet`;
  const use = read && useOf(read, [], key, metadata, { ...site, roleArn: anyRole });
  if (use !== undefined && use.missing.length + use.denied.length + use.undecided.length === 0) {
    return [fine({ ...of, found: 'it leaves that to IAM, so it needs no change for the role of the service' })];
  }
  const found = 'it does not leave that to IAM, and the role that it has to let in is not there yet';
  return [{ ...of, why, status: 'unchecked', found, mend: [later] }];
}

function useOf(
  policy: KeyPolicy,
  grants: readonly Grant[],
  { usedFrom }: KeyInUse,
  { arn }: KeyMetadata,
  { roleArn, account }: Role,
) {
  return keyUse(policy, grants, { roleArn, account, keyArn: arn, viaService: ec2Services(usedFrom) });
}

function deletedIn(policy: KeyPolicy): string {
  const ids = deletedPrincipals(policy);
  return ids.length === 0
    ? ''
    : `; it names ${ids.join(', ')}, which is what is left of a principal that was deleted, and is not the one that bears its name now`;
}
