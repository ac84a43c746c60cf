import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Home } from './home.ts';
import type { AsyncInvoker } from './lambda/async-invoker.ts';
import type { LambdaService } from './lambda/lambda-service.ts';
import type { LogLine, MetricValue } from './lambda/logs.ts';
import type { Message, Messaging } from './messaging.ts';
import type { ResourcePolicies } from './resource-policies.ts';
import type { Site } from './site.ts';
import type { AccountServices } from './stack/account-resources.ts';
import { deployStack } from './stack/deploy.ts';
import type { DeployedStacks } from './stack/deployed-stacks.ts';
import type { ExecutionRecord, StepFunctions } from './stepfunctions/step-functions.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { functionsIn, WORK_DIR } from './work-dir.ts';

/** The packaged service, deployed. */
export interface Install {
  /** Of its stack. */
  readonly stackName: string;
  readonly home: Home;
  /** The services of its account and Region, in which there may be other installs. */
  readonly lambda: LambdaService;
  readonly asyncInvoker: AsyncInvoker;
  readonly stepFunctions: StepFunctions;
  readonly messaging: Messaging;
  /** Outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What `Ref` gives for each resource of the stack, by logical id. */
  readonly physicalIds: ReadonlyMap<string, string>;
  /** Executions of its Standard state machines, in the order of their start. */
  executions(): readonly ExecutionRecord[];
  /** What is on a queue, or was published to a topic; by name, ARN or logical id. */
  messages(queueOrTopic: string): Promise<readonly Message[]>;
  /** What its functions wrote. */
  logs(): readonly LogLine[];
  metrics(): readonly MetricValue[];
}

/** A package, and the parameters that it is deployed with. */
export interface InstallOptions {
  /** What `serverless package` wrote: the template, and the functions' zip files. */
  readonly packageDir: string;
  /** Values of the template's parameters, instead of their defaults. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

export interface InstallServices extends AccountServices {
  readonly clock: VirtualClock;
  readonly policies: ResourcePolicies;
  readonly stacks: DeployedStacks;
}

const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';
const STATE_FILE = 'serverless-state.json';

const state = z.object({
  service: z.object({
    service: z.string(),
    provider: z.object({
      stage: z.string(),
      stackName: z.string().optional(),
      stackTags: z.record(z.string(), z.string()).default({}),
    }),
  }),
});

/**
 * Deploys a package, and answers where its bundles were unpacked, too.
 * @param seed for the names that CloudFormation makes up
 * @throws TemplateError if the package has something that the sandbox does not honour
 */
export async function deployInstall(
  { packageDir, parameters = {} }: InstallOptions,
  site: Site,
  seed: number,
  services: InstallServices,
): Promise<{ readonly install: Install; readonly codeDirs: readonly string[] }> {
  const template = readJson(packageDir, TEMPLATE_FILE);
  const { service } = state.parse(readJson(packageDir, STATE_FILE));
  const stackName = service.provider.stackName ?? `${service.service}-${service.provider.stage}`;
  const { home, logs, lambda, asyncInvoker, messaging, stepFunctions } = site;
  if (services.stacks.find(home, stackName) !== undefined) {
    throw new Error(`Account ${home.account} has a stack ${stackName} in ${home.region} already.`);
  }
  const codeDir = functionsIn(WORK_DIR);
  const { contents, outputs, physicalIds, codeDirs } = await deployStack(
    { template, stackName, home, seed, packageDir, codeDir, parameters },
    { ...services, ...site },
  );
  services.stacks.add({
    ...contents,
    createdAt: services.clock.now(),
    // Serverless uploads the template without spaces, and tags the stack with its stage.
    template: JSON.stringify(template),
    tags: { STAGE: service.provider.stage, ...service.provider.stackTags },
  });
  const idsOf = (type: string): ReadonlySet<string | undefined> =>
    new Set(contents.resources.filter((each) => each.type === type).map(({ physicalId }) => physicalId));
  const functions = idsOf('AWS::Lambda::Function');
  const machines = idsOf('AWS::StepFunctions::StateMachine');
  const isOurs = ({ functionName }: LogLine | MetricValue): boolean => functions.has(functionName);
  const install: Install = {
    stackName,
    home,
    lambda,
    asyncInvoker,
    stepFunctions,
    messaging,
    outputs,
    physicalIds,
    executions: () => stepFunctions.executions().filter(({ stateMachineArn }) => machines.has(stateMachineArn)),
    messages: (queueOrTopic) => messaging.messages(physicalIds.get(queueOrTopic)?.split('/').at(-1) ?? queueOrTopic),
    logs: () => logs.lines().filter(isOurs),
    metrics: () => logs.metrics().filter(isOurs),
  };
  return { install, codeDirs };
}

function readJson(packageDir: string, name: string): unknown {
  const file = join(packageDir, name);
  if (!existsSync(file))
    throw new Error(`There is no ${file}: \`npx serverless package --package ${packageDir}\` makes it.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}
