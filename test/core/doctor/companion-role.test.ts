import { describe, expect, it } from 'vitest';
import { checkCompanionRole, type ListedAccount, notListedYet } from '../../../core/doctor/companion-role.ts';
import type { SourceCheck, SourceTrial } from '../../../core/source-look.ts';
import { brief, briefs, HOME, INSTALL, METADATA, PARTNER, snapshot } from './examples.ts';

const LISTED: ListedAccount = { account: PARTNER, rules: ['nightly'], reencrypt: false };
const EXAMPLE = 'snap-0a1b2c3d4e5f60718';
/** Of a companion that may not be there yet. */
const FIRST = 'EventBus=ebs-snapshot-copier-prod Regions=eu-west-1';
const UPDATE =
  'aws cloudformation deploy --region eu-west-1 --stack-name snapshot-copier-source --template-file companions/source-account.yml --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset --parameter-overrides TargetAccount=444455556666 EventBus=ebs-snapshot-copier-prod';

const DEPLOY = UPDATE.replace(/EventBus=\S+/, FIRST);

function trial(permission: SourceTrial['permission'], over: Partial<SourceTrial> = {}): SourceTrial {
  return { permission, outcome: 'allowed', words: '', ...over };
}

function found(over: Partial<SourceCheck> = {}): { readonly check: SourceCheck } {
  const trials = (['readShares', 'share', 'takeBack', 'mark', 'unmark'] as const).map((each) => trial(each));
  return { check: { example: EXAMPLE, trials, claimed: [], intermediates: [], ...over } };
}

const check = (value: Parameters<typeof checkCompanionRole>[1], listed: ListedAccount = LISTED) =>
  checkCompanionRole(listed, value, INSTALL);

describe('the role of a companion', () => {
  it('is fine if it lets the service in, and what it is for would be allowed', () => {
    const findings = check({ value: found() });
    expect(findings[0]?.about).toBe(
      `role arn:aws:iam::${PARTNER}:role/snapshot-copier/ebs-snapshot-copier-prod-for-${HOME}`,
    );
    expect(briefs(findings)).toEqual([
      'ok: it lets the service in, and see snapshots with their tags',
      `ok: EC2 would let it see whom a snapshot is shared with, share a snapshot, take a share back, mark a snapshot, remove such a mark (dry run with ${EXAMPLE})`,
    ]);
  });

  it('that does not is a problem, with what deploys the companion', () => {
    const refused = { value: { refused: 'AssumeRole: STS says AccessDenied: no' } };
    const [finding, ...others] = check(refused);
    expect(others).toEqual([]);
    expect(finding && brief(finding)).toBe(
      `problem: the service may not look into the account: AssumeRole: STS says AccessDenied: no\n${DEPLOY}`,
    );
    expect(finding?.mend[0]?.say).toContain('If a companion is there already with more Regions, name them all');
    expect(finding?.mend[0]?.say).toContain(`As an administrator of account ${PARTNER}`);
    const [other] = briefs(check(refused, { ...LISTED, reencrypt: true, externalId: 'our copier' }));
    expect(other).toContain(`${DEPLOY} 'ExternalId=our copier' Reencrypt=on`);
  });

  it('is not known to whoever may not call the function that looks', () => {
    const denied = { unknown: 'AccessDeniedException: no', lacks: ['lambda:InvokeFunction'] };
    expect(check(denied).map(({ status }) => status)).toEqual(['unchecked']);
  });

  it('that may not do something is a problem for each', () => {
    const trials = [trial('mark'), trial('share', { outcome: 'refused', words: 'UnauthorizedOperation: no' })];
    expect(briefs(check({ value: found({ trials }) })).slice(1)).toEqual([
      `ok: EC2 would let it mark a snapshot (dry run with ${EXAMPLE})`,
      `problem: EC2 would not let it share a snapshot (ec2:ModifySnapshotAttribute): UnauthorizedOperation: no\n${UPDATE}`,
    ]);
  });

  it('is not known to be right where there was nothing to try, and each reason is told once', () => {
    const untried = (permission: SourceTrial['permission'], words = 'there is no snapshot') =>
      trial(permission, { outcome: 'untried', words });
    const trials = [untried('share'), untried('mark'), untried('unmark', 'no clear answer')];
    const { example: _, ...without } = found({ trials }).check;
    expect(briefs(check({ value: { check: without } })).slice(1)).toEqual([
      'unchecked: not known whether EC2 would let it share a snapshot, mark a snapshot: there is no snapshot\nCheck again when the account has a snapshot of the last three days.',
      'unchecked: not known whether EC2 would let it remove such a mark: no clear answer\nCheck again when the account has a snapshot of the last three days.',
    ]);
  });

  it('need not be tried to remove intermediate copies where there are none', () => {
    const trials = [trial('copyUnderKey'), trial('removeIntermediate', { outcome: 'untried', words: 'none' })];
    const statuses = (over: Partial<SourceCheck>) =>
      check({ value: found({ trials, ...over }) }).map((each) => each.status);
    expect(statuses({})).toEqual(['ok', 'ok']);
    expect(statuses({ intermediates: [{ ...snapshot({}), tags: {}, viewedByOwner: true }] })).toEqual([
      'ok',
      'ok',
      'unchecked',
    ]);
  });
});

describe('the shareable key of a companion', () => {
  const NAME = `alias/snapshot-copier-ebs-snapshot-copier-prod-for-${HOME}`;
  const listed = { ...LISTED, reencrypt: true };
  const ofKey = (shareableKey: SourceCheck['shareableKey']) =>
    check({ value: found(shareableKey === undefined ? {} : { shareableKey }) }, listed).slice(2);

  it('is there and enabled', () => {
    const [finding] = ofKey({ name: NAME, key: METADATA });
    expect(finding?.about).toBe(`key ${NAME} of account ${PARTNER} in eu-west-1`);
    expect(finding?.status).toBe('ok');
    expect(ofKey(undefined)).toEqual([]);
  });

  it('comes with the companion, and so do the permissions that go with it', () => {
    const refused = (['copyUnderKey', 'removeIntermediate'] as const).map((permission) =>
      trial(permission, { outcome: 'refused', words: 'UnauthorizedOperation: no' }),
    );
    const statuses = (shareableKey: NonNullable<SourceCheck['shareableKey']>) =>
      check({ value: found({ trials: refused, shareableKey }) }, listed).map(
        ({ check: of, status }) => `${of} ${status}`,
      );
    expect(statuses({ name: NAME, missing: true })).toEqual(['source-role ok', 'shareable-key problem']);
    expect(statuses({ name: NAME, key: METADATA })).toEqual([
      'source-role ok',
      'source-permissions problem',
      'source-permissions problem',
      'shareable-key ok',
    ]);
    expect(briefs(ofKey({ name: NAME, missing: true }))).toEqual([`problem: there is none\n${UPDATE} Reencrypt=on`]);
    expect(ofKey({ name: NAME, unknown: 'KMS throttles' })[0]?.status).toBe('unchecked');
  });

  it('must be enabled', () => {
    const at = `--region eu-west-1 --key-id ${METADATA.keyId}`;
    expect(briefs(ofKey({ name: NAME, key: { ...METADATA, state: 'Disabled' } }))).toEqual([
      `problem: in state Disabled\naws kms enable-key ${at}`,
    ]);
    expect(briefs(ofKey({ name: NAME, key: { ...METADATA, state: 'PendingDeletion' } }))).toEqual([
      `problem: in state PendingDeletion\naws kms cancel-key-deletion ${at} && aws kms enable-key ${at}`,
    ]);
  });
});

it('an account that is not deployed yet cannot be looked into', () => {
  const finding = notListedYet(LISTED, INSTALL, ['npx serverless deploy']);
  expect(brief(finding)).toBe(
    `unchecked: only the service may take it, and what is deployed does not list the account\n${DEPLOY}\nnpx serverless deploy`,
  );
});
