import { describe, expect, it } from 'vitest';
import { readSettings, setting } from '../../functions/settings.ts';

const { INSTALL_NAME, ACCOUNT_ID, KEEP_REQUESTS_DAYS, LOOKBACK_HOURS } = setting;

describe('the settings of a function', () => {
  it('are those that it asks for', () => {
    const env = { INSTALL_NAME: 'copier', ACCOUNT_ID: '111122223333', AWS_SESSION_TOKEN: 'secret' };
    expect(readSettings(env, { INSTALL_NAME, ACCOUNT_ID })).toEqual({
      INSTALL_NAME: 'copier',
      ACCOUNT_ID: '111122223333',
    });
  });

  it('are an error that lists all that are missing or empty, each with an example, and nothing of the others', () => {
    const env = { INSTALL_NAME: '', AWS_SESSION_TOKEN: 'secret' };
    const read = () => readSettings(env, { INSTALL_NAME, ACCOUNT_ID });
    expect(read).toThrow(/INSTALL_NAME: missing: .*for example ebs-snapshot-copier-prod\n.*ACCOUNT_ID: .*111122223333/);
    expect(read).not.toThrow(/secret/);
  });

  it('are numbers where numbers are meant, and an error where they are none', () => {
    expect(readSettings({ LOOKBACK_HOURS: '0' }, { LOOKBACK_HOURS })).toEqual({ LOOKBACK_HOURS: 0 });
    for (const wrong of ['', 'ninety', '-1', '1.5', '9e1', undefined]) {
      const read = () => readSettings({ KEEP_REQUESTS_DAYS: wrong }, { KEEP_REQUESTS_DAYS });
      expect(read, wrong).toThrow(/KEEP_REQUESTS_DAYS: not a whole number: .*for example 90/);
    }
  });
});
