import { describe, expect, it } from 'vitest';
import { optionProblems } from '../../packaging/check-options.ts';
import { destination } from '../support/examples.ts';

const rules = [{ name: 'nightly', select: {}, destinations: [destination()], dryRun: false }];
const right = { stage: 'prod', region: 'eu-west-1', params: {} };

describe('the options of a deployment', () => {
  it('may be all that the README names', () => {
    const params = {
      alertEmail: 'oncall@example.com',
      monitoring: 'off',
      noRecentCopyAlarm: 'off',
      keepRequestsDays: '365',
      sweepMinutes: '10',
      lookbackHours: '72',
    };
    expect(optionProblems({ ...right, params }, rules)).toEqual([]);
  });

  // As the template's MinValue and MaxValue, see template.test.ts.
  it.each([
    [
      'keepRequestsDays',
      ['90', '99', '100', '999', '2999', '3599', '3650'],
      ['0', '1', '89', '-90', '090', '90.5', 'ninety', '3651', '3700', '10000', ''],
    ],
    ['sweepMinutes', ['2', '5', '9', '10'], ['0', '1', '11', '5 minutes', '']],
    ['lookbackHours', ['0', '1', '24', '99', '299', '336'], ['337', '1000', '-1', '00', '024', '']],
  ])('%s is a number within its limits', (name, takes, refuses) => {
    const problems = (value: string) => optionProblems({ ...right, params: { [name]: value } }, rules);
    for (const value of takes) expect(problems(value), value).toEqual([]);
    for (const value of refuses) expect(problems(value), value).toEqual([expect.stringContaining(`--param="${name}=`)]);
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
