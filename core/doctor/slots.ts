import { COPIER_TAG } from '../copier-tags.ts';
import { isCopy } from '../copy-count.ts';
import { destinationId } from '../destination.ts';
import type { Snapshot } from '../snapshot.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import { destinationsSnippet, type RuleDestination } from './rules-snippet.ts';

/** In every Region: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html */
const USUAL_LIMIT = 20;

/** How many copies EC2 runs into a Region at once. */
export interface CopyQuota {
  readonly limit: number;
  /** False: AWS's default, beside which Support may have granted more. */
  readonly isApplied: boolean;
}

/** Room that the service leaves to others: AWS Backup, lifecycle policies, people. */
const LEFT_TO_OTHERS = 2;

/**
 * Whether the slots that rules take of a Region are there.
 *
 * @param quota undefined if Service Quotas does not list it
 */
export function checkSlots(
  region: string,
  destinations: readonly RuleDestination[],
  quota: Fact<CopyQuota | undefined>,
): readonly Finding[] {
  const check = 'slots';
  const known = isKnown(quota) ? quota.value : undefined;
  const limit = known?.limit ?? USUAL_LIMIT;
  const source =
    known === undefined ? 'by the documentation of EBS' : known.isApplied ? 'by Service Quotas' : "by AWS's default";
  const rules = distinct(destinations.map(({ rule }) => rule));
  const about = `slots of ${region}`;
  const unchecked = isKnown(quota)
    ? []
    : [
        couldNotCheck(quota, {
          check,
          about: `quota of copies into ${region}`,
          rules,
          why: `AWS Support may have changed it; ${USUAL_LIMIT} are assumed.`,
        }),
      ];
  const most = Math.max(...destinations.map(({ destination }) => destination.slots));
  if (most < limit) {
    const found = `${most} of ${limit} at most (${source}), which leaves ${limit - most} to others`;
    return [...unchecked, fine({ check, about, rules, found })];
  }
  const above = destinations.filter(({ destination }) => destination.slots > limit);
  const all = destinations.filter(({ destination }) => destination.slots === limit);
  return [
    ...unchecked,
    ...tooMany(above, 'warning', {
      why: 'EC2 refuses what exceeds that: such copies go back into the queue, and others get no slot meanwhile.',
      mend: [{ say: 'Or have AWS Support raise it; Service Quotas cannot.' }],
    }),
    ...tooMany(all, 'hint', {
      why: 'In a burst nothing is left to others in this account, such as AWS Backup, and their copies are refused.',
      mend: [],
    }),
  ];

  function tooMany(
    those: readonly RuleDestination[],
    status: Finding['status'],
    { why, mend }: Pick<Finding, 'why' | 'mend'>,
  ): readonly Finding[] {
    if (those.length === 0) return [];
    const wanted = those.map(({ destination }) => {
      const where = destinationId(destination);
      return `up to ${destination.slots}${where === region ? '' : ` for ${where}`}`;
    });
    return [
      {
        check,
        about,
        rules: distinct(those.map(({ rule }) => rule)),
        status,
        found: `rules take ${distinct(wanted).join(', ')}, and EC2 runs ${limit} copies at once (${source})`,
        ...(why !== undefined && { why }),
        mend: [
          {
            say: 'Leave some to others, and deploy:',
            paste: destinationsSnippet(those, `slots: ${Math.max(1, limit - LEFT_TO_OTHERS)}`),
          },
          ...mend,
        ],
      },
    ];
  }
}

/** The copies that are pending in a Region. */
export interface PendingCopies {
  readonly all: number;
  readonly ofInstall: number;
}

/** @param pending whatever is pending in a Region, snapshots of volumes too */
export function pendingCopies(pending: readonly Snapshot[], installName: string): PendingCopies {
  const copies = pending.filter(isCopy);
  const own = copies.filter(({ tags }) => tags[COPIER_TAG.managed] === installName);
  return { all: copies.length, ofInstall: own.length };
}

/** Whether a slot is free now. */
export function checkFreeSlots(
  region: string,
  destinations: readonly RuleDestination[],
  pending: Fact<PendingCopies>,
): Finding {
  const rules = distinct(destinations.map(({ rule }) => rule));
  const of = { check: 'free-slots', about: `free slots of ${region}`, rules };
  const why = 'While others hold the slots, copies of these rules wait.';
  if (!isKnown(pending)) return couldNotCheck(pending, { ...of, why });
  const { all, ofInstall } = pending.value;
  const slots = Math.max(...destinations.map(({ destination }) => destination.slots));
  const copies = all === 1 ? '1 copy is pending' : `${all} copies are pending`;
  if (all < slots) return fine({ ...of, found: `${slots - all} of ${slots}; ${copies}` });
  if (all - ofInstall <= slots / 2)
    return fine({ ...of, found: `none of ${slots} now; ${copies}, ${ofInstall} of this install` });
  return {
    ...of,
    status: 'warning',
    found: `none of ${slots}; ${copies}, and ${all - ofInstall} of them are not of this install`,
    why,
    mend: [
      {
        say: 'See whose they are:',
        run: [
          `aws ec2 describe-snapshots --region ${region} --owner-ids self --filters Name=status,Values=pending`,
          "--query 'Snapshots[].[SnapshotId,StartTime,Progress,Description]' --output text",
        ],
      },
    ],
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
