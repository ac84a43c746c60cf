import {
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  type DescribeSnapshotsCommandInput,
  EC2Client,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { CopyParameters } from '../core/copy-parameters.ts';
import { inOurWords } from '../core/ec2-errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { readThrown } from '../core/thrown-error.ts';
import type { CompanionSessions, SessionProvider } from './companion-role.ts';
import { ec2Snapshots, inOurShape } from './ec2-snapshots.ts';
import { type KeyApi, kmsKeys } from './kms-keys.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';

/** EC2's word on a call that was not made. */
export type DryRun = { readonly allowed: true } | { readonly refused: string } | { readonly unclear: string };

/**
 * A source account as people's commands look at it, through the companion's role; nothing is changed. Every method throws
 * errors of core/errors.ts only, SourceAccountRefusedError if the role cannot be assumed.
 */
export interface SourceAccountLook {
  /** A page of its own snapshots that were begun on these days, and where the next one is. */
  page(
    region: string,
    days: readonly string[],
    token: string | undefined,
  ): Promise<{ readonly snapshots: readonly Snapshot[]; readonly next?: string }>;
  /** Those of these snapshots that belong to it. */
  named(region: string, ids: readonly string[]): Promise<readonly Snapshot[]>;
  /** What KMS tells the role of keys of the account. */
  readonly keys: KeyApi;
  /** What EC2 says of calls with a snapshot. */
  dryRun(region: string, snapshotId: string): DryRuns;
}

interface DryRuns {
  readShares(): Promise<DryRun>;
  share(): Promise<DryRun>;
  takeBack(): Promise<DryRun>;
  mark(tags: Readonly<Record<string, string>>): Promise<DryRun>;
  unmark(keys: readonly string[]): Promise<DryRun>;
  copy(parameters: CopyParameters): Promise<DryRun>;
  remove(): Promise<DryRun>;
}

/** @param home the account that snapshots are shared with, 12 digits */
export function sourceAccountLooks(home: string, sessions: CompanionSessions): (account: string) => SourceAccountLook {
  return perRegion((account) => sourceAccountLook(home, sessions(account)));
}

const createVolumePermission = 'createVolumePermission';

function sourceAccountLook(home: string, credentials: SessionProvider): SourceAccountLook {
  const clientOf = perRegion((region) => new EC2Client({ region, requestHandler, credentials }));

  async function describe(
    region: string,
    which: DescribeSnapshotsCommandInput,
    what: string,
  ): Promise<{ readonly snapshots: readonly Snapshot[]; readonly next?: string }> {
    try {
      const input = { OwnerIds: ['self'], MaxResults: 1000, ...which };
      const { Snapshots = [], NextToken } = await clientOf(region).send(new DescribeSnapshotsCommand(input));
      return {
        snapshots: Snapshots.map((each) => ({ ...inOurShape(each, region), viewedByOwner: true })),
        ...(NextToken !== undefined && NextToken !== '' && { next: NextToken }),
      };
    } catch (error) {
      throw inOurWords(error, { call: 'DescribeSnapshots', snapshotId: what, region });
    }
  }

  return {
    page: (region, days, token) =>
      describe(
        region,
        {
          Filters: [{ Name: 'start-time', Values: days.map((day) => `${day}*`) }],
          ...(token !== undefined && { NextToken: token }),
        },
        `snapshots-of-${[...new Set([days.at(0), days.at(-1)])].join('-to-')}`,
      ),
    // A filter leaves out what is not there; a list of ids fails as a whole.
    async named(region, ids) {
      const which = { Filters: [{ Name: 'snapshot-id', Values: [...ids] }] };
      return (await describe(region, which, 'snapshots-by-id')).snapshots;
    },
    keys: kmsKeys(credentials),
    dryRun(region, snapshotId) {
      const of = { SnapshotId: snapshotId, DryRun: true };
      const change = (what: 'Add' | 'Remove'): Promise<DryRun> =>
        judged(
          clientOf(region).send(
            new ModifySnapshotAttributeCommand({
              ...of,
              Attribute: createVolumePermission,
              CreateVolumePermission: { [what]: [{ UserId: home }] },
            }),
          ),
        );
      const Resources = [snapshotId];
      return {
        readShares: () =>
          judged(
            clientOf(region).send(new DescribeSnapshotAttributeCommand({ ...of, Attribute: createVolumePermission })),
          ),
        share: () => change('Add'),
        takeBack: () => change('Remove'),
        mark(tags) {
          const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
          return judged(clientOf(region).send(new CreateTagsCommand({ Resources, Tags, DryRun: true })));
        },
        unmark(names) {
          const Tags = names.map((Key) => ({ Key }));
          return judged(clientOf(region).send(new DeleteTagsCommand({ Resources, Tags, DryRun: true })));
        },
        copy: (parameters) => judged(ec2Snapshots(credentials).probeCopy(region, parameters)),
        remove: () => judged(clientOf(region).send(new DeleteSnapshotCommand(of))),
      };
    },
  };
}

/** A dry run always ends in an error: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html */
async function judged(call: Promise<unknown>): Promise<DryRun> {
  try {
    await call;
    return { allowed: true };
  } catch (error) {
    const { code, words } = readThrown(error instanceof Error && error.cause !== undefined ? error.cause : error);
    if (code === 'DryRunOperation') return { allowed: true };
    const said = `${code}: ${words}`;
    return code === 'UnauthorizedOperation' ? { refused: said } : { unclear: said };
  }
}
