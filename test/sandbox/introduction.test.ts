import { describe, expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { introduction } from '../../sandbox/introduction.ts';

const PARTNER = '111122223333';

function example(select: object | undefined, companionsIn: readonly string[] = []): string {
  const destinations = [{ region: 'eu-central-1' }];
  const document = { rules: [{ name: 'nightly', ...(select !== undefined && { select }), destinations }] };
  const text = introduction(
    {
      endpoint: 'http://127.0.0.1:4566',
      home: { account: '000000000000', region: 'eu-west-1' },
      physicalIds: new Map(),
    },
    {
      speed: 60,
      rules: parseRules(document),
      keys: { made: [], missing: [] },
      companions: companionsIn.map((account) => ({
        account,
        region: 'eu-west-1',
        template: 'companions/source-account.yml',
        stackName: 'companion-1',
        outputs: {},
      })),
    },
  );
  return /# a snapshot.*?(?=\n\n)/s.exec(text)?.[0] ?? '';
}

describe('the example of a snapshot', () => {
  it('is one of this account, with tags of the first rule', () => {
    const text = example({ tags: { Backup: ['nightly', 'weekly'], Kept: true } });
    expect(text).toContain('ResourceType=snapshot,Tags=[{Key=Backup,Value=nightly},{Key=Kept,Value=yes}]');
    expect(text).not.toContain('AWS_ACCESS_KEY_ID');
    expect(text).not.toContain('--description');
  });

  it('is one of the account that the rule names, shared by hand where nothing is installed', () => {
    const text = example({ owners: [PARTNER], description: '^nightly ' });
    expect(text).toContain(`volume=$(AWS_ACCESS_KEY_ID=${PARTNER} aws ec2 create-volume`);
    expect(text).toContain(`snapshot=$(AWS_ACCESS_KEY_ID=${PARTNER} aws ec2 create-snapshot`);
    expect(text).toContain("--description 'nightly '");
    expect(text).toContain(`AWS_ACCESS_KEY_ID=${PARTNER} aws ec2 modify-snapshot-attribute --snapshot-id "$snapshot"`);
    expect(text).toContain('--user-ids 000000000000');
  });

  it('needs no share where the companion is', () => {
    const text = example({ owners: [PARTNER] }, [PARTNER]);
    expect(text).toContain(`\n  AWS_ACCESS_KEY_ID=${PARTNER} aws ec2 create-snapshot`);
    expect(text).not.toContain('modify-snapshot-attribute');
  });

  it('says what its description must match if that is not plain', () => {
    expect(example({ description: '(a|b)$' })).toContain('with a description that matches (a|b)$;');
  });
});
