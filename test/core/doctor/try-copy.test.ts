import { describe, expect, it } from 'vitest';
import { fine, totalsOf } from '../../../core/doctor/finding.ts';
import { selectedCopies } from '../../../core/doctor/source-keys.ts';
import { checkProbe, nothingToTry } from '../../../core/doctor/try-copy.ts';
import { inOurWords } from '../../../core/ec2-errors.ts';
import { brief, HOME, INSTALL, ROLE, rules, snapshot } from './examples.ts';

const [EXAMPLE] = selectedCopies([snapshot()], rules({ name: 'nightly' }), HOME);

function refused(code: string, words: string): string {
  const error = Object.assign(new Error(words), { name: code, $metadata: { httpStatusCode: 400 } });
  const about = { call: 'CopySnapshot', snapshotId: 'snap-0a1b2c3d4e5f60718', region: 'eu-central-1' } as const;
  return inOurWords(error, about).message;
}

function check(probe: Parameters<typeof checkProbe>[1]) {
  if (EXAMPLE === undefined) throw new Error('nothing is selected');
  return checkProbe(EXAMPLE, probe, INSTALL);
}

describe('a dry run', () => {
  it('tells of whoever asks, not of the service, and says so', () => {
    expect(brief(check({ allowed: true }))).toBe(
      'ok: EC2 would copy snap-0a1b2c3d4e5f60718 to eu-central-1 for you, which says nothing of the role of the service',
    );
  });

  it('that is refused for lack of permission tells nothing of the service', () => {
    const finding = check({ refused: refused('UnauthorizedOperation', 'You are not authorized') });
    expect(finding.status).toBe('unchecked');
    expect(finding.found).toContain(
      'for you, which says nothing of the role of the service: UnauthorizedOperation: You are',
    );
    expect(finding.why).toContain(ROLE);
    if (EXAMPLE === undefined) throw new Error('nothing is selected');
    const probe = { refused: refused('UnauthorizedOperation', 'You are not authorized') };
    expect(checkProbe(EXAMPLE, probe, { ...INSTALL, roleArn: undefined }).why).toBe(
      'The service copies as a role that is not there yet, and nobody but the service can try that.',
    );
  });

  it('that is refused for another reason would be refused to the service as well', () => {
    const finding = check({ refused: refused('OptInRequired', 'You are not subscribed') });
    expect(brief(finding)).toBe(
      'problem: EC2 would refuse to copy snap-0a1b2c3d4e5f60718 to eu-central-1: OptInRequired: You are not subscribed\nEnable the Region for this account.',
    );
  });

  it.each([
    refused('RequestLimitExceeded', 'Request limit exceeded.'),
    refused('ResourceLimitExceeded', 'Too many snapshot copies in progress.'),
    'TimeoutError: too slow',
  ])('without a clear answer is none: %s', (words) => {
    expect(check({ refused: words }).status).toBe('unchecked');
  });

  it('needs a snapshot', () => {
    const finding = nothingToTry(['eu-central-1', 'us-east-1'], ['nightly'], 3, false);
    expect(nothingToTry(['eu-central-1'], ['nightly'], 3, true).found).toContain('that this account may use now');
    expect(finding.about).toBe('dry run of copies to eu-central-1, us-east-1');
    expect(finding.status).toBe('unchecked');
  });
});

it('findings are counted by status', () => {
  const well = fine({ check: 'x', about: 'x', found: 'x' });
  expect(totalsOf([well, { ...well, status: 'hint' }, well])).toEqual({
    ok: 2,
    hint: 1,
    warning: 0,
    problem: 0,
    unchecked: 0,
  });
});
