import { describe, expect, it } from 'vitest';
import { checkEncryptionByDefault } from '../../../core/doctor/default-key.ts';
import type { Fact } from '../../../core/doctor/fact.ts';
import { checkLocalZone, checkRegion, outpostUnchecked, type RegionListed } from '../../../core/doctor/region.ts';
import { brief, briefs, HOME, INSTALL, rules } from './examples.ts';

const LISTED: Fact<readonly RegionListed[]> = {
  value: [
    { name: 'eu-central-1', optIn: 'opt-in-not-required' },
    { name: 'me-south-1', optIn: 'not-opted-in' },
    { name: 'eu-south-1', optIn: 'opted-in' },
  ],
};
const DENIED = { unknown: 'UnauthorizedOperation: no', lacks: ['ec2:DescribeRegions'] };

function region(name: string, listed = LISTED, answered: Fact<unknown> | undefined = { value: [] }): readonly string[] {
  return briefs(checkRegion({ region: name, use: 'destination', rules: ['nightly'] }, listed, answered, INSTALL));
}

describe('a Region', () => {
  it('is enabled by AWS or by the account, and answers', () => {
    expect(region('eu-central-1')).toEqual(['ok: enabled (opt-in-not-required), EC2 answers']);
    expect(region('eu-south-1')).toEqual(['ok: enabled (opted-in), EC2 answers']);
    const use = { region: 'eu-south-1', use: 'destination', rules: [] };
    expect(briefs(checkRegion(use, LISTED, undefined, INSTALL))).toEqual(['ok: enabled (opted-in)']);
  });

  it('that the account has not enabled is enabled by a command', () => {
    expect(region('me-south-1')[0]).toBe(
      [
        `problem: not enabled for account ${HOME}`,
        'aws account enable-region --region eu-west-1 --region-name me-south-1',
        'aws account get-region-opt-status --region eu-west-1 --region-name me-south-1',
      ].join('\n'),
    );
  });

  it('that is not there is mostly a typing error', () => {
    expect(region('eu-centrl-1')[0]).toContain(
      'problem: AWS has no such Region; did you mean eu-central-1?\nregion: eu-central-1\n',
    );
    expect(region('xy-nowhere-9')[0]).toContain(
      'problem: AWS has no such Region\nCorrect it in the rules file, and deploy.\n',
    );
  });

  it('that does not answer is not checked, though it is enabled', () => {
    const answers = region('eu-central-1', LISTED, { unknown: 'ENOTFOUND: ec2.eu-central-1.amazonaws.com' });
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain('unchecked: no answer that helps: ENOTFOUND');
  });

  it('is not checked if nobody may list the Regions, and is still asked', () => {
    expect(region('eu-central-1', DENIED).map((text) => text.split(':')[0])).toEqual(['unchecked']);
    expect(region('eu-central-1', DENIED, { unknown: 'TimeoutError: slow' })).toHaveLength(2);
  });
});

describe('a Local Zone', () => {
  const check = (zone: Parameters<typeof checkLocalZone>[1]) =>
    brief(checkLocalZone({ region: 'eu-central-1', localZone: 'eu-central-1-ham-1a', rules: ['nightly'] }, zone));
  const zone = { optIn: 'opted-in', state: 'available', group: 'eu-central-1-ham-1' };

  it('is there and enabled', () => {
    expect(check({ value: zone })).toBe('ok: enabled (opted-in)');
  });

  it('is enabled with its group', () => {
    expect(check({ value: { ...zone, optIn: 'not-opted-in' } })).toBe(
      'problem: not enabled\naws ec2 modify-availability-zone-group --region eu-central-1 --group-name eu-central-1-ham-1 --opt-in-status opted-in',
    );
  });

  it('may be out of order, not there, or not to be seen', () => {
    expect(check({ value: { ...zone, state: 'impaired' } })).toContain('warning: enabled, but impaired');
    expect(check({ value: undefined })).toContain('problem: eu-central-1 has no such Local Zone');
    expect(check({ unknown: 'no', lacks: ['ec2:DescribeAvailabilityZones'] })).toContain('unchecked: ');
  });
});

it('an Outpost is left to people, with the command to look', () => {
  const outpost = 'arn:aws:outposts:eu-west-1:444455556666:outpost/op-0123456789abcdef0';
  const [rule] = rules({ destinations: [{ region: 'eu-west-1', outpost }] });
  const [destination] = rule?.destinations ?? [];
  if (destination === undefined) throw new Error('no destination');
  const finding = outpostUnchecked({ ...destination, outpost }, ['factory']);
  expect(finding.status).toBe('unchecked');
  expect(finding.about).toBe('Outpost eu-west-1-op-0123456789abcdef0');
  expect(brief(finding)).toContain(`aws outposts get-outpost --region eu-west-1 --outpost-id ${outpost}`);
});

describe('encryption by default', () => {
  const check = (names: readonly string[], encryptsByDefault: boolean) =>
    briefs(checkEncryptionByDefault('eu-central-1', names, { value: { encryptsByDefault, key: 'alias/aws/ebs' } }));

  it('decides what becomes of plain snapshots, where a rule leaves that open', () => {
    expect(check(['nightly'], true)).toEqual(['ok: on, so copies of plain snapshots are encrypted too']);
    expect(check(['nightly'], false)).toEqual(['ok: off, so copies of plain snapshots stay plain']);
    expect(check([], true)).toEqual([]);
  });

  it('may not be seen', () => {
    const fact = { unknown: 'no', lacks: ['ec2:GetEbsDefaultKmsKeyId'] };
    expect(checkEncryptionByDefault('eu-central-1', [], fact)[0]?.status).toBe('unchecked');
  });
});
