import { ec2Regions } from '../../aws/ec2-regions.ts';
import { kmsAliases } from '../../aws/kms-aliases.ts';
import type { RegionKeys } from '../../core/plan-keys.ts';

/** What a Region says of keys, and what could not be asked, in words. */
interface AskedKeys {
  readonly keys: RegionKeys;
  readonly troubles: readonly string[];
}

/** Whoever plans may lack a permission that the service has: what is refused is left unknown. */
export async function askForKeys(region: string): Promise<AskedKeys> {
  const [defaults, aliases] = await Promise.allSettled([ec2Regions().ebsDefaults(region), kmsAliases(region)]);
  return {
    keys: {
      ...(defaults.status === 'fulfilled' && {
        encryptsByDefault: defaults.value.encryptsByDefault,
        defaultKey: defaults.value.key,
      }),
      ...(aliases.status === 'fulfilled' && { aliases: aliases.value }),
    },
    troubles: [defaults, aliases].flatMap((each) => (each.status === 'rejected' ? [inWords(each.reason)] : [])),
  };
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
