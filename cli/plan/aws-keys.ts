import type { SourceLooks } from '../../aws/look-at-sources-function.ts';
import { CopierError } from '../../core/errors.ts';
import type { Install } from '../../core/install.ts';
import type { Circumstances } from '../../core/plan.ts';
import { keysToAsk } from '../../core/plan-intermediates.ts';
import type { Snapshot } from '../../core/snapshot.ts';

/** Which keys of source accounts are AWS's own, and what could not be asked, in words. */
interface AskedAwsKeys {
  readonly awsKeys: ReadonlySet<string>;
  readonly troubles: readonly string[];
}

/** A key that nobody can ask about is taken to be a customer's, under which snapshots can be shared. */
export async function askForAwsKeys(
  looks: Pick<SourceLooks, 'keys'>,
  sources: readonly Snapshot[],
  { rules, install }: Pick<Circumstances, 'rules'> & { readonly install: Install },
): Promise<AskedAwsKeys> {
  const awsKeys = new Set<string>();
  const troubles: string[] = [];
  for (const [account, names] of keysToAsk(sources, { rules, install })) {
    try {
      for (const found of await looks.keys(account, install.region, names)) {
        if ('unknown' in found) troubles.push(notKnown(found.name, found.unknown));
        else if ('key' in found && found.key.manager === 'AWS') awsKeys.add(found.name);
      }
    } catch (error) {
      if (!(error instanceof CopierError)) throw error;
      troubles.push(notKnown(names.join(', '), error.message));
    }
  }
  return { awsKeys, troubles };
}

function notKnown(names: string, why: string): string {
  return `whether snapshots under ${names} can be shared; they are taken for shareable: ${why}`;
}
