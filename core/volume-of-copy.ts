/**
 * Whether a volume id is that of a copy, which is an arbitrary one, in practice all f: it tells nothing apart.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 */
export function isArbitraryVolume(volumeId: string): boolean {
  return /^vol-f+$/.test(volumeId);
}
