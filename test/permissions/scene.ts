import { isDeepStrictEqual } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { CompanionStack } from '../../sandbox/companions.ts';
import type { SnapshotRecord } from '../../sandbox/ec2/snapshot-record.ts';
import type { EvaluatedRequest, UsedRole } from '../../sandbox/iam/usage.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { Accounts, HOME, INSTALL, ORDERS } from '../stories/accounts/world.ts';
import { admissionTotals } from '../stories/ledger-view.ts';
import { FRANKFURT, SOURCE_REGION, VIRGINIA } from '../stories/world.ts';

/** The keys in Virginia that the rules name: one of home by its id, one of another account by its ARN. */
export const NAMED_KEY = '1234abcd-12ab-34cd-56ef-1234567890ab';
export const KEY_OF_OTHERS = 'arn:aws:kms:us-east-1:222233334444:key/2345bcde-23bc-45de-67f0-234567890abc';

/** What CloudFormation and the services that it calls ask for before they make something. */
export const DEPLOYMENT = 'the deployment';

/** What is deployed: as it is in the repository, or with a permission less. */
export interface Deployed {
  readonly packageDir: string;
  /** Files. */
  readonly sourceAccount: string;
  readonly destinationRegion: string;
}

/** Something that the service does, from its beginning to its end, and what has to come of it. */
export interface Scenario {
  readonly name: string;
  readonly options?: Pick<SandboxOptions, 'slots' | 'schedules' | 'parameters'>;
  /** Actions that policies of others refuse in it. */
  readonly refuses?: readonly string[];
  /** @throws Unexpected if it goes otherwise */
  readonly play: (scene: Scene) => Promise<void>;
}

/** What was asked of IAM. */
export interface Played {
  readonly roles: readonly UsedRole[];
  /** While the stacks were deployed. */
  readonly atDeployment: readonly EvaluatedRequest[];
  /** By the scenario. */
  readonly requests: readonly EvaluatedRequest[];
  /** What went otherwise than it should, and in what. */
  readonly trouble?: { readonly what: string; readonly in: string };
}

/** Something is otherwise than it should be. */
class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

/** Deploys everything, has a scenario play in it, and tells what was asked of IAM for that. */
export async function play(scenario: Scenario, deployed: Deployed): Promise<Played> {
  let sandbox: Sandbox | undefined;
  let atDeployment: readonly EvaluatedRequest[] = [];
  let where = DEPLOYMENT;
  let trouble: Played['trouble'];
  try {
    sandbox = await startSandbox({
      packageDir: deployed.packageDir,
      time: { mode: 'jumping' },
      // What runs by the clock is used by scenarios that are about it.
      schedules: 'off',
      ...scenario.options,
      ec2: { copyTakesSeconds: () => 300 },
    });
    const scene = new Scene(sandbox, deployed);
    scene.deployCompanions();
    atDeployment = sandbox.iam.usage().requests();
    where = scenario.name;
    await scenario.play(scene);
  } catch (error) {
    trouble = { what: error instanceof Error ? error.message : String(error), in: where };
  } finally {
    await sandbox?.stop();
  }
  const usage = sandbox?.iam.usage();
  const requests = usage?.requests().filter(({ times }, index) => times > (atDeployment[index]?.times ?? 0));
  return {
    roles: usage?.roles() ?? [],
    atDeployment,
    requests: requests ?? [],
    ...(trouble === undefined ? {} : { trouble }),
  };
}

/** What there is of it. Default: none. */
interface Troubles {
  /** Reasons, in the order of the alphabet. */
  readonly alerts?: readonly string[];
  readonly stuckEvents?: number;
  /** Executions that failed or were stopped. */
  readonly executions?: number;
  readonly admissions?: number;
}

/** The service at home, one source account with the companion, and a destination Region that forwards its events. */
export class Scene extends Accounts {
  readonly #deployed: Deployed;
  #inSourceAccount: CompanionStack | undefined;

  constructor(sandbox: Sandbox, deployed: Deployed) {
    super(sandbox);
    this.#deployed = deployed;
    sandbox.keys.create({ account: HOME, region: VIRGINIA, keyId: NAMED_KEY });
    const [, , , , account = '', key = ''] = KEY_OF_OTHERS.split(':');
    sandbox.keys.create({ account, region: VIRGINIA, keyId: key.slice('key/'.length), usableBy: [HOME] });
    for (const region of [SOURCE_REGION, VIRGINIA]) this.key(region, 'alias/dr-copies');
  }

  deployCompanions(): void {
    const { sourceAccount, destinationRegion } = this.#deployed;
    this.#inSourceAccount = this.sandbox.deployCompanion({
      template: sourceAccount,
      stackName: 'source-account',
      region: SOURCE_REGION,
      account: ORDERS,
      parameters: { TargetAccount: HOME, EventBus: INSTALL, Regions: SOURCE_REGION, Reencrypt: 'on' },
    });
    this.sandbox.deployCompanion({
      template: destinationRegion,
      stackName: 'destination-region',
      region: FRANKFURT,
      parameters: { HomeRegion: SOURCE_REGION },
    });
  }

  /** The source account wants no more of this. */
  removeCompanion(): void {
    if (this.#inSourceAccount !== undefined) this.sandbox.removeCompanion(this.#inSourceAccount);
  }

  /** @throws Unexpected if it is otherwise */
  expect(what: string, actual: unknown, expected: unknown): void {
    if (isDeepStrictEqual(actual, expected)) return;
    throw new Unexpected(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }

  /** There is one complete copy of the source in each of these Regions, and both it and the source say so. */
  expectCopies(source: string, regions: readonly string[] = [FRANKFURT]): readonly SnapshotRecord[] {
    const copies = this.copiesOf(source);
    this.expect(
      `copies of ${source}`,
      copies.map(({ region, state, tags }) => `${region} ${state} ${tags['snapshot-copier:state']}`).toSorted(),
      regions.map((region) => `${region} completed copied`).toSorted(),
    );
    return copies;
  }

  /** The source says where its copies are. */
  expectMarked(source: string, copies: readonly SnapshotRecord[]): void {
    const marks = Object.entries(this.record(source).tags).filter(([key]) => key.startsWith('snapshot-copier:'));
    this.expect(
      `what ${source} says of its copies`,
      Object.fromEntries(marks),
      Object.fromEntries(copies.map(({ region, snapshotId }) => [`snapshot-copier:copied-to:${region}`, snapshotId])),
    );
  }

  /** Nobody was told of anything else, no event is stuck, and all of these functions wrote into their logs. */
  async expectCalm(functions: readonly string[], but: Troubles = {}): Promise<void> {
    this.expect('alerts', (await this.reasons()).toSorted(), but.alerts ?? []);
    this.expect('stuck events', (await this.stuckEvents()).length, but.stuckEvents ?? 0);
    this.expect('events that EventBridge dropped', this.sandbox.bus.dropped(), []);
    const failed = this.executions().filter(({ status }) => status !== 'RUNNING' && status !== 'SUCCEEDED');
    this.expect('executions that failed', failed.length, but.executions ?? 0);
    this.expect('executions of admission that failed', admissionTotals(this).ended.FAILED, but.admissions ?? 0);
    const silent = functions.filter((name) => this.log(name) === '');
    this.expect('functions without a log', silent, []);
  }

  /** Calls a function as people do; answers what it answers. */
  async invoke(name: string, input: unknown): Promise<unknown> {
    const client = new LambdaClient({
      endpoint: this.sandbox.endpoint,
      region: this.home,
      maxAttempts: 1,
      credentials: { accessKeyId: HOME, secretAccessKey: 'secret' },
    });
    const command = new InvokeCommand({ FunctionName: `${INSTALL}-${name}`, Payload: JSON.stringify(input) });
    const { FunctionError, Payload } = await client.send(command);
    const text = new TextDecoder().decode(Payload);
    if (FunctionError !== undefined) throw new Unexpected(`${name}: ${text}`);
    return JSON.parse(text);
  }
}
