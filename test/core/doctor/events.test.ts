import { describe, expect, it } from 'vitest';
import {
  checkCompanions,
  checkEventRules,
  checkSourceRegion,
  type EventRule,
  type ExpectedRule,
  hearsOfCopies,
} from '../../../core/doctor/events.ts';
import { brief, briefs, DEPLOYMENT, rules } from './examples.ts';

const PATTERN = JSON.stringify({
  source: ['aws.ec2'],
  'detail-type': ['EBS Snapshot Notification'],
  detail: { event: ['createSnapshot'] },
});
const COPIES = JSON.stringify({ source: ['aws.ec2'], detail: { event: ['copySnapshot'] } });
const DENIED = { unknown: 'AccessDeniedException: no', lacks: ['events:ListRules'] };

function rule(over: Partial<EventRule> = {}): EventRule {
  return { name: 'rule-1', isEnabled: true, pattern: PATTERN, ...over };
}

function expected(over: Partial<ExpectedRule> = {}): ExpectedRule {
  return {
    name: 'rule-1',
    logicalId: 'OnSnapshotEventRule',
    rule: rule(),
    targets: { value: ['arn:aws:lambda:eu-west-1:444455556666:function:f'] },
    ...over,
  };
}

describe('event rules', () => {
  const check = (...those: readonly ExpectedRule[]) => checkEventRules({ value: those }, DEPLOYMENT);

  it('are fine together, in one line', () => {
    expect(briefs(check(expected(), expected()))).toEqual(['ok: 2 of 2 are enabled and have targets']);
  });

  it('that are disabled are enabled by a command', () => {
    const [, finding] = check(expected(), expected({ rule: rule({ isEnabled: false }) }));
    expect(finding?.about).toBe('event rule rule-1 (createSnapshot)');
    expect(finding && brief(finding)).toBe(
      'problem: disabled\naws events enable-rule --region eu-west-1 --name rule-1',
    );
  });

  it('that are not there, or lead nowhere, are made by a deployment', () => {
    const { targets: _, ...missing } = expected({ rule: undefined });
    expect(briefs(check(missing))[0]).toMatch(
      /^problem: there is none of this name in eu-west-1\nnpx serverless deploy /,
    );
    expect(briefs(check(expected({ targets: { value: [] } })))[0]).toMatch(
      /^problem: it has no target\nnpx serverless deploy /,
    );
  });

  it('on the bus for source accounts are enabled there, and lead to the function that judges', () => {
    const fn = `arn:aws:lambda:eu-west-1:444455556666:function:${DEPLOYMENT.install.name}-onSnapshotEvent`;
    const all = JSON.stringify({ source: [{ prefix: '' }] });
    const onBus = (over: Partial<ExpectedRule> = {}) =>
      expected({
        logicalId: 'SourceEventsRule',
        bus: 'ebs-snapshot-copier-prod',
        rule: rule({ pattern: all }),
        targets: { value: ['arn:aws:sqs:eu-west-1:444455556666:other', fn] },
        ...over,
      });
    expect(check(onBus())[0]?.status).toBe('ok');
    const [disabled] = check(onBus({ rule: rule({ pattern: all, isEnabled: false }) }));
    expect(disabled?.about).toBe('event rule rule-1 (all that source accounts tell)');
    expect(disabled && brief(disabled)).toBe(
      'problem: disabled\naws events enable-rule --region eu-west-1 --event-bus-name ebs-snapshot-copier-prod --name rule-1',
    );
    const elsewhere = briefs(check(onBus({ targets: { value: [`${fn}2`] } })));
    expect(elsewhere[0]).toMatch(/^problem: it does not lead to the function onSnapshotEvent\nnpx serverless deploy /);
    expect(briefs(check(onBus({ targets: { value: [] } })))[0]).toContain('it has no target');
  });

  it('whose targets were not looked up say nothing of them', () => {
    const { targets: _, ...unasked } = expected();
    expect(briefs(check(unasked))).toEqual(['ok: 1 of 1 are enabled and have targets']);
  });

  it('that only wake admission are no more than a warning', () => {
    const wake = expected({ logicalId: 'CopyEventsRule', rule: rule({ isEnabled: false, pattern: COPIES }) });
    expect(check(wake)[0]?.status).toBe('warning');
  });

  it('cannot be checked without the permission', () => {
    expect(checkEventRules(DENIED, DEPLOYMENT)[0]?.status).toBe('unchecked');
    expect(check(expected({ targets: DENIED }))[0]?.status).toBe('unchecked');
  });

  it.each([
    [
      JSON.stringify({ source: ['aws.states'], 'detail-type': ['Step Functions Execution Status Change'] }),
      'Step Functions Execution Status Change',
    ],
    [undefined, 'no pattern'],
    ['{"source":', 'no pattern'],
    ['7', 'no pattern'],
    ['{"source":[{"prefix":"aws"}],"detail":{"event":[{"exists":true}]}}', 'no pattern'],
  ])('are for what their pattern says: %s', (pattern, words) => {
    expect(check(expected({ rule: rule({ isEnabled: false, pattern }) }))[0]?.about).toBe(
      `event rule rule-1 (${words})`,
    );
  });
});

describe('ends of copies', () => {
  const FRANKFURT = { region: 'eu-central-1', rules: ['nightly'], eventRules: { value: [rule({ pattern: COPIES })] } };

  it('are heard of by rules with copySnapshot alone', () => {
    expect(hearsOfCopies(rule({ pattern: COPIES }))).toBe(true);
    expect(hearsOfCopies(rule())).toBe(false);
    expect(
      hearsOfCopies(rule({ pattern: JSON.stringify({ source: ['my.app'], detail: { event: ['copySnapshot'] } }) })),
    ).toBe(false);
  });

  it('are forwarded', () => {
    expect(briefs(checkCompanions([FRANKFURT], DEPLOYMENT))).toEqual(['ok: they are']);
  });

  it('need not be forwarded: all Regions without that are one hint and one command', () => {
    const without = (region: string) => ({ region, rules: ['nightly'], eventRules: { value: [] } });
    const [, hint] = checkCompanions([without('us-east-1'), FRANKFURT, without('us-west-2')], DEPLOYMENT);
    expect(hint?.about).toBe('ends of copies in us-east-1, us-west-2, forwarded to eu-west-1');
    expect(hint && brief(hint)).toContain(
      'hint: they are not, which is optional\nfor region in us-east-1 us-west-2; do aws cloudformation deploy --region "$region" ',
    );
  });

  it('need no loop where there is one Region', () => {
    const [hint] = checkCompanions([{ region: 'us-east-1', rules: [], eventRules: { value: [] } }], DEPLOYMENT);
    expect(hint?.mend[0]?.run?.join(' ')).toBe(
      'aws cloudformation deploy --region us-east-1 --stack-name ebs-snapshot-copier-copies-eu-west-1 --template-file companions/destination-region.yml --capabilities CAPABILITY_IAM --parameter-overrides HomeRegion=eu-west-1',
    );
  });

  it('are not forwarded by a rule that is disabled, or that nobody may see', () => {
    const disabled = { value: [rule({ name: 'forward', pattern: COPIES, isEnabled: false })] };
    expect(briefs(checkCompanions([{ ...FRANKFURT, eventRules: disabled }], DEPLOYMENT))).toEqual([
      'warning: rule forward does that, but is disabled\naws events enable-rule --region eu-central-1 --name forward',
    ]);
    expect(checkCompanions([{ ...FRANKFURT, eventRules: DENIED }], DEPLOYMENT)[0]?.status).toBe('unchecked');
  });
});

describe('a Region that rules select snapshots of', () => {
  const selecting = rules(
    { name: 'both', select: { regions: ['eu-west-1', 'us-west-2'] } },
    { name: 'there', select: { regions: ['us-west-2'] } },
  );
  const check = (isDeployed: Parameters<typeof checkSourceRegion>[1], of = selecting) =>
    checkSourceRegion({ region: 'us-west-2', rules: of, stack: 'our-stack' }, isDeployed, DEPLOYMENT);

  it('has an install of its own', () => {
    expect(brief(check({ value: true }))).toBe('ok: there is an install of its own, stack our-stack');
  });

  it('without one has nothing copied, ever', () => {
    expect(brief(check({ value: false }))).toBe(
      [
        'problem: the service is not deployed there: us-west-2 has no stack our-stack',
        'npx serverless deploy --region us-west-2 --stage prod --param=alertEmail=oncall@example.com',
        'rules:\n  - name: both\n    select:\n      regions: [eu-west-1]',
      ].join('\n'),
    );
    expect(check({ value: false }, selecting.slice(1)).mend).toHaveLength(1);
    expect(check({ unknown: 'no', lacks: ['cloudformation:DescribeStacks'] }).status).toBe('unchecked');
  });
});
