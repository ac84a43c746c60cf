import { CreateVolumeCommand, DeleteSnapshotCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { onTestFinished } from 'vitest';
import type { CompanionStack } from '../../../sandbox/companions.ts';
import type { Ec2Call } from '../../../sandbox/ec2/ec2-service.ts';
import type { SnapshotRecord } from '../../../sandbox/ec2/snapshot-record.ts';
import { HOME_ACCOUNT } from '../../../sandbox/home.ts';
import { startSandbox } from '../../../sandbox/sandbox.ts';
import { packagedService } from '../../support/packaged.ts';
import { type Duration, FRANKFURT, milliseconds, SOURCE_REGION, VIRGINIA, World, type WorldOptions } from '../world.ts';

/** The account that the service is deployed to. */
export const HOME = HOME_ACCOUNT;
/** Accounts with the companion. */
export const ORDERS = '111122223333';
export const PAYROLL = '222233334444';
/** An account where nothing is installed. */
export const PARTNER = '333344445555';
/** All four are in it, and the rules let it in. */
const ORGANIZATION = 'o-a1b2c3d4e5';

/** Selects by tags for the accounts with the companion, and by description for the one without. */
export const RULES = 'test/support/across-accounts-rules.yml';
/** The name of the install, which is that of its event bus as well. */
export const INSTALL = 'ebs-snapshot-copier-test';

const REGIONS = [SOURCE_REGION, FRANKFURT, VIRGINIA];
/** How the service begins the description of a copy that it makes in a source account. */
const INTERMEDIATE = 'snapshot-copier intermediate of ';

interface AccountsOptions extends WorldOptions {
  /** Parameters of both companions, instead of the usual ones; `none`: they are not deployed. */
  readonly companion?: Readonly<Record<string, string>> | 'none';
}

/** Where a companion is deployed, and with what. */
interface CompanionAt {
  readonly account: string;
  readonly region?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** The service at home, and accounts that own snapshots. */
export class Accounts extends World {
  /** A companion for this install. */
  deployCompanion({ account, region = SOURCE_REGION, parameters = {} }: CompanionAt): CompanionStack {
    const { home, stackName } = this.sandbox;
    return this.sandbox.deployCompanion({
      template: 'companions/source-account.yml',
      region,
      account,
      parameters: { TargetAccount: home.account, EventBus: stackName, Regions: SOURCE_REGION, ...parameters },
    });
  }

  /** The installs beside this one, in the order of the option. */
  others(): readonly Accounts[] {
    return this.sandbox.installs.map((install) => new Accounts({ ...this.sandbox, ...install }));
  }

  /** A volume under a key of its account: an ARN, or `alias/aws/ebs`. */
  async volumeUnder(kmsKey: string, account: string): Promise<string> {
    const { VolumeId = '' } = await this.ec2(SOURCE_REGION, account).send(
      new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: 8, Encrypted: true, KmsKeyId: kmsKey }),
    );
    return VolumeId;
  }

  /** A customer managed key in an account; answers its ARN. */
  sourceKey(account: string, { usableBy = [] }: { readonly usableBy?: readonly string[] } = {}): string {
    return this.sandbox.keys.create({ account, region: SOURCE_REGION, usableBy }).arn;
  }

  /** Somebody in the account of the snapshot shares it with another account, or takes that back. */
  async share(snapshotId: string, change: 'add' | 'remove' = 'add', userId = HOME): Promise<void> {
    const { account, region } = this.record(snapshotId);
    await this.ec2(region, account).send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        Attribute: 'createVolumePermission',
        OperationType: change,
        UserIds: [userId],
      }),
    );
  }

  /** Its owner deletes a snapshot. */
  async remove(snapshotId: string): Promise<void> {
    const { account, region } = this.record(snapshotId);
    await this.ec2(region, account).send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }));
  }

  /** What this install has made of a source, directly or by way of another copy; in whatever state. */
  copiesOf(source: string, region?: string): readonly SnapshotRecord[] {
    const { ec2, home, stackName } = this.sandbox;
    return ec2
      .snapshots({ account: home.account, ...(region !== undefined && { region }) })
      .filter(({ tags }) => tags['snapshot-copier:source-snapshot'] === source)
      .filter(({ tags }) => tags['snapshot-copier:managed'] === stackName);
  }

  /** The copies that were made in source accounts on the way, oldest first. */
  intermediates(account = ORDERS): readonly SnapshotRecord[] {
    return this.sandbox.ec2.snapshots({ account }).filter(({ description }) => description.startsWith(INTERMEDIATE));
  }

  /** The accounts that a snapshot is shared with. */
  sharedWith(snapshotId: string): readonly string[] {
    return this.record(snapshotId).sharedWith;
  }

  /** What the service holds in source accounts for as long as it needs it, in words; nothing when all is done. */
  held(): readonly string[] {
    return this.sandbox.ec2.snapshots().flatMap(({ snapshotId, tags, sharedWith }) => [
      ...Object.entries(tags)
        .filter(([key]) => /^snapshot-copier:(share|intermediate-by)/.test(key))
        .map(([key, value]) => `${snapshotId} has the tag ${key}=${value}`),
      ...sharedWith.map((account) => `${snapshotId} is shared with ${account}`),
    ]);
  }

  /** Calls of EC2 in the name of an account, by whomever. */
  callsIn(account: string, action: string): readonly Ec2Call[] {
    return this.sandbox.ec2.calls.filter((call) => call.account === account && call.action === action);
  }

  /** How often something was counted. */
  counted(metric: string): number {
    const values = this.sandbox.metrics().filter(({ name }) => name === metric);
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  /** Has the service look for what it left behind in source accounts, as it does by the clock. */
  async lookEverywhere(): Promise<void> {
    const client = new LambdaClient({
      endpoint: this.sandbox.endpoint,
      region: this.home,
      credentials: { accessKeyId: HOME, secretAccessKey: 'secret' },
    });
    const Payload = JSON.stringify({ look: 'everywhere' });
    const { FunctionError } = await client.send(
      new InvokeCommand({ FunctionName: `${INSTALL}-releaseSource`, Payload }),
    );
    if (FunctionError !== undefined) throw new Error(this.log('releaseSource'));
  }

  /** Passes time until something is so, at most so long. */
  async passUntil(reached: () => boolean, limit: Duration = '1 h'): Promise<void> {
    for (let passed = 0; !reached(); passed += milliseconds('1 min')) {
      if (passed >= milliseconds(limit)) throw new Error(`Not so within ${limit}.`);
      await this.pass('1 min');
    }
  }
}

/**
 * The service at home in eu-west-1 with the rules of `RULES` and a key `alias/dr-copies` in each of three Regions, and
 * the companion in two accounts. Schedules are off if not asked for: most stories are about what events do. It ends with
 * the test.
 */
export async function newAccounts(options: AccountsOptions = {}): Promise<Accounts> {
  const { companion = {}, copyTakes = '10 min', schedules = 'off', ec2, ...rest } = options;
  const { dir } = await packagedService('test', RULES);
  const sandbox = await startSandbox({
    packageDir: dir,
    time: { mode: 'jumping' },
    schedules,
    organizations: { [ORGANIZATION]: [HOME, ORDERS, PAYROLL, PARTNER] },
    ...rest,
    ec2: { copyTakesSeconds: () => milliseconds(copyTakes) / 1000, ...ec2 },
  });
  onTestFinished(() => sandbox.stop());
  const world = new Accounts(sandbox);
  for (const region of REGIONS) world.key(region, 'alias/dr-copies');
  if (companion !== 'none') {
    for (const account of [ORDERS, PAYROLL]) world.deployCompanion({ account, parameters: companion });
  }
  return world;
}
