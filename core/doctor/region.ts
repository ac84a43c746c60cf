import type { Step } from '../alert-layout.ts';
import { type Destination, destinationId } from '../destination.ts';
import { didYouMean } from '../rules/did-you-mean.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import type { Site } from './site.ts';

/** A Region of the account's partition. */
export interface RegionListed {
  readonly name: string;
  /** `opt-in-not-required`, `opted-in` or `not-opted-in`. */
  readonly optIn: string;
}

/** A Region that rules or the install name. */
export interface RegionUse {
  readonly region: string;
  /** For what, in words: `destination`, `the install`. */
  readonly use: string;
  readonly rules: readonly string[];
}

/**
 * Whether a Region is there and enabled, and EC2 answers. A Region that is not enabled refuses all calls:
 * https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
 *
 * @param listed every Region that there is, enabled or not
 * @param answered whether EC2 answered there; absent if it was not asked
 */
export function checkRegion(
  { region, use, rules }: RegionUse,
  listed: Fact<readonly RegionListed[]>,
  answered: Fact<unknown> | undefined,
  { account, region: home }: Pick<Site, 'account' | 'region'>,
): readonly Finding[] {
  const check = 'region';
  const about = `Region ${region} (${use})`;
  const of = { check, about, rules, why: 'Every copy to or from a Region that is not enabled is refused.' };
  if (!isKnown(listed)) return [couldNotCheck(listed, of), ...checkAnswer(of, region, answered)];

  const found = listed.value.find(({ name }) => name === region);
  if (found === undefined) {
    const meant = didYouMean(
      region,
      listed.value.map(({ name }) => name),
    );
    return [
      {
        ...of,
        status: 'problem',
        found: `AWS has no such Region${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        mend: [
          { say: `Correct it in the rules file, and deploy${meant === undefined ? '.' : ':'}`, ...paste(meant) },
          {
            say: 'The Regions that there are:',
            run: [
              `aws ec2 describe-regions --region ${home} --all-regions`,
              "--query 'Regions[].[RegionName,OptInStatus]' --output text",
            ],
          },
        ],
      },
    ];
  }
  if (found.optIn === 'not-opted-in') {
    return [
      {
        ...of,
        status: 'problem',
        found: `not enabled for account ${account}`,
        mend: [
          {
            say: 'Enable it, which takes minutes to hours:',
            run: [`aws account enable-region --region ${home} --region-name ${region}`],
          },
          {
            say: 'It is ready when this says ENABLED:',
            run: [`aws account get-region-opt-status --region ${home} --region-name ${region}`],
          },
        ],
      },
    ];
  }
  const trouble = checkAnswer(of, region, answered);
  return trouble.length > 0 ? trouble : [fine({ check, about, rules, found: enabled(found.optIn, answered) })];
}

function paste(region: string | undefined): Pick<Step, 'paste'> {
  return region === undefined ? {} : { paste: `region: ${region}` };
}

function enabled(optIn: string, answered: Fact<unknown> | undefined): string {
  return `enabled (${optIn})${answered === undefined ? '' : ', EC2 answers'}`;
}

function checkAnswer(
  of: Pick<Finding, 'check' | 'about' | 'rules' | 'why'>,
  region: string,
  answered: Fact<unknown> | undefined,
): readonly Finding[] {
  if (answered === undefined || isKnown(answered)) return [];
  const look = { say: 'Ask EC2 there yourself:', run: [`aws ec2 describe-availability-zones --region ${region}`] };
  return [couldNotCheck(answered, of, [look])];
}

/** A Local Zone as EC2 of its Region shows it. */
export interface ZoneListed {
  readonly optIn: string;
  /** `available`, or what keeps it from that. */
  readonly state: string;
  /** The group that is opted in to, for example `us-west-2-lax-1`. */
  readonly group: string;
}

/**
 * Whether the Local Zone of a destination is there and enabled.
 *
 * @param zone undefined if there is none of this name
 */
export function checkLocalZone(
  {
    region,
    localZone,
    rules,
  }: { readonly region: string; readonly localZone: string; readonly rules: readonly string[] },
  zone: Fact<ZoneListed | undefined>,
): Finding {
  const of = { check: 'local-zone', about: `Local Zone ${localZone}`, rules };
  const why = 'EC2 refuses every copy to a Local Zone that is not enabled.';
  const list: Step = {
    say: 'The Local Zones that there are:',
    run: [
      `aws ec2 describe-availability-zones --region ${region} --all-availability-zones`,
      "--filters Name=zone-type,Values=local-zone --query 'AvailabilityZones[].[ZoneName,OptInStatus]' --output text",
    ],
  };
  if (!isKnown(zone)) return couldNotCheck(zone, { ...of, why }, [list]);
  if (zone.value === undefined) {
    return { ...of, status: 'problem', found: `${region} has no such Local Zone`, why, mend: [list] };
  }
  const { optIn, state, group } = zone.value;
  if (optIn === 'not-opted-in') {
    const enable = {
      say: 'Enable its group, which costs nothing by itself:',
      run: [`aws ec2 modify-availability-zone-group --region ${region} --group-name ${group} --opt-in-status opted-in`],
    };
    return { ...of, status: 'problem', found: 'not enabled', why, mend: [enable] };
  }
  if (state !== 'available') {
    const health = { say: 'See whether AWS knows of trouble: https://health.aws.amazon.com/health/status' };
    return { ...of, status: 'warning', found: `enabled, but ${state}`, why, mend: [health] };
  }
  return fine({ ...of, found: `enabled (${optIn})` });
}

/** EC2 says nothing of Outposts, and AWS Outposts is not asked: that is left to people. */
export function outpostUnchecked(
  destination: Destination & { readonly outpost: string },
  rules: readonly string[],
): Finding {
  const { region, outpost } = destination;
  return {
    check: 'outpost',
    about: `Outpost ${destinationId(destination)}`,
    rules,
    status: 'unchecked',
    found: 'this command does not ask AWS Outposts',
    why: 'EC2 refuses every copy to an Outpost that is not there or not active.',
    mend: [
      {
        say: 'LifeCycleStatus must be ACTIVE:',
        run: [
          `aws outposts get-outpost --region ${region} --outpost-id ${outpost}`,
          "--query 'Outpost.[Name,LifeCycleStatus,AvailabilityZone]' --output text",
        ],
      },
    ],
  };
}
