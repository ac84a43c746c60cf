/**
 * The snapshot id in an ARN, or in itself. ARNs of snapshots come in three layouts, and the id is last in all of them:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 */
export function snapshotIdOf(arn: string): string | undefined {
  const id = arn.slice(arn.lastIndexOf('/') + 1);
  return /^snap-[0-9a-f]{8,17}$/.test(id) ? id : undefined;
}
