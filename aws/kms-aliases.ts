import { KMSClient, paginateListAliases } from '@aws-sdk/client-kms';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

const clientOf = perRegion((region) => new KMSClient({ region, requestHandler }));

/**
 * Ids of keys by alias, of this account in a Region. To list them changes nothing; to describe `alias/aws/ebs` by its name
 * may have KMS make that key: https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 *
 * @throws errors of core/errors.ts
 */
export async function kmsAliases(region: string): Promise<ReadonlyMap<string, string>> {
  try {
    const found = new Map<string, string>();
    for await (const { Aliases = [] } of paginateListAliases({ client: clientOf(region) }, {})) {
      for (const { AliasName, TargetKeyId } of Aliases) {
        if (AliasName !== undefined && TargetKeyId !== undefined) found.set(AliasName, TargetKeyId);
      }
    }
    return found;
  } catch (error) {
    throw inWordsOf('KMS', `ListAliases in ${region}`, error);
  }
}
