import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeadLetterTopic } from '../aws/dead-letter-topic.ts';
import type { CopyRule } from '../core/rules.ts';
import { deployCompanion } from '../sandbox/companions.ts';
import { DynamoDbService } from '../sandbox/dynamodb/dynamodb-service.ts';
import { type Ec2Options, Ec2Service } from '../sandbox/ec2/ec2-service.ts';
import type { BusEvent } from '../sandbox/events/event.ts';
import { EventBus } from '../sandbox/events/event-bus.ts';
import { HOME_ACCOUNT } from '../sandbox/home.ts';
import { Iam } from '../sandbox/iam/iam.ts';
import { seededRandom } from '../sandbox/ids.ts';
import { KeyStore } from '../sandbox/kms/key-store.ts';
import { AsyncInvoker } from '../sandbox/lambda/async-invoker.ts';
import { InProcessLambda } from '../sandbox/lambda/in-process-lambda.ts';
import { mortal } from '../sandbox/lambda/in-process-life.ts';
import { FunctionLogs } from '../sandbox/lambda/logs.ts';
import { memoryLedger } from '../sandbox/ledger/memory-ledger.ts';
import { Messaging } from '../sandbox/messaging.ts';
import { ResourcePolicies } from '../sandbox/resource-policies.ts';
import { Scheduler } from '../sandbox/scheduler/scheduler.ts';
import { deployStack } from '../sandbox/stack/deploy.ts';
import { StepFunctions } from '../sandbox/stepfunctions/step-functions.ts';
import { Tasks } from '../sandbox/stepfunctions/tasks.ts';
import { installVirtualClock, type VirtualClock } from '../sandbox/virtual-clock.ts';
import { functionsIn, WORK_DIR } from '../sandbox/work-dir.ts';
import { flaky } from './flaky-port.ts';
import { type OrderWatch, watchOrder } from './order-watch.ts';
import { sandboxAdmission, sandboxExecutions } from './sandbox-executions.ts';
import { sandboxSnapshots } from './sandbox-snapshots.ts';
import { serviceFunctions } from './service-functions.ts';
import type { Trouble } from './trouble.ts';

/** Where the service is deployed, and the source snapshots are. */
export const SOURCE_REGION = 'eu-west-1';
export const DESTINATION_REGION = 'eu-central-1';

const INSTALL = 'ebs-snapshot-copier-dev';

export interface BurstWorldOptions {
  /** What `serverless package` wrote, and the rules that it was packaged with. */
  readonly packageDir: string;
  readonly rules: readonly CopyRule[];
  readonly start: Date;
  readonly ec2?: Pick<Ec2Options, 'slotsPerRegion' | 'copyTakesSeconds' | 'changePerSnapshot'>;
  /** Sees every event of EBS first, and says whether it reaches the bus. */
  readonly passesOn: (event: BusEvent) => boolean;
  /** Whether the destination's events reach the service, by companions/destination-region.yml. */
  readonly eventsForwarded: boolean;
  readonly trouble: Trouble;
  readonly seed: number;
}

/** The packaged service in this process and in virtual time: its functions, its machines and rules, its ledger. */
export interface BurstWorld {
  readonly clock: VirtualClock;
  readonly ec2: Ec2Service;
  readonly lambda: InProcessLambda;
  readonly stepFunctions: StepFunctions;
  readonly order: OrderWatch;
  readonly account: string;
  /** Calls of DescribeSnapshots that admission made. */
  admissionDescribes(): number;
  /** How many alerts the dead-letter topic was sent. */
  alerts(): Promise<number>;
  /** What is in the queue of events that nobody could process. */
  stuckEvents(): Promise<number>;
  stop(): Promise<void>;
}

/** One at a time in a process, for its clock replaces the process's own. */
export async function startBurstWorld(options: BurstWorldOptions): Promise<BurstWorld> {
  const { packageDir, seed, trouble } = options;
  const home = { account: HOME_ACCOUNT, region: SOURCE_REGION };
  const clock = installVirtualClock({ start: options.start, time: { mode: 'jumping' } });
  const systemRandom = Math.random;
  // The interpreter of state machines takes its jitter from here.
  Math.random = seededRandom(seed + 1);
  const random = seededRandom(seed);
  const chance = seededRandom(seed + 2);
  const endpoint = () => 'http://127.0.0.1';

  const iam = new Iam({ clock });
  const keys = new KeyStore({ clock, iam });
  const ec2 = new Ec2Service({
    clock,
    random: seededRandom(seed + 3),
    keys,
    emit(event) {
      if (options.passesOn(event)) bus.put(event);
    },
    ...options.ec2,
    visibleAfterSeconds: trouble.hiddenSeconds,
    callsKept: 0,
    faultSeed: seed + 4,
  });
  const messaging = new Messaging({ clock, home, endpoint });
  const order = watchOrder(memoryLedger({ now: () => new Date(clock.now()) }));
  let admissionDescribes = 0;
  const countedEc2: Pick<Ec2Service, 'call'> = {
    call(request) {
      admissionDescribes += 1;
      return ec2.call(request);
    },
  };
  const ids = new Map<string, string>();
  const id = (logicalId: string) => () => ids.get(logicalId) ?? '';

  // Order of the layers: a function can die before a call, after it, and where it failed.
  const { failingCalls: share, sdkAttempts: attempts } = trouble;
  const port = <Port extends object>(made: Port): Port => mortal(flaky(made, { share, attempts, random: chance }));
  const topic: DeadLetterTopic = {
    async tell({ subject, message, attributes }) {
      const typed = Object.entries(attributes).map(([name, StringValue]) => [
        name,
        { DataType: 'String', StringValue },
      ]);
      await messaging.publish({
        topicArn: id('DeadLetterTopic')(),
        subject,
        message,
        attributes: Object.fromEntries(typed),
      });
    },
  };
  const lambda = new InProcessLambda({
    clock,
    random,
    home,
    killedShare: trouble.killed,
    chance,
    handlers: serviceFunctions(
      {
        // EC2 itself makes calls fail, and these ports try again where the SDK does.
        snapshots: mortal(sandboxSnapshots(ec2, home.account)),
        admissionSnapshots: mortal(sandboxSnapshots(countedEc2, home.account)),
        ledger: port(order.ledger),
        executions: port(sandboxExecutions(() => stepFunctions, id('CopySnapshotMachine'))),
        admission: port(sandboxAdmission(() => stepFunctions, id('AdmitCopiesMachine'))),
        topic: port(topic),
      },
      options.rules,
      {
        name: INSTALL,
        account: home.account,
        region: home.region,
        roleArn: `arn:aws:iam::${home.account}:role/start-copy`,
      },
    ),
  });
  const logs = new FunctionLogs(clock);
  const asyncInvoker = new AsyncInvoker({ clock, random, lambda, messaging, logs });
  const policies = new ResourcePolicies();
  const bus: EventBus = new EventBus({
    clock,
    random,
    home,
    iam,
    policies,
    targetsIn: () => ({ asyncInvoker, messaging, startExecution: (request) => stepFunctions.start(request) }),
    eventsKept: 100,
  });
  const stepFunctions = new StepFunctions({
    clock,
    random,
    home,
    tasks: new Tasks({ lambda, messaging }),
    emit: (event) => bus.put(bus.fill(event)),
    keepsHistories: false,
  });
  const scheduler = new Scheduler({ clock, random, home, asyncInvoker, isOn: true });

  async function stop(): Promise<void> {
    clock.uninstall();
    Math.random = systemRandom;
    await messaging.stop();
  }

  try {
    const { physicalIds } = await deployStack(
      {
        template: JSON.parse(readFileSync(join(packageDir, 'cloudformation-template-update-stack.json'), 'utf8')),
        stackName: INSTALL,
        home,
        seed,
        packageDir,
        codeDir: functionsIn(WORK_DIR),
      },
      {
        lambda,
        asyncInvoker,
        messaging,
        bus,
        iam,
        keys,
        policies,
        stepFunctions,
        dynamodb: new DynamoDbService({ clock, home }),
        scheduler,
      },
    );
    for (const [logicalId, physicalId] of physicalIds) ids.set(logicalId, physicalId);
    if (options.eventsForwarded) {
      deployCompanion(
        {
          template: 'companions/destination-region.yml',
          region: DESTINATION_REGION,
          parameters: { HomeRegion: home.region },
        },
        { place: { account: home.account, region: DESTINATION_REGION }, stackName: 'companion', seed },
        { bus, iam, keys },
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }

  addTrouble(trouble, ec2, bus);
  return {
    clock,
    ec2,
    lambda,
    stepFunctions,
    order,
    account: home.account,
    admissionDescribes: () => admissionDescribes,
    alerts: async () => (await messaging.messages(id('DeadLetterTopic')())).length,
    stuckEvents: async () => (await messaging.messages(id('StuckEventsQueue')().split('/').at(-1) ?? '')).length,
    stop,
  };
}

/** One failing call of EC2 in three is throttled, one in three an error of EC2's, and one in three is done unheard. */
function addTrouble({ lostEvents, doubledEvents, failingCalls }: Trouble, ec2: Ec2Service, bus: EventBus): void {
  if (lostEvents > 0) bus.faults.add({ kind: 'lose-event', share: lostEvents });
  if (doubledEvents > 0) bus.faults.add({ kind: 'duplicate-event', seconds: 20, share: doubledEvents });
  if (failingCalls === 0) return;
  const share = failingCalls / 3;
  ec2.faults.add({ kind: 'error', code: 'RequestLimitExceeded', share });
  ec2.faults.add({ kind: 'error', code: 'InternalError', share });
  ec2.faults.add({ kind: 'lost-answer', share });
}
