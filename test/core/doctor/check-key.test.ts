import { describe, expect, it } from 'vitest';
import { checkKey, hasPolicyThatMatters } from '../../../core/doctor/check-key.ts';
import type { Finding } from '../../../core/doctor/finding.ts';
import type { KeyFacts, KeyInUse, KeyMetadata } from '../../../core/doctor/key.ts';
import { needsGrants } from '../../../core/doctor/key-access.ts';
import { brief, briefs, HOME, INSTALL, KEY, KEY_ARN, METADATA, PARTNER, ROLE, ROOT_POLICY } from './examples.ts';

const FACTS: KeyFacts = { metadata: { value: METADATA }, elsewhere: [], policy: { value: ROOT_POLICY } };

function check(key: Partial<KeyInUse> = {}, facts: Partial<KeyFacts> = {}): readonly Finding[] {
  return checkKey({ ...KEY, ...key }, { ...FACTS, ...facts }, INSTALL);
}

function first(key: Partial<KeyInUse>, facts: Partial<KeyFacts>): string {
  return briefs(check(key, facts))[0] ?? '';
}

function inState(over: Partial<KeyMetadata>, key: Partial<KeyInUse> = {}): string {
  return first(key, { metadata: { value: { ...METADATA, ...over } } });
}

const PARTNER_KEY = `arn:aws:kms:eu-west-1:${PARTNER}:key/1111aaaa-22bb-33cc-44dd-5555eeee6666`;

describe('a key that can be used', () => {
  it('is enabled, symmetric, and lets the role in by IAM', () => {
    expect(check().map(({ about, status, found }) => `${status} ${about}: ${found}`)).toEqual([
      'ok key alias/dr-copies in eu-central-1: enabled, symmetric, customer managed',
      'ok policy of key alias/dr-copies in eu-central-1: it leaves that to IAM, and the role gets the permission from the rules that are deployed',
    ]);
  });

  it('may be one of a multi-Region key, which is worth a word', () => {
    expect(inState({ multiRegion: 'REPLICA' })).toBe(
      'ok: enabled, symmetric, customer managed, replica of a multi-Region key',
    );
  });

  it("may be AWS's own, for sources of this account", () => {
    expect(check({ as: 'source' }, { metadata: { value: { ...METADATA, manager: 'AWS' } } }).map(brief)).toEqual([
      "ok: enabled, AWS's own, which serves this account",
    ]);
  });
});

describe("AWS's own keys", () => {
  it('for EBS work, but bind the copies to this account', () => {
    for (const name of ['alias/aws/ebs', `arn:aws:kms:eu-central-1:${HOME}:alias/aws/ebs`]) {
      expect(first({ name }, { metadata: { value: undefined } })).toBe(
        "hint: AWS's own key for EBS\nencryption: { kmsKey: alias/dr-copies }",
      );
    }
    expect(inState({ manager: 'AWS' }, { as: 'default', name: KEY_ARN })).toContain("hint: AWS's own key for EBS");
  });

  it('for other services are of no use', () => {
    expect(first({ name: 'alias/aws/s3' }, {})).toContain("problem: AWS's own key for another service than EBS");
  });

  it('that a rule names by id may be either', () => {
    expect(inState({ manager: 'AWS' })).toContain("warning: one of AWS's own keys; if it is not the one for EBS");
  });

  it('of another account cannot be used, and nothing here mends that', () => {
    expect(inState({ manager: 'AWS', account: PARTNER }, { as: 'source' })).toBe(
      `problem: AWS's own key of account ${PARTNER}, which serves that account alone\nAccount ${PARTNER} has to copy those snapshots under a customer managed key, and to share these copies and that key.`,
    );
  });
});

describe('a key that is not there', () => {
  const missing = { metadata: { value: undefined } };

  it('gets its alias from a new key of the right Region', () => {
    expect(first({}, missing)).toBe(
      `problem: there is none\naws kms create-alias --region eu-central-1 --alias-name alias/dr-copies --target-key-id "$(aws kms create-key --region eu-central-1 --description 'Copies of EBS snapshots' --query KeyMetadata.KeyId --output text)"`,
    );
  });

  it('is of no use in another Region, which is said', () => {
    expect(first({}, { ...missing, elsewhere: ['us-east-1', 'eu-west-1'] })).toContain(
      'problem: there is none; one of that name is in us-east-1, eu-west-1\n',
    );
  });

  it('can be a replica, if it is a multi-Region key', () => {
    const name = 'mrk-1234abcd12ab34cd56ef1234567890ab';
    expect(first({ name }, { ...missing, elsewhere: ['us-east-1'] })).toContain(
      `aws kms replicate-key --region us-east-1 --key-id ${name} --replica-region eu-central-1`,
    );
  });

  it('is replaced in the rule, if that names an id', () => {
    expect(first({ name: METADATA.keyId }, missing)).toContain('aws kms list-aliases --region eu-central-1');
  });

  it('leaves source snapshots that nothing can read', () => {
    expect(first({ as: 'source', name: KEY_ARN }, missing)).toContain('Nothing can read those snapshots any more');
  });
});

describe('a key that is there and cannot be used', () => {
  it.each([
    [{ state: 'Disabled' }, 'disabled', 'aws kms enable-key --region eu-central-1 --key-id 1234abcd-'],
    [
      { state: 'PendingDeletion', deletionDate: '2026-04-01T00:00:00.000Z' },
      'to be deleted on 2026-04-01T00:00:00.000Z',
      `aws kms cancel-key-deletion --region eu-central-1 --key-id ${METADATA.keyId} && aws kms enable-key --region eu-central-1 --key-id ${METADATA.keyId}`,
    ],
    [{ state: 'PendingReplicaDeletion' }, 'to be deleted', 'aws kms cancel-key-deletion'],
    [{ state: 'PendingImport' }, 'without its key material', 'importing-keys-import-key-material.html'],
    [
      { state: 'Unavailable' },
      'unavailable: its custom key store is not connected',
      'aws kms describe-custom-key-stores',
    ],
    [{ state: 'Updating' }, 'in state Updating', 'Check again'],
  ])('%j', (over, found, mend) => {
    const text = inState(over);
    expect(text).toContain(`problem: ${found}`);
    expect(text).toContain(mend);
  });

  it('is still looked at for its policy, so that both are known at once', () => {
    const findings = check({}, { metadata: { value: { ...METADATA, state: 'Disabled' } } });
    expect(findings.map(({ check: kind, status }) => `${kind} ${status}`)).toEqual(['key problem', 'key-policy ok']);
  });

  it('is asymmetric, and has to be replaced, whatever its policy', () => {
    const rsa = { spec: 'RSA_2048', usage: 'SIGN_VERIFY' };
    expect(check({}, { metadata: { value: { ...METADATA, ...rsa } } })).toHaveLength(1);
    expect(hasPolicyThatMatters({ ...METADATA, ...rsa })).toBe(false);
    expect(inState(rsa)).toContain('problem: RSA_2048 for SIGN_VERIFY; EBS takes symmetric encryption keys only');
    expect(inState(rsa)).toContain('aws kms update-alias --region eu-central-1 --alias-name alias/dr-copies');
    expect(inState(rsa, { name: KEY_ARN })).toContain('aws kms create-key --region eu-central-1');
    expect(inState(rsa, { name: KEY_ARN, as: 'default' })).toContain(
      'aws ec2 modify-ebs-default-kms-key-id --region eu-central-1 --kms-key-id "$(aws kms create-key',
    );
  });

  it('is mended by its own account', () => {
    const [finding] = check(
      { as: 'source' },
      { metadata: { value: { ...METADATA, account: PARTNER, state: 'Disabled' } } },
    );
    expect(finding?.mend[0]?.say).toBe(`As an administrator of account ${PARTNER}: Enable it:`);
  });
});

describe('a key that KMS does not show', () => {
  it('is not checked, and the permission to look is offered', () => {
    const [finding] = check(
      {},
      { metadata: { unknown: 'AccessDeniedException: no identity-based policy', lacks: ['kms:DescribeKey'] } },
    );
    expect(finding?.status).toBe('unchecked');
    expect(finding?.mend.map(({ paste, run }) => paste ?? run?.[0])).toEqual([
      '{ "Effect": "Allow", "Action": ["kms:DescribeKey"], "Resource": "*" }',
      'aws kms describe-key --region eu-central-1 --key-id alias/dr-copies',
    ]);
  });

  it('and whose own policy is why, most likely shuts the service out too', () => {
    const metadata = {
      unknown: 'AccessDeniedException: … because no resource-based policy allows the kms:DescribeKey action',
      lacks: ['kms:DescribeKey'],
    };
    const [finding] = check({ as: 'source', name: PARTNER_KEY, region: 'eu-west-1' }, { metadata });
    expect(`${finding?.status} ${finding?.found}`).toMatch(
      /^warning its policy does not let you see it, as the first /,
    );
    const [step, ...others] = finding?.mend ?? [];
    expect(others).toEqual([]);
    expect(step?.say).toContain(`As an administrator of account ${PARTNER}, put it behind the last`);
    expect(step?.run?.[1]).toBe(`--key-id ${PARTNER_KEY} > key-policy.json`);
    expect(step?.paste?.match(/SnapshotCopier\w+/g)).toEqual([
      'SnapshotCopierLook',
      'SnapshotCopierUse',
      'SnapshotCopierGrants',
    ]);
    const [own] = check({}, { metadata });
    expect(own?.mend[0]?.say).toContain(`As an administrator of account ${HOME}`);
    expect(own?.mend[0]?.run?.[1]).toContain('--query KeyMetadata.KeyId');
  });

  it('because something went wrong, is not checked', () => {
    expect(first({}, { metadata: { unknown: 'TimeoutError: too slow' } })).toMatch(
      /^unchecked: .*TimeoutError: too slow/,
    );
  });
});

describe('the policy of a key', () => {
  const policyOf = (...Statement: readonly object[]) => ({ policy: { value: JSON.stringify({ Statement }) } });
  const verdict = (facts: Partial<KeyFacts>) => check({}, facts).slice(1);
  const allow = { Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'kms:*', Resource: '*' };

  it('may let the role itself in', () => {
    expect(briefs(verdict(policyOf(allow)))).toEqual(['ok: it lets the role in']);
  });

  it('that shuts the role out gets statements to paste, and is opened by a command', () => {
    const [finding] = verdict(policyOf({ ...allow, Principal: { AWS: `arn:aws:iam::${HOME}:role/admin` } }));
    expect(finding?.status).toBe('problem');
    expect(finding?.found).toBe('neither it nor a grant lets the role, or its account, use the key at all');
    expect(finding?.mend[0]?.paste).toContain(
      `"ArnLike": {"aws:PrincipalArn":"arn:aws:iam::${HOME}:role/snapshot-copier/ebs-snapshot-copier-prod/*"}`,
    );
    expect(finding?.mend[0]?.run?.slice(-2)).toEqual([
      '&& aws kms put-key-policy --region eu-central-1 --policy-name default --policy file://key-policy.json',
      `--key-id ${KEY_ARN}`,
    ]);
  });

  it('that forgets some actions is told which, and what is left of a deleted role', () => {
    const facts = policyOf(
      { ...allow, Action: ['kms:De*', 'kms:Re*', 'kms:Gen*'] },
      { ...allow, Principal: { AWS: 'AROAEXAMPLE12345' } },
    );
    expect(briefs(verdict(facts))[0]).toContain(
      'problem: neither it nor a grant lets the role, or its account, do kms:CreateGrant; it names AROAEXAMPLE12345, which is what is left of a principal that was deleted',
    );
  });

  it('may leave something to grants, if these can be seen', () => {
    const facts = policyOf({ ...allow, Action: ['kms:De*', 'kms:Re*', 'kms:Gen*'] });
    const grant = { grantee: ROLE, operations: ['CreateGrant'], isConstrained: false };
    expect(briefs(verdict({ ...facts, grants: { value: [grant] } }))).toEqual([
      'ok: what it lacks, a grant gives the role',
    ]);
    expect(verdict({ ...facts, grants: { unknown: 'AccessDenied', lacks: ['kms:ListGrants'] } })[0]?.status).toBe(
      'unchecked',
    );
    expect(needsGrants(KEY, METADATA, facts.policy.value, INSTALL)).toBe(true);
    expect(needsGrants(KEY, METADATA, ROOT_POLICY, INSTALL)).toBe(false);
    expect(needsGrants(KEY, METADATA, 'no policy', INSTALL)).toBe(false);
  });

  it('that denies is a problem, whatever else it allows', () => {
    const [finding] = verdict(policyOf(allow, { ...allow, Sid: 'Fence', Effect: 'Deny', Action: 'kms:CreateGrant' }));
    expect(finding?.found).toBe('it denies kms:CreateGrant: statement Fence');
    expect(finding?.mend[0]?.paste).toBe(
      `"ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::${HOME}:role/snapshot-copier/ebs-snapshot-copier-prod/*" }`,
    );
  });

  it('that depends on what is not known is not guessed at', () => {
    const Condition = { StringEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } };
    const [finding] = verdict(policyOf({ ...allow, Sid: 'Org', Condition }));
    expect(finding?.status).toBe('unchecked');
    expect(finding?.found).toMatch(
      /^could not decide whether it allows .*statement Org \(its condition aws:PrincipalOrgID\)$/,
    );
  });

  it('that cannot be read, by whatever cause, is not checked', () => {
    expect(verdict({ policy: { value: '{}' } })[0]?.found).toBe('this command does not understand it');
    const [finding] = verdict({ policy: { unknown: 'AccessDeniedException: no', lacks: ['kms:GetKeyPolicy'] } });
    expect(finding?.status).toBe('unchecked');
    expect(finding?.found).toBe(
      'you may not look (kms:GetKeyPolicy), which says nothing of the service itself: AccessDeniedException: no',
    );
    expect(finding?.mend.at(-1)?.run?.[0]).toContain('aws kms get-key-policy');
  });

  it('was not asked for: nothing is said of it', () => {
    const { policy: _, ...facts } = FACTS;
    expect(checkKey(KEY, facts, INSTALL)).toHaveLength(1);
  });

  it('of another account can be read there alone', () => {
    const metadata = { value: { ...METADATA, account: PARTNER } };
    const key: KeyInUse = { ...KEY, as: 'source', name: PARTNER_KEY };
    const [, finding] = checkKey(key, { metadata, elsewhere: [] }, INSTALL);
    expect(finding?.status).toBe('unchecked');
    expect(finding?.found).toContain(`only account ${PARTNER} can read`);
    expect(finding?.about).toBe(`policy of source key ${PARTNER_KEY}`);
  });
});

describe("the policy of a key that the companion's role looked at", () => {
  const arn = PARTNER_KEY;
  const theirs = { value: { ...METADATA, account: PARTNER, arn } };
  const verdict = (facts: Partial<KeyFacts>) => {
    const { policy: _, ...without } = FACTS;
    const seen: KeyFacts = { ...without, metadata: theirs, byCompanion: true, ...facts };
    return checkKey({ ...KEY, as: 'source', name: arn, region: 'eu-west-1' }, seen, INSTALL).at(-1);
  };
  const policyOf = (...Action: readonly string[]) => ({
    value: JSON.stringify({
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HOME}:root` }, Action, Resource: '*' }],
    }),
  });
  const ALL_BUT_GRANT = ['kms:DescribeKey', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'];
  const NO_GRANTS = { value: [] };

  it('lacks a statement, and that one alone is there to paste, for an administrator there', () => {
    const finding = verdict({ policy: policyOf(...ALL_BUT_GRANT), grants: NO_GRANTS });
    expect(`${finding?.status}: ${finding?.found}`).toBe(
      'problem: neither it nor a grant lets the role, or its account, do kms:CreateGrant',
    );
    const [step, ...others] = finding?.mend ?? [];
    expect(others).toEqual([]);
    expect(step?.say).toBe(
      `Its policy needs what is below, and only account ${PARTNER} can change it: send it this step. As an administrator of account ${PARTNER}, put it behind the last of the list "Statement", with a comma before it, and take out what has the same Sid:`,
    );
    expect(step?.paste?.match(/SnapshotCopier\w+/g)).toEqual(['SnapshotCopierGrants']);
    expect(step?.run?.[0]).toMatch(/^aws kms get-key-policy --region eu-west-1 /);
    expect(step?.run?.at(-1)).toBe(`--key-id ${arn}`);
  });

  it('has all, or a grant has what it lacks', () => {
    const all = verdict({ policy: policyOf('kms:*'), grants: NO_GRANTS });
    expect(all && brief(all)).toMatch(/^ok: it leaves that to IAM/);
    const grant = { grantee: ROLE, operations: ['CreateGrant'], isConstrained: false };
    const granted = verdict({ policy: policyOf(...ALL_BUT_GRANT), grants: { value: [grant] } });
    expect(granted && brief(granted)).toBe('ok: what it lacks, a grant gives the role');
  });

  it('that denies is changed there, too', () => {
    const deny = { Sid: 'Fence', Effect: 'Deny', Principal: '*', Action: 'kms:CreateGrant', Resource: '*' };
    const finding = verdict({ policy: { value: JSON.stringify({ Statement: [deny] }) }, grants: NO_GRANTS });
    expect(finding?.mend[0]?.say).toContain(`As an administrator of account ${PARTNER}, have that statement leave out`);
  });

  it.each([
    ['the policy', { policy: { unknown: 'KMS says AccessDeniedException: kms:GetKeyPolicy' } }],
    ['the grants', { policy: policyOf(), grants: { unknown: 'KMS says AccessDeniedException: kms:ListGrants' } }],
    ['the key', { metadata: { unknown: 'KMS says AccessDeniedException: kms:DescribeKey' } }],
  ])('is not checked if it got no answer about %s', (_, facts) => {
    const finding = verdict(facts);
    expect(finding?.status).toBe('unchecked');
    expect(finding?.found).toMatch(
      /^the companion's role, which looks for the service, got no answer, .*: KMS says AccessDeniedException: kms:/,
    );
    expect(finding?.mend.map(({ run }) => run?.[0]?.slice(0, 25))).toEqual([
      'aws cloudformation deploy',
      'aws kms get-key-policy --',
    ]);
    expect(finding?.mend[0]?.run?.at(-1)).toBe(
      `--parameter-overrides TargetAccount=${HOME} EventBus=ebs-snapshot-copier-prod`,
    );
  });

  it('is not checked if whoever asks may not have it look, or the service does not know how', () => {
    const denied = { unknown: 'AccessDeniedException: no', lacks: ['lambda:InvokeFunction'] };
    expect(verdict({ metadata: denied })?.found).toContain('you may not look (lambda:InvokeFunction)');
    expect(verdict({})?.found).toContain('the service that is deployed is of an older version');
  });
});

it('calls a default key by that name', () => {
  expect(check({ as: 'default', name: KEY_ARN })[0]?.about).toBe(`default EBS key ${KEY_ARN} of eu-central-1`);
});

describe('the policy of a key before the first deployment, when there is no role yet', () => {
  const verdict = (facts: Partial<KeyFacts>) =>
    checkKey(KEY, { ...FACTS, ...facts }, { ...INSTALL, roleArn: undefined }).slice(1);
  const statement = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HOME}:role/admin` }, Action: 'kms:*' };
  const policyOf = (...Statement: readonly object[]) => ({ policy: { value: JSON.stringify({ Statement }) } });
  const later = 'Deploy, and check again: then the statements that it may lack are here, with the role.';

  it('needs no change if it leaves all to IAM', () => {
    expect(briefs(verdict({}))).toEqual([
      'ok: it leaves that to IAM, so it needs no change for the role of the service',
    ]);
  });

  it.each([
    ['names who may use the key', policyOf(statement)],
    ['is not understood', { policy: { value: 'no JSON' } }],
  ])('cannot be judged if it %s', (_, facts) => {
    const [finding] = verdict(facts);
    expect(finding && brief(finding)).toBe(
      `unchecked: it does not leave that to IAM, and the role that it has to let in is not there yet\n${later}`,
    );
    expect(finding?.why).not.toContain('undefined');
  });

  it('cannot be judged if nobody here can read it, or was not asked for', () => {
    expect(briefs(verdict({ metadata: { value: { ...METADATA, account: PARTNER } } }))).toEqual([
      `unchecked: only account ${PARTNER} can read it, and the role that it has to let in is not there yet\n${later}`,
    ]);
    expect(verdict({ policy: { unknown: 'no', lacks: ['kms:GetKeyPolicy'] } })[0]?.status).toBe('unchecked');
    const { metadata, elsewhere } = FACTS;
    expect(checkKey(KEY, { metadata, elsewhere }, { ...INSTALL, roleArn: undefined })).toHaveLength(1);
  });
});
