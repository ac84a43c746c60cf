import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { readThrown } from '../core/thrown-error.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** What a stack has made. */
export interface StackResource {
  readonly logicalId: string;
  /** What `Ref` gives. */
  readonly physicalId: string;
  /** For example `AWS::Lambda::Function`. */
  readonly type: string;
}

/**
 * All that a stack of the caller's Region has made.
 *
 * @throws errors of core/errors.ts
 */
export async function stackResources(stack: string): Promise<readonly StackResource[]> {
  const client = new CloudFormationClient({ requestHandler });
  try {
    const found: StackResource[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const {
        LogicalResourceId = '',
        PhysicalResourceId = '',
        ResourceType = '',
      } of page.StackResourceSummaries ?? []) {
        found.push({ logicalId: LogicalResourceId, physicalId: PhysicalResourceId, type: ResourceType });
      }
    }
    return found;
  } catch (error) {
    throw inWordsOf('CloudFormation', `ListStackResources of ${stack}`, error);
  }
}

/**
 * Whether there is a stack of this name in a Region.
 *
 * @throws errors of core/errors.ts
 */
export async function isStackIn(region: string, stack: string): Promise<boolean> {
  try {
    const client = new CloudFormationClient({ region, requestHandler });
    await client.send(new DescribeStacksCommand({ StackName: stack }));
    return true;
  } catch (error) {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    const { code, words } = readThrown(error);
    if (code === 'ValidationError' && words.includes('does not exist')) return false;
    throw inWordsOf('CloudFormation', `DescribeStacks of ${stack} in ${region}`, error);
  }
}
