import { XMLBuilder } from 'fast-xml-parser';
import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import type { Answer } from '../http/answer.ts';
import { awsError } from '../http/aws-error.ts';
import { type OffsetPage, offsetPage } from '../http/offset-page.ts';
import { type Random, uuid } from '../ids.ts';
import type { DeployedStack, DeployedStacks, StackResource } from './deployed-stacks.ts';

/** One Query-protocol call: `params` is its form-encoded body, with Action and Version. */
export interface CloudFormationCall extends Caller {
  readonly params: URLSearchParams;
}

type Action = (caller: Caller, input: unknown) => object;

/** Codes are those of https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html */
class CloudFormationError extends Error {
  override readonly name = 'CloudFormationError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

/** AWS says no number for the resources; DescribeStackResources has this one. */
const PAGE_SIZE = 100;

/**
 * What CloudFormation says of stacks. It changes none.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
 */
export class CloudFormationApi {
  readonly #stacks: DeployedStacks;
  readonly #random: Random;
  readonly #actions: ReadonlyMap<string, Action>;

  constructor({ stacks, random }: { readonly stacks: DeployedStacks; readonly random: Random }) {
    this.#stacks = stacks;
    this.#random = random;
    this.#actions = new Map<string, Action>([
      ['DescribeStacks', (caller, input) => this.#describeStacks(caller, input)],
      ['DescribeStackResources', (caller, input) => this.#describeStackResources(caller, input)],
      ['ListStackResources', (caller, input) => this.#listStackResources(caller, input)],
      ['GetTemplate', (caller, input) => this.#getTemplate(caller, input)],
    ]);
  }

  /** Expected trouble is an answer. */
  handle({ account, region, params }: CloudFormationCall): Answer {
    const { Action: name = '', Version: _, ...input } = Object.fromEntries(params);
    try {
      const action = this.#actions.get(name);
      if (action === undefined) throw new CloudFormationError('InvalidAction', `${name} is not in the sandbox`);
      const result = action({ account, region }, input);
      const body = builder.build({
        [`${name}Response`]: {
          '@xmlns': 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
          [`${name}Result`]: result,
          ResponseMetadata: { RequestId: uuid(this.#random) },
        },
      });
      return { status: 200, headers: { 'content-type': 'text/xml' }, body };
    } catch (error) {
      if (!(error instanceof CloudFormationError)) throw error;
      return awsError('query', error.code, error.message, 400);
    }
  }

  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
  #describeStacks(caller: Caller, input: unknown): object {
    const { StackName, NextToken } = read(
      z.strictObject({ StackName: z.string().min(1).optional(), NextToken: z.string().optional() }),
      input,
    );
    const wanted = StackName === undefined ? this.#stacks.of(caller) : [this.#stack(caller, StackName)];
    const { items, rest } = pageOf(wanted, NextToken);
    return { Stacks: members(items.map(stackXml)), ...rest };
  }

  /**
   * "Only the first 100 resources will be returned":
   * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
   */
  #describeStackResources(caller: Caller, input: unknown): object {
    const { StackName, LogicalResourceId, PhysicalResourceId } = read(
      z.strictObject({
        StackName: z.string().optional(),
        LogicalResourceId: z.string().optional(),
        PhysicalResourceId: z.string().optional(),
      }),
      input,
    );
    if ((StackName === undefined) === (PhysicalResourceId === undefined)) {
      throw invalid('Exactly one of StackName and PhysicalResourceId must be given');
    }
    const stack =
      StackName === undefined
        ? this.#stacks
            .of(caller)
            .find(({ resources }) => resources.some((each) => each.physicalId === PhysicalResourceId))
        : this.#stack(caller, StackName);
    if (stack === undefined) throw invalid(`Stack for ${PhysicalResourceId} does not exist`);
    const wanted = stack.resources.filter(({ logicalId }) => (LogicalResourceId ?? logicalId) === logicalId);
    const described = wanted.slice(0, PAGE_SIZE).map((resource) => ({
      StackName: stack.name,
      StackId: stack.id,
      ...resourceXml(resource),
      Timestamp: isoTime(stack.createdAt),
      DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
    }));
    return { StackResources: members(described) };
  }

  /** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html */
  #listStackResources(caller: Caller, input: unknown): object {
    const { StackName, NextToken } = read(
      z.strictObject({ StackName: z.string(), NextToken: z.string().optional() }),
      input,
    );
    const { resources, createdAt } = this.#stack(caller, StackName);
    const { items, rest } = pageOf(resources, NextToken);
    const summaries = items.map((resource) => ({
      ...resourceXml(resource),
      LastUpdatedTimestamp: isoTime(createdAt),
      DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' },
    }));
    return { StackResourceSummaries: members(summaries), ...rest };
  }

  /**
   * Without macros, what was processed is what was submitted:
   * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html
   */
  #getTemplate(caller: Caller, input: unknown): object {
    const { StackName } = read(
      z.strictObject({ StackName: z.string(), TemplateStage: z.enum(['Original', 'Processed']).optional() }),
      input,
    );
    const { template } = this.#stack(caller, StackName);
    return { TemplateBody: template, StagesAvailable: { member: ['Original', 'Processed'] } };
  }

  #stack(caller: Caller, nameOrId: string): DeployedStack {
    const stack = this.#stacks.find(caller, nameOrId);
    if (stack === undefined) throw invalid(`Stack with id ${nameOrId} does not exist`);
    return stack;
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html */
function stackXml(stack: DeployedStack): object {
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: stack.description,
    Parameters: members(stack.parameters.map(({ key, value }) => ({ ParameterKey: key, ParameterValue: value }))),
    CreationTime: isoTime(stack.createdAt),
    RollbackConfiguration: '',
    StackStatus: 'CREATE_COMPLETE',
    DisableRollback: false,
    NotificationARNs: '',
    Capabilities: { member: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'] },
    Outputs: members(
      stack.outputs.map(({ key, value, description, exportName }) => ({
        OutputKey: key,
        OutputValue: value,
        Description: description,
        ExportName: exportName,
      })),
    ),
    Tags: members(Object.entries(stack.tags).map(([Key, Value]) => ({ Key, Value }))),
    EnableTerminationProtection: false,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

function resourceXml({ logicalId, type, physicalId }: StackResource): object {
  return {
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: type,
    ResourceStatus: 'CREATE_COMPLETE',
  };
}

function members(list: readonly object[]): object | '' {
  return list.length === 0 ? '' : { member: list };
}

function pageOf<T>(list: readonly T[], token: string | undefined): OffsetPage<T> {
  const part = offsetPage(list, token, PAGE_SIZE);
  if (part === undefined) throw invalid('Invalid token: NextToken');
  return part;
}

function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
  return parsed.data;
}

function invalid(message: string): CloudFormationError {
  return new CloudFormationError('ValidationError', message);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
