import type { KeyMetadata as KmsMetadata } from '@aws-sdk/client-kms';
import type { KeyMetadata } from '../core/doctor/key.ts';
import type { Grant } from '../core/doctor/key-use.ts';
import type { SessionProvider } from './companion-role.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** What KMS tells of keys; nothing is changed. Every method throws errors of core/errors.ts only. */
export interface KeyApi {
  /** The key of this id, alias or ARN, as seen from a Region; undefined if there is none. */
  describe(region: string, name: string): Promise<KeyMetadata | undefined>;
  /** The text of its policy. */
  policy(region: string, keyId: string): Promise<string>;
  /** The grants of a key for one role. */
  grants(region: string, keyId: string, roleArn: string): Promise<readonly Grant[]>;
}

/** Keys on KMS. @param as who calls; without it whoever runs this */
export function kmsKeys(as?: SessionProvider): KeyApi {
  const who = as === undefined ? {} : { credentials: as };
  const clientOf = perRegion(async (region) => {
    const { KMSClient } = await loadSdk();
    return new KMSClient({ region, requestHandler, ...who });
  });
  return {
    async describe(region, name) {
      const { DescribeKeyCommand, NotFoundException } = await loadSdk();
      try {
        const client = await clientOf(region);
        const { KeyMetadata: found } = await client.send(new DescribeKeyCommand({ KeyId: name }));
        return found && inOurShape(found);
      } catch (error) {
        if (error instanceof NotFoundException) return undefined;
        throw inWordsOf('KMS', `DescribeKey of ${name} in ${region}`, error);
      }
    },

    async policy(region, keyId) {
      const { GetKeyPolicyCommand } = await loadSdk();
      try {
        const { Policy = '' } = await (await clientOf(region)).send(new GetKeyPolicyCommand({ KeyId: keyId }));
        return Policy;
      } catch (error) {
        throw inWordsOf('KMS', `GetKeyPolicy of ${keyId} in ${region}`, error);
      }
    },

    async grants(region, keyId, roleArn) {
      const { paginateListGrants } = await loadSdk();
      try {
        const found: Grant[] = [];
        const client = await clientOf(region);
        const pages = paginateListGrants({ client }, { KeyId: keyId, GranteePrincipal: roleArn });
        for await (const { Grants = [] } of pages) {
          found.push(
            ...Grants.map(({ GranteePrincipal = '', Operations = [], Constraints = {} }) => ({
              grantee: GranteePrincipal,
              operations: Operations,
              isConstrained: Object.keys(Constraints).length > 0,
            })),
          );
        }
        return found;
      } catch (error) {
        throw inWordsOf('KMS', `ListGrants of ${keyId} in ${region}`, error);
      }
    },
  };
}

/** Loaded when a key is looked at: a cold start need not wait for it. */
function loadSdk() {
  return import('@aws-sdk/client-kms');
}

/** KMS's model makes most fields optional; the answer has them. */
function inOurShape(found: KmsMetadata): KeyMetadata {
  return {
    keyId: found.KeyId ?? '',
    arn: found.Arn ?? '',
    account: found.AWSAccountId ?? '',
    manager: found.KeyManager === 'AWS' ? 'AWS' : 'CUSTOMER',
    state: found.KeyState ?? '',
    spec: found.KeySpec ?? '',
    usage: found.KeyUsage ?? '',
    ...(found.MultiRegion === true && { multiRegion: found.MultiRegionConfiguration?.MultiRegionKeyType ?? 'PRIMARY' }),
    ...(found.DeletionDate !== undefined && { deletionDate: found.DeletionDate.toISOString() }),
  };
}
