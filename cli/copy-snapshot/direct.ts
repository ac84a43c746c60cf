import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askEc2, refuse } from './ask-ec2.ts';
import type { CopySnapshotCall } from './call.ts';
import { followCopy } from './follow-copy.ts';

/** Only calls EC2, as the AWS command line does. */
export async function copyDirectly(call: CopySnapshotCall): Promise<ExitCode> {
  const { input, own, region, terminal, print } = call;
  const answer = await askEc2(call, input);
  if (answer.kind === 'refused') return refuse(answer);
  const { snapshotId, tags } = answer;
  print({ ...(tags !== undefined && { Tags: tags }), SnapshotId: snapshotId });
  return own.wait ? followCopy({ region, snapshotId, snapshots: ec2Snapshots(), terminal }) : EXIT.fine;
}
