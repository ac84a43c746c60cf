import type { Deployment } from '../../../core/doctor/deploy-command.ts';
import type { Finding } from '../../../core/doctor/finding.ts';
import type { KeyInUse, KeyMetadata } from '../../../core/doctor/key.ts';
import type { Install } from '../../../core/install.ts';
import { type CopyRule, parseRules } from '../../../core/rules.ts';
import type { Snapshot } from '../../../core/snapshot.ts';

export const HOME = '444455556666';
export const PARTNER = '111122223333';
export const ROLE = `arn:aws:iam::${HOME}:role/snapshot-copier/ebs-snapshot-copier-prod/ebs-snapshot-copier-prod-StartCopyRole`;
export const KEY_ARN = `arn:aws:kms:eu-central-1:${HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

export const INSTALL: Install = {
  name: 'ebs-snapshot-copier-prod',
  account: HOME,
  region: 'eu-west-1',
  roleArn: ROLE,
};

export const DEPLOYMENT: Deployment = {
  install: INSTALL,
  rulesFile: 'copy-rules.yml',
  parameters: new Map([
    ['AlertEmail', 'oncall@example.com'],
    ['LookbackHours', '24'],
  ]),
};

export const KEY: KeyInUse = {
  name: 'alias/dr-copies',
  region: 'eu-central-1',
  as: 'named',
  rules: ['nightly'],
  usedFrom: ['eu-central-1'],
};

export const METADATA: KeyMetadata = {
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
  arn: KEY_ARN,
  account: HOME,
  manager: 'CUSTOMER',
  state: 'Enabled',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
};

/** The policy that KMS gives a key for which nobody asks for another. */
export const ROOT_POLICY: string = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'Root', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HOME}:root` }, Action: 'kms:*', Resource: '*' },
  ],
});

/** Rules as a file has them, as short as that goes: a name for each, tag `Backup`, one destination. */
export function rules(...written: readonly Record<string, unknown>[]): readonly CopyRule[] {
  return parseRules({
    rules: written.map((rule, index) => ({
      name: `rule-${index + 1}`,
      destinations: [{ region: 'eu-central-1' }],
      ...rule,
    })),
  });
}

export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  return {
    snapshotId: 'snap-0a1b2c3d4e5f60718',
    region: 'eu-west-1',
    ownerId: HOME,
    volumeId: 'vol-0123456789abcdef0',
    state: 'completed',
    progressPercent: 100,
    startTime: '2026-03-02T04:09:51.204Z',
    sizeGiB: 8,
    encrypted: false,
    storageTier: 'standard',
    description: '',
    tags: {},
    ...over,
  };
}

/** What a finding says, in short: status, words, and what mends it. */
export function brief({ status, found, mend }: Finding): string {
  const does = mend.map(({ say, run, paste }) => (run ?? [paste ?? say]).join(' '));
  return [`${status}: ${found}`, ...does].join('\n');
}

export function briefs(findings: readonly Finding[]): readonly string[] {
  return findings.map(brief);
}
