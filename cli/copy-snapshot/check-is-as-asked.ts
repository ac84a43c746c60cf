import { kmsKeys } from '../../aws/kms-keys.ts';
import type { Ledger } from '../../aws/ledger.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { differences, existingCopy, isKeyOpen, requestedCopy } from '../../core/hand-difference.ts';
import type { CopySnapshotInput } from '../../core/hand-request.ts';
import type { RequestKey } from '../../core/ledger-request.ts';
import { CliProblem } from '../cli-problem.ts';

interface Asked {
  readonly input: CopySnapshotInput;
  readonly key: RequestKey;
  readonly ledger: Pick<Ledger, 'request'>;
  readonly snapshots: Pick<SnapshotApi, 'find'>;
  readonly installName: string;
}

/**
 * Whether the copy that there is, or will be, is the one that is asked for.
 *
 * @param which a request that was there before; or one that is new, and that may have led to a copy that was there
 * @throws CliProblem if it is another one: nothing is copied twice without being told so
 */
export async function checkIsAsAsked(
  { input, key, ledger, snapshots, installName }: Asked,
  which: 'asked for before' | { readonly begunBefore: Date },
): Promise<void> {
  const known = await ledger.request(key);
  if (known === undefined) return;
  const { request, copyId } = known;
  const copy = copyId === undefined ? undefined : await snapshots.find(key.region, copyId);
  if (which !== 'asked for before' && (copy === undefined || new Date(copy.startTime) >= which.begunBefore)) return;
  const there = copy === undefined ? requestedCopy(request, installName) : existingCopy(copy, request, installName);
  const { KmsKeyId } = input;
  const keyArn = KmsKeyId !== undefined && isKeyOpen(input, there) ? await arnOf(key.region, KmsKeyId) : undefined;
  const found = differences(input, there, keyArn);
  if (found.length === 0) return;
  const { snapshotId, destination } = key;
  const what =
    copyId === undefined
      ? `A copy of ${snapshotId} to ${destination} was asked for before, by rule ${request.rule}, and ${known.status === 'running' ? 'is under way' : 'waits'}`
      : `There is a copy of ${snapshotId} at ${destination} already, ${copyId} of rule ${request.rule}`;
  throw new CliProblem(
    `${what}, but not as you ask for it:\n${found.map((each) => `  - ${each}`).join('\n')}\nNothing was done. A second copy beside it, which the service will not know: --direct`,
  );
}

/** Who may not ask KMS has to compare keys without it. */
async function arnOf(region: string, name: string): Promise<string | undefined> {
  try {
    return (await kmsKeys().describe(region, name))?.arn;
  } catch {
    return undefined;
  }
}
