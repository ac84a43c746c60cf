import { copyParameters } from './copy-parameters.ts';
import type { CopyRequest } from './copy-request.ts';
import { type CopySnapshotInput, handTags } from './hand-request.ts';
import { parseKmsKey } from './rules/kms-key.ts';
import type { Snapshot } from './snapshot.ts';

/** A copy that there is, or that was asked for before, as far as somebody can ask for another one. */
export interface KnownCopy {
  readonly description: string;
  readonly encrypted: boolean;
  /** What is known of its key: the ARN, and how it was named when it was asked for. */
  readonly kmsKeys: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly completionDurationMinutes?: number;
}

/** The copy that a request will lead to. Whether the destination encrypts by default is not known here. */
export function requestedCopy(request: CopyRequest, installName: string): KnownCopy {
  const { description, encrypted, kmsKeyId, tags, completionDurationMinutes } = copyParameters(
    request,
    installName,
  ).parameters;
  return {
    description,
    encrypted: encrypted === true || request.source.encrypted || request.destination.outpost !== undefined,
    kmsKeys: kmsKeyId === undefined ? [] : [kmsKeyId],
    tags,
    ...(completionDurationMinutes !== undefined && { completionDurationMinutes }),
  };
}

/** The copy that EC2 shows, and what the request tells of it. EC2 may show only later that a new one is encrypted. */
export function existingCopy(copy: Snapshot, request: CopyRequest, installName: string): KnownCopy {
  const { state, description, encrypted, kmsKeyId, tags } = copy;
  const requested = requestedCopy(request, installName);
  return {
    ...requested,
    description,
    encrypted: encrypted || (state === 'pending' && requested.encrypted),
    kmsKeys: [...(kmsKeyId === undefined ? [] : [kmsKeyId]), ...requested.kmsKeys],
    tags,
  };
}

/**
 * In what a copy is not what somebody asks for now. Only what is asked for counts: without `--description` any will do.
 *
 * @param askedKeyArn what KMS says that the key is that is asked for, if it was asked
 */
export function differences(
  input: CopySnapshotInput,
  known: KnownCopy,
  askedKeyArn: string | undefined,
): readonly string[] {
  const { Description, Encrypted, KmsKeyId, CompletionDurationMinutes: minutes } = input;
  const found: string[] = [];
  if (Description !== undefined && Description.trim() !== known.description.trim()) {
    found.push(`its description is '${known.description}', not '${Description}'`);
  }
  if (Encrypted === true && !known.encrypted) found.push('it is not encrypted');
  else if (KmsKeyId !== undefined && !isKeyOf(known, [KmsKeyId, askedKeyArn])) {
    const key = known.kmsKeys[0] ?? 'the default one';
    found.push(`its key is ${key}, not ${KmsKeyId}`);
  }
  for (const { Key, Value } of handTags(input)) {
    const value = Object.hasOwn(known.tags, Key) ? known.tags[Key] : undefined;
    if (value === undefined) found.push(`it has no tag ${Key}`);
    else if (value !== Value) found.push(`its tag ${Key} is '${value}', not '${Value}'`);
  }
  if (minutes !== undefined && known.completionDurationMinutes !== minutes) {
    const actual = known.completionDurationMinutes;
    found.push(
      `${actual === undefined ? 'no completion duration was asked for' : `its completion duration is ${actual} minutes`}, not ${minutes}`,
    );
  }
  return found;
}

/** Whether only KMS can tell if the key that is asked for is the copy's. */
export function isKeyOpen({ KmsKeyId }: CopySnapshotInput, known: KnownCopy): boolean {
  return KmsKeyId !== undefined && known.encrypted && !isKeyOf(known, [KmsKeyId]);
}

function isKeyOf({ kmsKeys }: KnownCopy, asked: readonly (string | undefined)[]): boolean {
  return kmsKeys.some((known) => asked.some((name) => name !== undefined && isSameKey(known, name)));
}

/** A name without an ARN is one of the destination's Region and account, as is what it is compared with. */
function isSameKey(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [parseKmsKey(a), parseKmsKey(b)];
  if (one === undefined || other === undefined || one.kind !== other.kind || one.name !== other.name) return false;
  return one.arn === undefined || other.arn === undefined;
}
