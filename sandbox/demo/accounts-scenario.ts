import { setTimeout as sleep } from 'node:timers/promises';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { CreateAliasCommand, CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { keyStatements } from '../../core/key-statements.ts';
import {
  createSnapshot,
  createSnapshotSet,
  createVolume,
  share,
  shareWhenComplete,
  type Tags,
} from './make-snapshots.ts';
import type { Expected } from './scenario.ts';

/** Who shares what the demo copies; what they have is in accounts-rules.yml. */
export const SOURCE_ACCOUNTS = {
  /** Has the companion. */
  payroll: '111122223333',
  /** Has it too. */
  shop: '222233334444',
  /** Has nothing of ours. */
  agency: '333344445555',
  /** Nobody knows it. */
  stranger: '999988887777',
} as const;

/** One copy of a snapshot of another account. */
export type ForeignCopy = Expected & {
  /** 12 digits. */
  readonly owner: string;
  /** Of the source: an alias, or nothing. */
  readonly sourceKey?: string;
  /**
   * What is shared so that it can be copied: the source, by the service (`ours`) or by its owner (`theirs`); a copy of it
   * under another key in its own account; or nothing.
   */
  readonly share: 'ours' | 'theirs' | 'intermediate' | 'none';
};

/** What was set up. */
export interface AccountsScene {
  readonly expected: readonly ForeignCopy[];
  /** Of two snapshots under `aws/ebs`, the older one first. */
  readonly pair: readonly [older: string, newer: string];
  /** A snapshot that `agency` shared with `shop` alone. */
  readonly decoy: string;
}

/** How the demo reaches the sandbox. */
export interface AccountsClients {
  /** In the source Region. */
  readonly ec2: (account: string) => EC2Client;
  readonly kms: (account: string) => KMSClient;
  /** The install that copies. */
  readonly install: { readonly name: string; readonly account: string; readonly region: string };
}

/** Takes snapshots in three other accounts. Answers with what must come of them. */
export async function playAccountsScenario({ ec2, kms, install }: AccountsClients): Promise<AccountsScene> {
  const { payroll, shop, agency } = SOURCE_ACCOUNTS;
  const expected: ForeignCopy[] = [];
  const snapshotOf = async (owner: string, sizeGiB: number, description: string, tags: Tags, key?: string) =>
    createSnapshot(ec2(owner), await createVolume(ec2(owner), sizeGiB, key), description, tags);
  const dr = { key: 'alias/dr-copies' };
  const nightly = (snapshotId: string, name: string, of: { owner: string; what: string; sourceKey?: string }) => {
    const copied = { snapshotId, end: 'copied', share: 'ours', ...of } as const;
    expected.push({ ...copied, destination: 'eu-central-1', ...dr, tags: { Name: name, Tier: 'dr' } });
    // Encrypted it stays, under the key that its destination has for that.
    const stays = of.sourceKey === undefined ? {} : { key: 'alias/aws/ebs' };
    expected.push({ ...copied, destination: 'us-east-1', ...stays, tags: { Name: name } });
  };

  // Two of one volume: of the second one only what changed is to be copied.
  const ledgerVolume = await createVolume(ec2(payroll), 8, 'alias/aws/ebs');
  const pair: string[] = [];
  for (const number of [1, 2]) {
    const name = `ledger-${number}`;
    const tags = { Backup: 'default-key', Name: name };
    const snapshotId = await createSnapshot(ec2(payroll), ledgerVolume, `ledger, no. ${number}`, tags);
    pair.push(snapshotId);
    // Some seconds of the sandbox, so that it can be seen which one is older.
    await sleep(20);
    expected.push({
      snapshotId,
      what: name,
      destination: 'eu-central-1',
      owner: payroll,
      sourceKey: 'alias/aws/ebs',
      share: 'intermediate',
      end: 'copied',
      ...dr,
      tags: { Name: name },
    });
  }

  const web = await snapshotOf(payroll, 40, 'nightly of web', { Backup: 'nightly', Name: 'web' });
  nightly(web, 'web', { owner: payroll, what: 'web' });

  // Its policy lets the copier in, as docs/kms.md has it; that of the other one does not.
  await makeKey(kms(payroll), payroll, 'alias/salaries', keyStatements(install, [install.region]));
  const salaries = { Backup: 'nightly', Name: 'salaries' };
  const own = await snapshotOf(payroll, 20, 'nightly of salaries', salaries, 'alias/salaries');
  nightly(own, 'salaries', { owner: payroll, what: 'salaries', sourceKey: 'alias/salaries' });

  for (const [index, snapshotId] of (await createSnapshotSet(ec2(shop), [30, 12], { Backup: 'set' })).entries()) {
    expected.push({
      snapshotId,
      what: `set, ${index + 1} of 2`,
      destination: 'us-east-1',
      owner: shop,
      share: 'ours',
      end: 'copied',
      tags: { Backup: 'set' },
    });
  }

  const stock = await snapshotOf(shop, 16, 'stock', { Backup: 'set', Name: 'stock' });
  await share(ec2(shop), stock, install.account);
  expected.push({
    snapshotId: stock,
    what: 'stock',
    destination: 'us-east-1',
    owner: shop,
    share: 'theirs',
    end: 'copied',
    tags: { Name: 'stock' },
  });

  const leftAsItIs = { Backup: 'left-as-it-is', Name: 'mail' };
  const mail = await snapshotOf(shop, 8, 'nobody lets it be re-encrypted', leftAsItIs, 'alias/aws/ebs');
  const alerted = { owner: shop, end: 'alert' } as const;
  expected.push({
    snapshotId: mail,
    what: 'mail',
    destination: 'eu-central-1',
    ...alerted,
    sourceKey: 'alias/aws/ebs',
    share: 'none',
    reason: 'SourceNotShareable',
    wayOut: ['Reencrypt=on', 'reencrypt: true'],
  });

  await makeKey(kms(shop), shop, 'alias/closed', undefined);
  const closed = { Backup: 'closed-key', Name: 'vouchers' };
  const vouchers = await snapshotOf(shop, 8, 'under a key that nobody opened', closed, 'alias/closed');
  expected.push({
    snapshotId: vouchers,
    what: 'vouchers',
    destination: 'us-east-1',
    ...alerted,
    sourceKey: 'alias/closed',
    share: 'ours',
    reason: 'KeyNotAccessible',
    wayOut: ['"Sid": "SnapshotCopierUse"'],
  });

  const forVault = 'for the vault: drafts';
  const drafts = await snapshotOf(agency, 24, forVault, { Name: 'drafts' });
  const decoy = await snapshotOf(agency, 4, forVault, { Name: 'not for us' });
  await shareWhenComplete(ec2(agency), drafts, install.account);
  await shareWhenComplete(ec2(agency), decoy, shop);
  expected.push({
    snapshotId: drafts,
    what: 'by hand',
    destination: 'eu-west-1',
    owner: agency,
    share: 'theirs',
    end: 'copied',
    key: 'alias/vault',
    // Nobody but its owner sees its tags, and can write on it.
    tags: {},
    isMarked: false,
  });

  const [older = '', newer = ''] = pair;
  return { expected, pair: [older, newer], decoy };
}

/** @param statements for others than the account itself, as JSON with commas between them */
async function makeKey(kms: KMSClient, owner: string, alias: string, statements: string | undefined): Promise<void> {
  const own = `{ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::${owner}:root" }, "Action": "kms:*", "Resource": "*" }`;
  const Policy = `{ "Version": "2012-10-17", "Statement": [${[own, statements].filter(Boolean).join(', ')}] }`;
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }));
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }));
}
