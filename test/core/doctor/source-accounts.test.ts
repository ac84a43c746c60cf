import { describe, expect, it } from 'vitest';
import { checkSourceBus, refusedEvents } from '../../../core/doctor/source-bus.ts';
import { checkSourceEvents, newestTelling } from '../../../core/doctor/source-events.ts';
import { checkIntermediates, checkShares, claimsIn, type ExecutionEnd } from '../../../core/doctor/source-leftovers.ts';
import { checkUnseenTags } from '../../../core/doctor/unseen-tags.ts';
import { checkUnshareableKey } from '../../../core/doctor/unshareable-key.ts';
import type { LedgerRequest } from '../../../core/ledger-request.ts';
import { parseRulesFile } from '../../../core/rules.ts';
import { request } from '../../support/examples.ts';
import { brief, briefs, DEPLOYMENT, HOME, INSTALL, PARTNER, rules, snapshot } from './examples.ts';

const LISTED = { account: PARTNER, rules: ['nightly'] };
const THIRD = '222233334444';
const NOW = new Date('2026-03-02T12:00:00.000Z');
const DENIED = { unknown: 'AccessDeniedException: no', lacks: ['some:Action'] };

const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

describe('the bus for source accounts', () => {
  const ROOT = `arn:aws:iam::${PARTNER}:root`;
  const policy = (...statements: readonly object[]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: statements.map((each) => ({ Effect: 'Allow', Action: 'events:PutEvents', Resource: 'arn', ...each })),
    });
  const ofOrganization = (id: string) =>
    policy({ Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': id } } });
  const check = (
    text: string | undefined,
    over: { readonly organization?: string; readonly accounts?: string[] } = {},
  ) => brief(checkSourceBus({ accounts: [PARTNER], ...over }, { value: { policy: text } }, DEPLOYMENT));
  const DEPLOY = 'npx serverless deploy --region eu-west-1 --stage prod --param=alertEmail=oncall@example.com';

  it.each([
    ['by the ARN of its root', policy({ Principal: { AWS: ROOT } })],
    ['by its id, among others', policy({ Principal: { AWS: [THIRD, PARTNER] }, Action: ['events:*'] })],
    ['in another statement', policy({ Principal: { AWS: THIRD } }, { Principal: { AWS: ROOT } })],
    ['in a policy of one statement', policy({ Principal: { AWS: ROOT } }).replace(/\[(\{.*\})\]/, '$1')],
  ])('lets an account in %s', (_, text) => {
    expect(check(text)).toBe('ok: it lets the source account in');
  });

  it('lets all of them in, or names those that it does not', () => {
    const both = { accounts: [PARTNER, THIRD] };
    expect(check(policy({ Principal: { AWS: [PARTNER, THIRD] } }), both)).toBe('ok: it lets the source accounts in');
    expect(check(policy({ Principal: { AWS: [PARTNER] } }), both)).toBe(
      `problem: its policy does not let account ${THIRD} in\n${DEPLOY}`,
    );
  });

  it.each([
    ['without a policy', undefined],
    ['with a text that is none', '{"Statement"'],
    ['with a number for a policy', '7'],
    ['that denies', policy({ Principal: { AWS: ROOT }, Effect: 'Deny' })],
    ['for another action', policy({ Principal: { AWS: ROOT }, Action: 'events:PutRule' })],
    ['for a role there alone', policy({ Principal: { AWS: `arn:aws:iam::${PARTNER}:role/x` } })],
    ['on a condition that nobody here knows', policy({ Principal: { AWS: ROOT }, Condition: { Bool: { a: 'true' } } })],
    ['for an organisation that may not be its own', ofOrganization('o-a1b2c3d4e5')],
  ])('does not let it in for certain %s', (_, text) => {
    expect(check(text)).toMatch(/^problem: its policy does not let account 111122223333 in\n/);
  });

  it('lets an organisation in', () => {
    const organization = 'o-a1b2c3d4e5';
    expect(check(ofOrganization(organization), { organization })).toBe(
      'ok: it lets the accounts of organisation o-a1b2c3d4e5 in',
    );
    const missing = `problem: its policy does not let organisation o-a1b2c3d4e5 in\n${DEPLOY}`;
    expect(check(ofOrganization('o-b1b2c3d4e5'), { organization })).toBe(missing);
    expect(check(policy({ Principal: '*' }), { organization })).toBe(missing);
    expect(check(policy({ Principal: { AWS: ROOT } }), { organization })).toBe(missing);
  });

  it('may not be there, or not be seen', () => {
    const of = { accounts: [PARTNER] };
    const none = checkSourceBus(of, { value: undefined }, DEPLOYMENT);
    expect(none.about).toBe(`event bus ebs-snapshot-copier-prod of account ${HOME} in eu-west-1`);
    expect(brief(none)).toBe(`problem: there is no such bus\n${DEPLOY}`);
    expect(checkSourceBus(of, DENIED, DEPLOYMENT).status).toBe('unchecked');
  });

  it('refuses what is forged, of which the log tells', () => {
    expect(refusedEvents(INSTALL).mend[0]?.run?.join(' ')).toMatch(
      /^aws logs filter-log-events --region eu-west-1 --log-group-name \/aws\/lambda\/ebs-snapshot-copier-prod-onSnapshotEvent /,
    );
  });
});

describe('events of a source account', () => {
  const theirs = (ago: number, over = {}) =>
    snapshot({ snapshotId: `snap-${ago}`, ownerId: PARTNER, completionTime: minutesAgo(ago).toISOString(), ...over });
  const asked = (ago: number): LedgerRequest => ({
    request: request(),
    status: 'copied',
    reason: 'copied',
    attempt: 1,
    requestedAt: minutesAgo(ago).toISOString(),
    waitingSince: minutesAgo(ago).toISOString(),
    changedAt: NOW.toISOString(),
  });
  const check = (completed: number, ...requested: readonly number[]) =>
    checkSourceEvents(LISTED, { value: { snapshot: theirs(completed), requests: requested.map(asked) } }, INSTALL, NOW);

  it('are told by the newest snapshot that is complete for long enough', () => {
    const pending = theirs(20, { state: 'pending' });
    const unknown = theirs(0, { snapshotId: 'snap-begun', startTime: minutesAgo(30).toISOString() });
    const { completionTime: _, ...begun } = unknown;
    expect(newestTelling([theirs(40), pending, begun, theirs(14), theirs(50)], NOW)?.snapshotId).toBe('snap-begun');
    expect(newestTelling([theirs(14)], NOW)).toBeUndefined();
    expect(newestTelling([theirs(15)], NOW)?.snapshotId).toBe('snap-15');
  });

  it('arrive if it was asked for at once, at any of its destinations', () => {
    expect(briefs([check(60, 59, 20)])).toEqual(['ok: snap-60 was asked for 60 s after it was complete']);
    expect(check(60, 48).found).toBe('snap-60 was asked for 12 min after it was complete');
    // By a clock that is a little behind.
    expect(check(60, 61).found).toBe('snap-60 was asked for 0 s after it was complete');
  });

  it('do not if the clock found it, or somebody asked by hand', () => {
    const finding = check(300, 100);
    expect(finding.status).toBe('warning');
    expect(finding.found).toBe(
      'snap-300 was asked for 3 h after it was complete: by the clock or by hand, not by its event',
    );
    expect(finding.mend[0]?.run?.[0]).toBe(
      `aws events describe-rule --region eu-west-1 --name ebs-snapshot-copier-prod-for-${HOME} --query '[State,EventPattern]'`,
    );
    expect(check(60, 45).status).toBe('warning');
  });

  it('are missed the more, the longer nobody asks', () => {
    const soon = check(60);
    expect([soon.status, soon.found]).toEqual([
      'warning',
      'nobody asked for a copy of snap-60, which is complete for 60 min',
    ]);
    expect(check(120).status).toBe('problem');
    expect(check(120).mend[1]?.run).toEqual(['snapshot-copier backfill --since 3d']);
  });

  it('cannot be told without a snapshot, or without the ledger', () => {
    expect(checkSourceEvents(LISTED, { value: undefined }, INSTALL, NOW).status).toBe('unchecked');
    expect(checkSourceEvents(LISTED, DENIED, INSTALL, NOW).status).toBe('unchecked');
  });
});

describe('shares that the service made', () => {
  const claim = (snapshotId: string, end: ExecutionEnd) => ({
    snapshotId,
    execution: `${snapshotId}-eu-central-1-1`,
    end: { value: end },
  });
  const check = (...claims: Parameters<typeof checkShares>[1]) => briefs(checkShares(LISTED, claims, INSTALL, NOW));

  it('are all in use, or there is none', () => {
    expect(check()).toEqual(['ok: none now']);
    expect(check(claim('snap-1', 'runs'))).toEqual(['ok: 1 is in use']);
    expect(check(claim('snap-1', 'runs'), claim('snap-2', minutesAgo(15)))).toEqual(['ok: 2 are in use']);
  });

  it('are left behind where their executions are over, which one command mends', () => {
    const left = check(claim('snap-1', 'gone'), claim('snap-2', minutesAgo(16)), claim('snap-3', 'runs'));
    expect(left).toEqual([
      'warning: snap-1, snap-2 still shared for snap-1-eu-central-1-1, snap-2-eu-central-1-1, which are over\n' +
        'echo \'{"look":"everywhere"}\' | aws lambda invoke --region eu-west-1 --function-name ebs-snapshot-copier-prod-releaseSource --payload fileb:///dev/stdin /dev/stdout',
    ]);
    expect(check(claim('snap-1', 'gone'))[0]).toContain('snap-1 still shared for snap-1-eu-central-1-1, which is over');
  });

  it('may be of executions that nobody may look at', () => {
    const unknown = { snapshotId: 'snap-1', execution: 'x', end: DENIED };
    expect(checkShares(LISTED, [unknown, unknown], INSTALL, NOW).map(({ status }) => status)).toEqual(['unchecked']);
  });

  it('are known by their claims', () => {
    const claimed = [
      { snapshotId: 'snap-1', claims: [1, 2].map((number) => ({ tag: `t${number}`, execution: `e${number}` })) },
      { snapshotId: 'snap-2', claims: [] },
    ];
    expect(claimsIn({ trials: [], intermediates: [], claimed })).toEqual([
      { snapshotId: 'snap-1', execution: 'e1' },
      { snapshotId: 'snap-1', execution: 'e2' },
    ]);
  });
});

it('intermediate copies that nothing needs cost storage; others are fine, and none is nothing to tell', () => {
  const copy = (id: string, minutes: number, over = {}) =>
    snapshot({
      snapshotId: id,
      sizeGiB: 10,
      completionTime: minutesAgo(minutes).toISOString(),
      tags: {
        'snapshot-copier:intermediate-volume': 'vol-1',
        'snapshot-copier:source-start-time': minutesAgo(minutes).toISOString(),
      },
      ...over,
    });
  const check = (...all: Parameters<typeof checkIntermediates>[1]) =>
    briefs(checkIntermediates(LISTED, all, INSTALL, NOW));
  expect(check()).toEqual([]);
  expect(check(copy('snap-new', 200))).toEqual(['ok: 1 is needed']);
  const [fine, needless] = check(copy('snap-new', 10), copy('snap-fresh', 60), copy('snap-old', 200));
  expect(fine).toBe('ok: 2 are needed');
  expect(needless).toMatch(
    /^warning: snap-old of 10 GiB, which nothing needs any more\necho .* \| aws lambda invoke .* /,
  );
  expect(check(copy('snap-error', 10, { state: 'error' }))).toHaveLength(1);
});

describe('rules that want tags', () => {
  const tagged = { tags: { Backup: true } };

  it('of accounts without the companion select nothing there', () => {
    const [finding] = checkUnseenTags(
      rules({ name: 'both', select: { ...tagged, owners: ['self', PARTNER, THIRD, HOME] } }),
      [PARTNER],
      INSTALL,
    );
    expect(finding?.about).toBe(`snapshots of account ${THIRD}, by tags`);
    expect(finding && brief(finding)).toBe(
      `warning: none is selected: tags of another account are seen through its companion alone
sourceAccounts:
  accounts: ["111122223333", "222233334444"]
aws cloudformation deploy --region eu-west-1 --stack-name snapshot-copier-source --template-file companions/source-account.yml --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset --parameter-overrides TargetAccount=444455556666 EventBus=ebs-snapshot-copier-prod Regions=eu-west-1
rules:
  - name: both
    select:
      description: '^Created by '`,
    );
  });

  it('of others are fine', () => {
    const well = rules(
      { select: tagged },
      { select: { owners: [THIRD] } },
      { select: { ...tagged, owners: [PARTNER] } },
    );
    expect(checkUnseenTags(well, [PARTNER], INSTALL)).toEqual([]);
  });
});

it("AWS's own key of a source account needs reencrypt in each rule that selects what is under it", () => {
  const key = {
    name: `arn:aws:kms:eu-west-1:${PARTNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
    region: 'eu-west-1',
    as: 'source',
    rules: ['with', 'without'],
    usedFrom: ['eu-west-1'],
  } as const;
  const destinations = [{ region: 'eu-central-1' }];
  const file = parseRulesFile({
    sourceAccounts: { accounts: [PARTNER] },
    rules: [
      { name: 'with', destinations, reencrypt: true },
      { name: 'without', destinations },
      { name: 'other', destinations },
    ],
  });
  const finding = checkUnshareableKey(key, PARTNER, file.rules, INSTALL);
  expect(finding.rules).toEqual(['without']);
  expect(brief(finding)).toMatch(
    /^problem: AWS's own key of account 111122223333, under which nothing can be shared\naws cloudformation deploy .* Reencrypt=on\nrules:\n {2}- name: without\n {4}reencrypt: true\nOr have/,
  );
  const fine = checkUnshareableKey({ ...key, rules: ['with'] }, PARTNER, file.rules, INSTALL);
  expect(brief(fine)).toBe(
    "ok: AWS's own key of account 111122223333, under which nothing can be shared; the rules have it copied there under another key first",
  );
});
