import { CreateSnapshotCommand, CreateVolumeCommand, EC2Client, type TagSpecification } from '@aws-sdk/client-ec2';
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import type { CopyRequest } from '../../core/copy-request.ts';
import { nextAttemptName } from '../../core/execution-name.ts';
import { parseCopyRequest } from '../../core/task-input.ts';
import type { SnapshotRecord } from '../../sandbox/ec2/snapshot-record.ts';
import type { Message } from '../../sandbox/messaging.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import type { ExecutionRecord } from '../../sandbox/stepfunctions/step-functions.ts';
import { packagedService } from '../support/packaged.ts';

export const SOURCE_REGION = 'eu-west-1';
export const FRANKFURT = 'eu-central-1';
export const VIRGINIA = 'us-east-1';
/** Another account, which shares snapshots with ours. */
export const PARTNER = '111122223333';

const UNITS = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as people say it: `30 s`, `10 min`, `2 h`, `3 d`. */
export type Duration = `${number} ${keyof typeof UNITS}`;

export function milliseconds(duration: Duration): number {
  const found = /^([\d.]+) (s|min|h|d)$/.exec(duration);
  if (found === null) throw new Error(`Not a duration: ${duration}`);
  const unit = found[2];
  const factor = unit === 's' || unit === 'min' || unit === 'h' || unit === 'd' ? UNITS[unit] : Number.NaN;
  return Number(found[1]) * factor;
}

export interface WorldOptions extends Omit<Partial<SandboxOptions>, 'time' | 'packageDir'> {
  /** How long every copy takes. Default 10 min. */
  readonly copyTakes?: Duration;
}

const requestCopyAnswer = z.strictObject({
  accepted: z.boolean(),
  status: z.string(),
  reason: z.string(),
  copyId: z.string().optional(),
});

/** The packaged service in a sandbox whose time stands still until a story moves it. */
export class World {
  readonly sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  /** The Region that the service is deployed in, where the sources are. */
  get home(): string {
    return this.sandbox.home.region;
  }

  ec2(region: string, account = this.sandbox.home.account): EC2Client {
    return new EC2Client({
      endpoint: this.sandbox.endpoint,
      region,
      maxAttempts: 1,
      credentials: { accessKeyId: account, secretAccessKey: 'secret' },
    });
  }

  /** Lets time pass. */
  async pass(duration: Duration): Promise<void> {
    await this.sandbox.advance(milliseconds(duration));
  }

  /** A new volume; answers its id. */
  async volume(sizeGiB = 8, account?: string): Promise<string> {
    const command = new CreateVolumeCommand({ AvailabilityZone: `${this.home}a`, Size: sizeGiB });
    const { VolumeId = '' } = await this.ec2(this.home, account).send(command);
    return VolumeId;
  }

  /** A snapshot of a volume (a new one if none is given) that has just been started; answers its id. */
  async startSnapshot(
    tags: Readonly<Record<string, string>>,
    { volumeId, description, account }: { volumeId?: string; description?: string; account?: string } = {},
  ): Promise<string> {
    const { SnapshotId = '' } = await this.ec2(this.home, account).send(
      new CreateSnapshotCommand({
        VolumeId: volumeId ?? (await this.volume(8, account)),
        ...(description !== undefined && { Description: description }),
        TagSpecifications: tagged(tags),
      }),
    );
    return SnapshotId;
  }

  /** The same, and a minute later, when it is complete and its event was heard. */
  async snapshot(...args: Parameters<World['startSnapshot']>): Promise<string> {
    const snapshotId = await this.startSnapshot(...args);
    await this.pass('1 min');
    return snapshotId;
  }

  /** All snapshots that EC2 has made of this one, in whatever state. */
  copies(sourceSnapshotId: string, region?: string): readonly SnapshotRecord[] {
    return this.sandbox.ec2
      .snapshots({ account: this.sandbox.home.account, ...(region !== undefined && { region }) })
      .filter(({ copy }) => copy?.sourceSnapshotId === sourceSnapshotId);
  }

  record(snapshotId: string): SnapshotRecord {
    const found = this.sandbox.ec2.snapshots().find((each) => each.snapshotId === snapshotId);
    if (found === undefined) throw new Error(`There is no snapshot ${snapshotId}.`);
    return found;
  }

  executions(): readonly ExecutionRecord[] {
    return this.sandbox.stepFunctions.executions();
  }

  execution(name: string): ExecutionRecord {
    const found = this.executions().find((each) => each.name === name);
    const names = this.executions().map((each) => each.name);
    if (found === undefined) throw new Error(`There is no execution ${name}; there are: ${names.join(', ') || 'none'}`);
    return found;
  }

  /**
   * Starts a failed copy again as its alert says, with a changed request if wanted: the request goes back into the queue.
   * Answers the name that its next execution will have.
   */
  async startAgain(name: string, change: (request: CopyRequest) => CopyRequest = (same) => same): Promise<string> {
    const request = change(parseCopyRequest(JSON.parse(this.execution(name).input)));
    const answer = await this.requestCopy(JSON.stringify(request));
    if (!answer.accepted) throw new Error(`${name} was not started again: ${JSON.stringify(answer)}`);
    return nextAttemptName(name);
  }

  /** What the function requestCopy answers to the input of an execution. */
  async requestCopy(input: string): Promise<z.infer<typeof requestCopyAnswer>> {
    const { endpoint, home } = this.sandbox;
    const credential = `${home.account}/20260105/${home.region}/lambda/aws4_request`;
    const answer = await fetch(`${endpoint}/2015-03-31/functions/ebs-snapshot-copier-test-requestCopy/invocations`, {
      method: 'POST',
      headers: { authorization: `AWS4-HMAC-SHA256 Credential=${credential}` },
      body: input,
    });
    return requestCopyAnswer.parse(await answer.json());
  }

  /** Starts an execution of the state machine that copies, as somebody does who knows nothing of the queue. */
  async startByHand(name: string, input: string): Promise<void> {
    const stateMachineArn = this.sandbox.physicalIds.get('CopySnapshotMachine');
    await this.#stepFunctions().send(new StartExecutionCommand({ stateMachineArn, name, input }));
  }

  /** Stops an execution. */
  async stop(name: string, why: { readonly error?: string; readonly cause?: string } = {}): Promise<void> {
    await this.#stepFunctions().send(new StopExecutionCommand({ executionArn: this.execution(name).arn, ...why }));
  }

  #stepFunctions(): SFNClient {
    const { endpoint, home } = this.sandbox;
    const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
    return new SFNClient({ endpoint, region: home.region, maxAttempts: 1, credentials });
  }

  /** What the dead-letter topic was told. */
  alerts(): Promise<readonly Message[]> {
    return this.sandbox.messages('DeadLetterTopic');
  }

  /** Reasons of the alerts. */
  async reasons(): Promise<readonly string[]> {
    return (await this.alerts()).map(({ attributes }) => attributes['reason'] ?? 'none');
  }

  stuckEvents(): Promise<readonly Message[]> {
    return this.sandbox.messages('StuckEventsQueue');
  }

  /** What a function logged, as text. */
  log(functionName: string): string {
    return this.sandbox
      .logs()
      .filter((line) => line.functionName.endsWith(`-${functionName}`))
      .map(({ text }) => text)
      .join('\n');
  }

  /** How often EC2 was called so, by whomever. */
  calls(action: string): number {
    return this.sandbox.ec2.calls.filter((call) => call.action === action).length;
  }

  /** Puts an event on the home bus, as it is. */
  async event(event: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await fetch(`${this.sandbox.endpoint}/_sandbox/events`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Creates a symmetric key with an alias; answers its ARN. */
  key(region: string, alias: string): string {
    const caller = { account: this.sandbox.home.account, region };
    const key = this.sandbox.keys.create(caller);
    this.sandbox.keys.createAlias(alias, key);
    return key.arn;
  }
}

/**
 * A world with the keys that the rules of test/support/copy-rules.yml name; it ends with the test. Schedules are off if not
 * asked for: most stories are about what events do.
 */
export async function newWorld(options: WorldOptions = {}): Promise<World> {
  const { copyTakes = '10 min', schedules = 'off', ec2, ...rest } = options;
  const { dir } = await packagedService();
  const sandbox = await startSandbox({
    packageDir: dir,
    time: { mode: 'jumping' },
    schedules,
    ...rest,
    ec2: { copyTakesSeconds: () => milliseconds(copyTakes) / 1000, ...ec2 },
  });
  onTestFinished(() => sandbox.stop());
  const world = new World(sandbox);
  for (const region of [SOURCE_REGION, VIRGINIA]) world.key(region, 'alias/dr-copies');
  return world;
}

export function tagged(tags: Readonly<Record<string, string>>): TagSpecification[] {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? [] : [{ ResourceType: 'snapshot', Tags: list }];
}
