/**
 * A KMS key in one of the four ways in which EC2 takes it: key id, alias, key ARN or alias ARN.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
 */
export interface KmsKeyReference {
  readonly kind: 'id' | 'alias';
  /** The key's id, or its alias with the leading `alias/`. */
  readonly name: string;
  /** What an ARN says beside the name. Without one, a key of this account in the destination Region is meant. */
  readonly arn?: { readonly partition: string; readonly region: string; readonly account: string };
}

/** A single-Region key's id is a UUID, a multi-Region key's begins with `mrk-`. */
const KEY_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;
const ALIAS = /^alias\/[\w/-]{1,250}$/;
const ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(key\/)?(.+)$/;

/** Reads a key as it stands in `copy-rules.yml`; undefined if EC2 would not take it. */
export function parseKmsKey(text: string): KmsKeyReference | undefined {
  const [, partition, region, account, key, name] = ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || account === undefined || name === undefined) {
    if (KEY_ID.test(text)) return { kind: 'id', name: text };
    return ALIAS.test(text) ? { kind: 'alias', name: text } : undefined;
  }
  const arn = { partition, region, account };
  if (key !== undefined) return KEY_ID.test(name) ? { kind: 'id', name, arn } : undefined;
  return ALIAS.test(name) ? { kind: 'alias', name, arn } : undefined;
}
