import {
  CloudFormationClient,
  GetTemplateCommand,
  paginateDescribeStacks,
  type Stack as StackOfAws,
} from '@aws-sdk/client-cloudformation';
import { readThrown } from '../core/thrown-error.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** A CloudFormation stack, as far as this product asks. */
export interface Stack {
  readonly name: string;
  /** For example `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Stacks of this account and Region. Every method throws errors of core/errors.ts only. */
export interface StackApi {
  /** The stack of this name, or undefined if there is none. */
  find(name: string): Promise<Stack | undefined>;
  /** All that there are. */
  list(): Promise<readonly Stack[]>;
  /** The text of the template that the stack was deployed with. */
  template(name: string): Promise<string>;
}

/** Stacks on CloudFormation. */
export function cloudFormationStacks(): StackApi {
  const client = new CloudFormationClient({ requestHandler });

  async function describe(name?: string): Promise<readonly Stack[]> {
    const stacks: Stack[] = [];
    const which = name === undefined ? {} : { StackName: name };
    for await (const page of paginateDescribeStacks({ client }, which)) {
      stacks.push(...(page.Stacks ?? []).map(inOurShape));
    }
    return stacks;
  }

  return {
    async find(name) {
      try {
        return (await describe(name))[0];
      } catch (error) {
        // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        const { code, words } = readThrown(error);
        if (code === 'ValidationError' && words.includes('does not exist')) return undefined;
        throw inWordsOf('CloudFormation', `DescribeStacks of ${name}`, error);
      }
    },

    async list() {
      try {
        return await describe();
      } catch (error) {
        throw inWordsOf('CloudFormation', 'DescribeStacks', error);
      }
    },

    async template(name) {
      try {
        const { TemplateBody = '' } = await client.send(
          new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' }),
        );
        return TemplateBody;
      } catch (error) {
        throw inWordsOf('CloudFormation', `GetTemplate of ${name}`, error);
      }
    },
  };
}

function inOurShape({ StackName = '', StackStatus, Outputs = [], Parameters = [] }: StackOfAws): Stack {
  return {
    name: StackName,
    status: StackStatus ?? '',
    outputs: new Map(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue])),
    parameters: new Map(Parameters.map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue])),
  };
}
