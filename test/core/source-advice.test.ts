import { describe, expect, it } from 'vitest';
import { writeAlert } from '../../core/alert.ts';
import type { FailedExecution } from '../../core/execution.ts';
import { EXAMPLES, ec2Error, failed, givenUp, INSTALL, request, thrown, withCompanion } from './alert-examples.ts';

function textOf(execution: FailedExecution): string {
  return writeAlert(execution, INSTALL).message.replaceAll(/\s+/g, ' ');
}

describe('a source under aws/ebs', () => {
  it('has three ways out: the companion and the rule, by hand, or another key from the beginning', () => {
    const text = textOf(EXAMPLES.SourceNotShareable);
    expect(text).toContain('aws/ebs, the key that AWS manages for account 111122223333');
    expect(text).toContain('--parameter-overrides Reencrypt=on');
    expect(text).toContain('rules: - name: nightly-to-frankfurt reencrypt: true');
    expect(text).toContain('copy="$(aws ec2 copy-snapshot --region eu-west-1 --source-region eu-west-1');
    expect(text).toContain('--operation-type add --user-ids 444455556666');
    expect(text).toContain('"Sid": "SnapshotCopierGrants"');
    expect(text).toContain('set one as the default EBS key of that account');
  });
});

describe('a companion that cannot be used', () => {
  it('is named by its role, with what it has to trust and how it is deployed', () => {
    const text = textOf(EXAMPLES.SourceAccountRefused);
    expect(text).toContain(
      'arn:aws:iam::111122223333:role/snapshot-copier/ebs-snapshot-copier-prod-for-444455556666, which companions/source-account.yml makes there',
    );
    expect(text).toContain('wants to hear another external id');
    expect(text).toContain('aws iam get-role --role-name ebs-snapshot-copier-prod-for-444455556666');
    expect(text).toContain('arn:aws:iam::444455556666:role/snapshot-copier/ebs-snapshot-copier-prod/*');
    expect(text).toContain('--parameter-overrides TargetAccount=444455556666 EventBus=ebs-snapshot-copier-prod');
    expect(text).not.toContain('Reencrypt');
  });

  it('needs Reencrypt=on for a rule with reencrypt', () => {
    const companion = { reencrypt: true };
    const error = thrown('SourceAccountRefusedError', 'not allowed');
    const text = textOf(failed({ request: request({ source: { companion } }), error }));
    expect(text).toContain('or has not Reencrypt=on, which rule nightly-to-frankfurt needs, deploy the companion');
    expect(text).toContain('EventBus=ebs-snapshot-copier-prod Reencrypt=on');
  });

  it('because somebody else answers is told as that', () => {
    const words =
      'arn:aws:iam::111122223333:role/x answers as arn:aws:sts::999988887777:assumed-role/x/y, which is not of account 111122223333: it is not used.';
    const text = textOf(failed({ request: withCompanion, error: thrown('SourceAccountRefusedError', words) }));
    expect(text).toContain('What answered to that name is not of account 111122223333. It was not used');
    expect(text).not.toContain('another external id');
  });
});

describe('an intermediate copy that failed', () => {
  it('sends people to the companion’s key in the source account', () => {
    const text = textOf(EXAMPLES.IntermediateFailed);
    expect(text).toContain('Given key ID is not accessible');
    expect(text).toContain(
      'aws kms describe-key --region eu-west-1 --key-id alias/snapshot-copier-ebs-snapshot-copier-prod-for-444455556666',
    );
    expect(text).toContain('--parameter-overrides Reencrypt=on');
    expect(text).toContain('EC2 accepted that copy and ended it in state error');
  });

  it('because EC2 refused it for the key is told as that, and sends nobody to the key of the destination', () => {
    const said =
      'CopySnapshot of snap-0a1b2c3d4e5f60718 in eu-west-1: EC2 says InvalidParameterValue: The specified keyId is disabled';
    const error = thrown('IntermediateFailedError', `EC2 refused the copy, and made none. ${said}`);
    const text = textOf(failed({ request: withCompanion, error }));
    expect(text).toContain('The specified keyId is disabled');
    expect(text).toContain('EC2 refused that at once because of the key, so that no copy was made there');
    expect(text).toContain('--key-id alias/snapshot-copier-ebs-snapshot-copier-prod-for-444455556666');
    expect(text).not.toContain('SnapshotCopierUse');
  });
});

describe('a source with as many tags as EC2 lets it have', () => {
  const full = ec2Error('TagLimitExceeded', 'The maximum number of Tags has been reached', 400, {
    call: 'CreateTags',
    region: 'eu-west-1',
  });

  it('is named with its account, and with how much room its copies need', () => {
    const text = textOf(failed({ request: withCompanion, error: full }));
    expect(text).toContain(
      'snap-0a1b2c3d4e5f60718 of account 111122223333 has as many tags as EC2 lets a snapshot have',
    );
    expect(text).toContain('two for each destination and one more have to be free');
    expect(text).not.toContain('copy fewer');
  });

  it('is not meant if it is the copy that has too many', () => {
    const ofCopy = ec2Error('TagLimitExceeded', 'The maximum number of Tags has been reached');
    expect(textOf(failed({ request: withCompanion, error: ofCopy }))).toContain('copy fewer');
    expect(textOf(failed({ error: full }))).toContain('copy fewer');
  });
});

describe('a source that is gone', () => {
  const gone = givenUp({ name: 'CopyEndedInError', message: 'Source snapshot is not found' });

  it('is shared again by whoever shared it: its owner, or the service', () => {
    expect(textOf(failed({ copy: gone }))).toContain('account 111122223333 has to share it again');
    const byService = textOf(failed({ request: withCompanion, copy: gone }));
    expect(byService).toContain('Started again, the service shares it anew');
    expect(byService).toContain('as an administrator of account 111122223333, whether it is there');
    expect(byService).not.toContain('has to share it again');
  });
});
