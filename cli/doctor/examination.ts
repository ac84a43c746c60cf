import { ec2Regions, type RegionApi } from '../../aws/ec2-regions.ts';
import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { type EventRuleApi, eventBridgeRules } from '../../aws/event-rules.ts';
import { type KeyApi, kmsKeys } from '../../aws/kms-keys.ts';
import { type SourceLooks, sourceLooks } from '../../aws/look-at-sources-function.ts';
import { perRegion } from '../../aws/per-region.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { type StackResource, stackResources } from '../../aws/stack-resources.ts';
import type { Deployment } from '../../core/doctor/deploy-command.ts';
import { type Fact, isKnown } from '../../core/doctor/fact.ts';
import type { RegionListed } from '../../core/doctor/region.ts';
import type { RuleDestination } from '../../core/doctor/rules-snippet.ts';
import type { CopyRule, SourceAccounts } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Deployed } from '../deployed.ts';
import type { Look } from './look.ts';

/** What is examined. */
export interface Patient {
  /** Undefined before the first deployment. */
  readonly deployed: Deployed | undefined;
  /** What the stack is called, or will be. */
  readonly stack: string;
  readonly deployment: Deployment;
  /** AWS's clock. */
  readonly now: () => Date;
  /** All rules of the file: which of them takes a snapshot depends on the others. */
  readonly allRules: readonly CopyRule[];
  /** Those that are to be checked. */
  readonly rules: readonly CopyRule[];
  /** Of the same file. */
  readonly sourceAccounts: SourceAccounts;
}

/** Everything that checks look at; what several of them need is asked for once. */
export interface Examination extends Patient {
  readonly look: Look;
  readonly snapshots: SnapshotApi;
  readonly regions: RegionApi;
  readonly keys: KeyApi;
  readonly eventRules: EventRuleApi;
  /** Undefined before the first deployment. */
  readonly looks: SourceLooks | undefined;
  /** The accounts that the function behind `looks` may look into. */
  readonly visible: readonly string[];
  readonly destinations: readonly RuleDestination[];
  /** Where destinations are, sorted. */
  readonly destinationRegions: readonly string[];
  readonly resources: Promise<Fact<readonly StackResource[]>>;
  /** All Regions of the partition. */
  readonly listed: Promise<Fact<readonly RegionListed[]>>;
  /** Whatever is pending in a Region. */
  readonly pending: (region: string) => Promise<Fact<readonly Snapshot[]>>;
  /** False where EC2 would only refuse: the Region is not there, or not enabled. */
  readonly canAsk: (region: string) => Promise<boolean>;
}

export function examine(patient: Patient, look: Look): Examination {
  const { deployed, stack, deployment, rules, sourceAccounts } = patient;
  const deployedAccounts = deployed?.rules.sourceAccounts.accounts ?? [];
  const snapshots = ec2Snapshots();
  const regions = ec2Regions();
  const destinations = rules.flatMap((rule) =>
    rule.destinations.map((destination) => ({ rule: rule.name, destination })),
  );
  const listed = look(['ec2:DescribeRegions'], () => regions.list(deployment.install.region));
  return {
    ...patient,
    look,
    snapshots,
    regions,
    keys: kmsKeys(),
    eventRules: eventBridgeRules(),
    looks: deployed === undefined ? undefined : sourceLooks(deployed.lookAtSourcesFunction),
    visible: sourceAccounts.accounts.filter((account) => deployedAccounts.includes(account)),
    destinations,
    destinationRegions: [...new Set(destinations.map(({ destination }) => destination.region))].toSorted(),
    resources: look(['cloudformation:ListStackResources'], () => stackResources(stack)),
    listed,
    pending: perRegion((region) => look(['ec2:DescribeSnapshots'], () => snapshots.pending(region))),
    async canAsk(region) {
      const all = await listed;
      if (!isKnown(all)) return true;
      const found = all.value.find(({ name }) => name === region);
      return found !== undefined && found.optIn !== 'not-opted-in';
    },
  };
}

/** The rules with a destination in a Region, or with one of some kind there. */
export function rulesWith(
  { destinations }: Pick<Examination, 'destinations'>,
  isMeant: (destination: RuleDestination['destination']) => boolean,
): readonly string[] {
  return [...new Set(destinations.filter(({ destination }) => isMeant(destination)).map(({ rule }) => rule))];
}
