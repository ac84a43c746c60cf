import {
  DeleteTagsCommand,
  DescribeSnapshotAttributeCommand,
  EC2Client,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { CopyParameters } from '../core/copy-parameters.ts';
import { type AboutCall, inOurWords } from '../core/ec2-errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, actingName, claimFilter, SOURCE_TAG } from '../core/source-account.ts';
import type { CompanionSessions, SessionProvider } from './companion-role.ts';
import { ec2Snapshots } from './ec2-snapshots.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { asOwner, inSourceAccount, type SourceSnapshots, throughCompanion } from './source-snapshots.ts';

/** A source account, in which the service acts; errors as those of `SourceSnapshots`. */
export interface SourceAccount extends SourceSnapshots {
  /** What carries a claim of this install on a share. */
  claimed(region: string): Promise<readonly Snapshot[]>;
  /** The intermediate copies of this install: all, or of one volume. */
  intermediates(region: string, volumeId?: string): Promise<readonly Snapshot[]>;

  /** Ids of the accounts that a snapshot is shared with. */
  sharedWith(region: string, snapshotId: string): Promise<readonly string[]>;
  /** Shares a snapshot with the account of the install. Twice is harmless. */
  share(region: string, snapshotId: string): Promise<void>;
  /** Ends that. Twice is harmless. */
  takeBack(region: string, snapshotId: string): Promise<void>;

  /** Removes those of the tags that have these values: others may have changed them. */
  untag(region: string, snapshotId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** As `SnapshotApi.copy`: begins a copy within the account. */
  copy(region: string, parameters: CopyParameters): Promise<string>;
  remove(region: string, snapshotId: string): Promise<void>;
}

/** The source accounts, by their ids. Clients are kept for the life of the function. */
export function assumedSourceAccounts(
  install: ActingInstall,
  sessions: CompanionSessions,
): (account: string) => SourceAccount {
  return perRegion((account) => assumedSourceAccount(install, sessions(account), account));
}

function assumedSourceAccount(install: ActingInstall, credentials: SessionProvider, account: string): SourceAccount {
  const snapshots = ec2Snapshots(credentials);
  const clientOf = perRegion((region) => new EC2Client({ region, requestHandler, credentials }));
  const mine = { Name: `tag:${SOURCE_TAG.intermediateFor}`, Values: [actingName(install)] };

  const call = <Answer>(about: AboutCall, work: () => Promise<Answer>): Promise<Answer> =>
    inSourceAccount(
      account,
      work().catch((error: unknown) => {
        throw inOurWords(error, about);
      }),
    );
  const ownWith = async (region: string, filters: Parameters<typeof snapshots.ownWith>[1], what: string) =>
    (await inSourceAccount(account, snapshots.ownWith(region, filters, what))).map((each) => asOwner(each, account));

  const changeShare = async (region: string, snapshotId: string, change: 'Add' | 'Remove'): Promise<void> => {
    await call({ call: 'ModifySnapshotAttribute', snapshotId, region }, () =>
      clientOf(region).send(
        new ModifySnapshotAttributeCommand({
          SnapshotId: snapshotId,
          Attribute: 'createVolumePermission',
          CreateVolumePermission: { [change]: [{ UserId: install.account }] },
        }),
      ),
    );
  };

  return {
    ...throughCompanion(account, snapshots),
    claimed: (region) => ownWith(region, [{ Name: 'tag-key', Values: [claimFilter(install)] }], 'claimed-snapshots'),
    intermediates(region, volumeId) {
      const ofVolume =
        volumeId === undefined ? [] : [{ Name: `tag:${SOURCE_TAG.intermediateVolume}`, Values: [volumeId] }];
      return ownWith(region, [mine, ...ofVolume], 'intermediate-copies');
    },

    async sharedWith(region, snapshotId) {
      const { CreateVolumePermissions = [] } = await call(
        { call: 'DescribeSnapshotAttribute', snapshotId, region },
        () =>
          clientOf(region).send(
            new DescribeSnapshotAttributeCommand({ SnapshotId: snapshotId, Attribute: 'createVolumePermission' }),
          ),
      );
      return CreateVolumePermissions.flatMap(({ UserId }) => UserId ?? []);
    },
    share: (region, snapshotId) => changeShare(region, snapshotId, 'Add'),
    takeBack: (region, snapshotId) => changeShare(region, snapshotId, 'Remove'),

    async untag(region, snapshotId, tags) {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await call({ call: 'DeleteTags', snapshotId, region }, () =>
        clientOf(region).send(new DeleteTagsCommand({ Resources: [snapshotId], Tags })),
      );
    },
    copy: (region, parameters) => inSourceAccount(account, snapshots.copy(region, parameters)),
    remove: (region, snapshotId) => inSourceAccount(account, snapshots.remove(region, snapshotId)),
  };
}
