import { describe, expect, it } from 'vitest';
import { optionProblems } from '../../packaging/check-options.ts';
import { destination } from '../support/examples.ts';

const rules = [{ name: 'nightly', select: {}, destinations: [destination()], dryRun: false }];
const right = { stage: 'prod', region: 'eu-west-1', params: {} };

describe('the options of a deployment', () => {
  it('may be all that the README names', () => {
    const params = { alertEmail: 'oncall@example.com', noRecentCopyAlarm: 'off' };
    expect(optionProblems({ ...right, params }, rules)).toEqual([]);
  });

  it.each([
    ['a misspelt parameter, whose alerts would go to nobody', { params: { alertMail: 'x@example.com' } }, 'alertMail'],
    [
      'a value that CloudFormation would refuse only at the deployment',
      { params: { noRecentCopyAlarm: 'no' } },
      '"no"',
    ],
    ['an address that is none', { params: { alertEmail: 'oncall' } }, 'oncall@example.com'],
    ['a stage that is too long', { stage: 'a-stage-with-a-very-long-name' }, 'a-stage-with-a-very-long-name'],
    ['a Region of another partition', { region: 'cn-north-1' }, 'eu-central-1'],
  ])('are refused with an example: %s', (_what, wrong, told) => {
    expect(optionProblems({ ...right, ...wrong }, rules)).toEqual([expect.stringContaining(told)]);
  });

  it('are refused all at once', () => {
    const params = { alertEmail: '', colour: 'red' };
    expect(optionProblems({ stage: '1', region: 'us-gov-west-1', params }, rules)).toHaveLength(4);
  });
});
