import * as z from 'zod/mini';
import { catch as otherwise } from 'zod/mini';
import type { CopyRule } from '../rules.ts';
import { type Deployment, deployCommand } from './deploy-command.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import { selectionSnippet } from './rules-snippet.ts';

/** An event rule as EventBridge shows it. */
export interface EventRule {
  readonly name: string;
  readonly isEnabled: boolean;
  /** JSON; undefined for a schedule. */
  readonly pattern: string | undefined;
}

/** An event rule that the stack has made. */
export interface ExpectedRule {
  readonly name: string;
  /** Of the bus that it is on, if that is not the default one. */
  readonly bus?: string;
  /** Its name in serverless.yml. */
  readonly logicalId: string;
  /** Undefined if EventBridge has none of this name. */
  readonly rule: EventRule | undefined;
  /** ARNs; absent if there is no rule. */
  readonly targets?: Fact<readonly string[]>;
}

/** It only makes admission look earlier. */
const WAKES_ADMISSION = 'CopyEventsRule';
/** Hands over what source accounts tell. */
const OF_SOURCE_ACCOUNTS = 'SourceEventsRule';

const eventPattern = z.object({
  source: otherwise(z.array(z.string()), []),
  'detail-type': otherwise(z.array(z.string()), []),
  detail: otherwise(z.object({ event: otherwise(z.array(z.string()), []) }), { event: [] }),
});

/** Whether the event rules of the install are there, enabled, and lead somewhere. */
export function checkEventRules(expected: Fact<readonly ExpectedRule[]>, deployment: Deployment): readonly Finding[] {
  const check = 'event-rule';
  const { region } = deployment.install;
  if (!isKnown(expected)) {
    const why = 'Without its event rules the service hears of no snapshot.';
    return [couldNotCheck(expected, { check, about: `event rules in ${region}`, why })];
  }
  const findings = expected.value.flatMap((each) => checkEventRule(each, deployment));
  const well = expected.value.length - findings.length;
  const found = `${well} of ${expected.value.length} are enabled and have targets`;
  return well === 0 ? findings : [fine({ check, about: `event rules in ${region}`, found }), ...findings];
}

function checkEventRule(
  { name, bus, logicalId, rule, targets }: ExpectedRule,
  deployment: Deployment,
): readonly Finding[] {
  const { region, name: install } = deployment.install;
  const isWake = logicalId === WAKES_ADMISSION;
  const isOfSources = logicalId === OF_SOURCE_ACCOUNTS;
  const events = isOfSources ? 'all that source accounts tell' : eventsOf(rule?.pattern);
  const of = {
    check: 'event-rule',
    about: `event rule ${name}${rule === undefined ? '' : ` (${events})`}`,
    why: isWake
      ? 'Nothing is lost without it, but free slots are noticed later.'
      : 'Without it the service does not hear of these events, and finds out hours later what they would have told, if at all.',
  };
  const status = isWake ? 'warning' : 'problem';
  const deploy = { say: 'Deploy again; that makes what is missing:', run: deployCommand(deployment) };
  if (rule === undefined) return [{ ...of, status, found: `there is none of this name in ${region}`, mend: [deploy] }];
  if (!rule.isEnabled) {
    const on = bus === undefined ? '' : ` --event-bus-name ${bus}`;
    const enable = { say: 'Enable it:', run: [`aws events enable-rule --region ${region}${on} --name ${name}`] };
    return [{ ...of, status, found: 'disabled', mend: [enable] }];
  }
  if (targets === undefined) return [];
  if (!isKnown(targets)) return [couldNotCheck(targets, of)];
  const fn = `:function:${install}-onSnapshotEvent`;
  if (isOfSources && targets.value.length > 0 && !targets.value.some((target) => target.endsWith(fn))) {
    return [{ ...of, status, found: 'it does not lead to the function onSnapshotEvent', mend: [deploy] }];
  }
  return targets.value.length > 0 ? [] : [{ ...of, status, found: 'it has no target', mend: [deploy] }];
}

/** What a pattern is for, in words. */
function eventsOf(pattern: string | undefined): string {
  const { 'detail-type': types, detail } = readPattern(pattern);
  const words = detail.event.length > 0 ? detail.event : types;
  return words.length === 0 ? 'no pattern' : words.join(', ');
}

function readPattern(pattern: string | undefined): z.infer<typeof eventPattern> {
  const nothing = { source: [], 'detail-type': [], detail: { event: [] } };
  try {
    return eventPattern.safeParse(JSON.parse(pattern ?? '')).data ?? nothing;
  } catch {
    return nothing;
  }
}

/** Whether a rule hears of the ends of copies: then it may forward them. */
export function hearsOfCopies({ pattern }: EventRule): boolean {
  const { source, detail } = readPattern(pattern);
  return source.includes('aws.ec2') && detail.event.includes('copySnapshot');
}

/** A destination Region, and the rules there that forward the ends of copies to the install. */
export interface Forwarding {
  readonly region: string;
  /** Of the rules file. */
  readonly rules: readonly string[];
  /** Those whose target is the event bus of the install. */
  readonly eventRules: Fact<readonly EventRule[]>;
}

/**
 * Whether the ends of copies in destination Regions are forwarded to the install, as companions/destination-region.yml
 * does. That is optional.
 */
export function checkCompanions(regions: readonly Forwarding[], { install }: Deployment): readonly Finding[] {
  const check = 'companion';
  const about = (where: readonly string[]) => `ends of copies in ${where.join(', ')}, forwarded to ${install.region}`;
  const why = 'Without that a free slot is taken up to half a minute later, which matters in bursts only.';
  const missing = regions.filter(({ eventRules }) => isKnown(eventRules) && eventRules.value.length === 0);
  const findings = regions.flatMap(({ region, rules, eventRules }): readonly Finding[] => {
    const of = { check, about: about([region]), rules };
    if (!isKnown(eventRules)) return [couldNotCheck(eventRules, { ...of, why })];
    if (eventRules.value.some(({ isEnabled }) => isEnabled)) return [fine({ ...of, found: 'they are' })];
    return eventRules.value.slice(0, 1).map(({ name }) => ({
      ...of,
      status: 'warning',
      found: `rule ${name} does that, but is disabled`,
      why,
      mend: [{ say: 'Enable it:', run: [`aws events enable-rule --region ${region} --name ${name}`] }],
    }));
  });
  if (missing.length === 0) return findings;
  const where = missing.map(({ region }) => region);
  return [
    ...findings,
    {
      check,
      about: about(where),
      rules: [...new Set(missing.flatMap(({ rules }) => rules))],
      status: 'hint',
      found: 'they are not, which is optional',
      why,
      mend: [
        {
          say: 'If many snapshots come at once, deploy the companion:',
          run: deployCompanion(where, install.region),
        },
      ],
    },
  ];
}

function deployCompanion(where: readonly string[], home: string): readonly string[] {
  const isOne = where.length === 1;
  const deploy = `aws cloudformation deploy --region ${isOne ? where.join() : '"$region"'}`;
  return [
    isOne ? deploy : `for region in ${where.join(' ')}; do ${deploy}`,
    `--stack-name ebs-snapshot-copier-copies-${home} --template-file companions/destination-region.yml`,
    `--capabilities CAPABILITY_IAM --parameter-overrides HomeRegion=${home}${isOne ? '' : '; done'}`,
  ];
}

/**
 * Whether there is an install in a Region that rules select snapshots of. Events of a snapshot come in its own Region:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 *
 * @param isDeployed whether there is a stack of the same name
 */
export function checkSourceRegion(
  { region, rules, stack }: { readonly region: string; readonly rules: readonly CopyRule[]; readonly stack: string },
  isDeployed: Fact<boolean>,
  deployment: Deployment,
): Finding {
  const names = rules.map(({ name }) => name);
  const of = { check: 'source-region', about: `${region}, which rules select snapshots of`, rules: names };
  const why = 'Events of a snapshot come in its own Region alone, so nothing of that Region will ever be copied.';
  if (!isKnown(isDeployed)) return couldNotCheck(isDeployed, { ...of, why });
  if (isDeployed.value) return fine({ ...of, found: `there is an install of its own, stack ${stack}` });
  const deploy = { say: `Deploy to ${region} too:`, run: deployCommand(deployment, { region }) };
  const dropped = rules.flatMap(({ name, select: { regions = [] } }) => {
    const others = regions.filter((each) => each !== region);
    return others.length === 0 ? [] : [selectionSnippet(name, `regions: [${others.join(', ')}]`)];
  });
  return {
    ...of,
    status: 'problem',
    found: `the service is not deployed there: ${region} has no stack ${stack}`,
    why,
    mend: [deploy, ...dropped.slice(0, 1).map((paste) => ({ say: 'Or select nothing there:', paste }))],
  };
}
