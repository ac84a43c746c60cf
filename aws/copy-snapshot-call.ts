import { CopySnapshotCommand, type CopySnapshotCommandInput, EC2Client, type ResourceType } from '@aws-sdk/client-ec2';
import * as z from 'zod/mini';
import type { CopySnapshotInput } from '../core/hand-request.ts';

/** Where and how to reach EC2. */
export interface Ec2Connection {
  readonly region: string;
  readonly endpoint?: string;
  /** 0 = for ever; the next too. */
  readonly connectTimeoutSeconds: number;
  readonly readTimeoutSeconds: number;
}

/** What came of the call. */
export type CopySnapshotAnswer =
  | { readonly kind: 'copying'; readonly snapshotId: string; readonly tags?: readonly AnsweredTag[] }
  /** EC2's own code and words. */
  | { readonly kind: 'refused'; readonly code: string; readonly words: string; readonly httpStatus: number }
  | { readonly kind: 'noCredentials'; readonly words: string }
  /** The copy may have begun. */
  | { readonly kind: 'noAnswer'; readonly code: string; readonly words: string; readonly url: string };

interface AnsweredTag {
  readonly Key: string;
  readonly Value: string;
}

const sent = z.object({
  protocol: z.string(),
  hostname: z.string(),
  port: z.optional(z.number()),
  path: z.string(),
});

/** The SDK's model names the resource types that it knows. EC2 is to judge. */
const resourceType = z.optional(z.custom<ResourceType>((value) => typeof value === 'string'));

const failure = z.object({
  name: z.string(),
  message: z.string(),
  code: z.optional(z.string()),
  $metadata: z.optional(z.object({ httpStatusCode: z.optional(z.number()) })),
});

/**
 * Calls CopySnapshot in a Region, once: it takes no client token, so a second attempt after a lost answer would make a
 * second copy: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export async function callCopySnapshot(
  input: CopySnapshotInput,
  { region, endpoint, connectTimeoutSeconds, readTimeoutSeconds }: Ec2Connection,
): Promise<CopySnapshotAnswer> {
  const client = new EC2Client({
    region,
    maxAttempts: 1,
    ...(endpoint !== undefined && { endpoint }),
    requestHandler: {
      connectionTimeout: connectTimeoutSeconds * 1000,
      requestTimeout: readTimeoutSeconds * 1000,
      throwOnRequestTimeout: true,
    },
  });
  let url = '';
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname, port, path } = sent.parse(args.request);
      url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`;
      return next(args);
    },
    { step: 'finalizeRequest' },
  );
  try {
    const { SnapshotId = '', Tags } = await client.send(new CopySnapshotCommand(toSdk(input)));
    const tags = Tags?.map(({ Key = '', Value = '' }) => ({ Key, Value }));
    return { kind: 'copying', snapshotId: SnapshotId, ...(tags !== undefined && { tags }) };
  } catch (error) {
    const known = failure.safeParse(error).data;
    if (known === undefined) throw error;
    const { name, message, code = name, $metadata } = known;
    const httpStatus = $metadata?.httpStatusCode;
    if (httpStatus !== undefined) return { kind: 'refused', code: name, words: message, httpStatus };
    if (name === 'CredentialsProviderError') return { kind: 'noCredentials', words: message };
    // What was never sent is a mistake of ours.
    if ($metadata === undefined) throw error;
    return { kind: 'noAnswer', code, words: message, url };
  } finally {
    client.destroy();
  }
}

/**
 * A presigned URL that is not given the SDK makes, for the Region that it calls. It leaves a DestinationRegion as it is,
 * though, and EC2 refuses one that is not that of the URL; the AWS command line overwrites it.
 */
function toSdk({ DestinationRegion, TagSpecifications, ...input }: CopySnapshotInput): CopySnapshotCommandInput {
  const specifications = TagSpecifications?.map(({ ResourceType, Tags }) => ({
    ResourceType: resourceType.parse(ResourceType),
    Tags: Tags?.map((tag) => ({ ...tag })),
  }));
  return {
    ...input,
    ...(input.PresignedUrl !== undefined && { DestinationRegion }),
    ...(specifications !== undefined && { TagSpecifications: specifications }),
  };
}
