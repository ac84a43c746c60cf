import { describe, expect, it } from 'vitest';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import type { RuleDestination } from '../../../core/doctor/rules-snippet.ts';
import { type CopyQuota, checkFreeSlots, checkSlots, pendingCopies } from '../../../core/doctor/slots.ts';
import { brief, briefs, INSTALL, rules, snapshot } from './examples.ts';

function destinations(...slots: readonly number[]): readonly RuleDestination[] {
  return slots.flatMap((each, index) =>
    rules({ name: `rule-${index + 1}`, destinations: [{ region: 'eu-central-1', slots: each }] }).flatMap((rule) =>
      rule.destinations.map((destination) => ({ rule: rule.name, destination })),
    ),
  );
}

const TWENTY: CopyQuota = { limit: 20, isApplied: true };

describe('slots', () => {
  const check = (slots: readonly number[], quota: CopyQuota = TWENTY) =>
    briefs(checkSlots('eu-central-1', destinations(...slots), { value: quota }));

  it('below the quota leave room', () => {
    expect(check([18, 3])).toEqual(['ok: 18 of 20 at most (by Service Quotas), which leaves 2 to others']);
  });

  it('that are all of the quota leave none, which is worth a hint', () => {
    expect(check([20, 3])).toEqual([
      'hint: rules take up to 20, and EC2 runs 20 copies at once (by Service Quotas)\nrules:\n  - name: rule-1\n    destinations:\n      - region: eu-central-1\n        slots: 18',
    ]);
  });

  it('above the quota are refused, at each rule that has them', () => {
    const [warning, hint] = check([30, 20, 25]);
    expect(warning).toBe(
      [
        'warning: rules take up to 30, up to 25, and EC2 runs 20 copies at once (by Service Quotas)',
        'rules:',
        '  - name: rule-1',
        '    destinations:',
        '      - region: eu-central-1',
        '        slots: 18',
        '  - name: rule-3',
        '    destinations:',
        '      - region: eu-central-1',
        '        slots: 18',
        'Or have AWS Support raise it; Service Quotas cannot.',
      ].join('\n'),
    );
    expect(hint).toContain('hint: rules take up to 20, and');
  });

  it('are named with the Local Zone or Outpost that they are for, and leave at least one', () => {
    const zones = rules({
      name: 'zones',
      destinations: [
        { region: 'us-west-2', localZone: 'us-west-2-lax-1a', slots: 2 },
        {
          region: 'us-west-2',
          outpost: 'arn:aws:outposts:us-west-2:444455556666:outpost/op-0123456789abcdef0',
          slots: 1,
        },
      ],
    }).flatMap((rule) => rule.destinations.map((destination) => ({ rule: rule.name, destination })));
    const [, hint] = briefs(checkSlots('us-west-2', zones, { value: { limit: 1, isApplied: true } }));
    expect(hint).toContain('hint: rules take up to 1 for us-west-2-op-0123456789abcdef0, and');
    expect(hint).toContain(
      '        outpost: arn:aws:outposts:us-west-2:444455556666:outpost/op-0123456789abcdef0\n        slots: 1',
    );
    expect(briefs(checkSlots('us-west-2', zones, { value: { limit: 1, isApplied: true } }))[0]).toContain(
      '        localZone: us-west-2-lax-1a\n        slots: 1',
    );
  });

  it('are held against what AWS documents, if Service Quotas does not know better', () => {
    expect(check([18], { limit: 20, isApplied: false })[0]).toContain("(by AWS's default)");
    expect(briefs(checkSlots('eu-central-1', destinations(18), { value: undefined }))[0]).toContain(
      '(by the documentation of EBS)',
    );
    const denied = { unknown: 'no', lacks: ['servicequotas:ListServiceQuotas'] };
    expect(checkSlots('eu-central-1', destinations(18), denied).map(({ status }) => status)).toEqual([
      'unchecked',
      'ok',
    ]);
  });
});

describe('free slots', () => {
  const check = (all: number, ofInstall: number) =>
    brief(checkFreeSlots('eu-central-1', destinations(18, 4), { value: { all, ofInstall } }));

  it('are counted', () => {
    expect(check(0, 0)).toBe('ok: 18 of 18; 0 copies are pending');
    expect(check(1, 0)).toBe('ok: 17 of 18; 1 copy is pending');
  });

  it('may be none while the service works', () => {
    expect(check(18, 18)).toBe('ok: none of 18 now; 18 copies are pending, 18 of this install');
    expect(check(18, 9)).toContain('ok: none of 18 now');
  });

  it('may be none because others have them, which somebody should know', () => {
    expect(check(20, 2)).toContain(
      'warning: none of 18; 20 copies are pending, and 18 of them are not of this install\naws ec2 describe-snapshots --region eu-central-1',
    );
  });

  it('cannot be told if nobody may list snapshots', () => {
    expect(checkFreeSlots('eu-central-1', destinations(18), { unknown: 'no' }).status).toBe('unchecked');
  });

  it('are taken by copies, not by snapshots of volumes', () => {
    const copy = { state: 'pending', volumeId: 'vol-ffffffff' } as const;
    const pending = [
      snapshot({ state: 'pending' }),
      snapshot(copy),
      snapshot({ ...copy, tags: { [COPIER_TAG.managed]: INSTALL.name } }),
      snapshot({ ...copy, tags: { [COPIER_TAG.managed]: 'another-install' } }),
    ];
    expect(pendingCopies(pending, INSTALL.name)).toEqual({ all: 3, ofInstall: 1 });
  });
});
