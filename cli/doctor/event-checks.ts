import { isStackIn } from '../../aws/stack-resources.ts';
import {
  checkCompanions,
  checkEventRules,
  checkSourceRegion,
  type EventRule,
  type ExpectedRule,
  type Forwarding,
  hearsOfCopies,
} from '../../core/doctor/events.ts';
import { type Fact, isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import { notDeployedYet } from '../../core/doctor/stack.ts';
import { partitionOf } from '../../core/region.ts';
import { type Examination, rulesWith } from './examination.ts';

/** Whether the service hears of what happens. */
export async function checkEvents(examination: Examination): Promise<readonly Finding[]> {
  const { deployed, deployment, rules, destinationRegions } = examination;
  const home = deployment.install.region;
  const sourceRegions = new Set(rules.flatMap(({ select: { regions = [] } }) => regions));
  sourceRegions.delete(home);
  const findings = await Promise.all([
    deployed === undefined ? [] : ownRules(examination).then((expected) => checkEventRules(expected, deployment)),
    ...[...sourceRegions].toSorted().map((region) => otherSource(examination, region)),
    companions(
      examination,
      destinationRegions.filter((region) => region !== home),
    ),
  ]);
  return findings.flat();
}

/** The rules that the stack has made, as EventBridge has them now. */
async function ownRules({
  look,
  eventRules,
  resources,
  deployment,
}: Examination): Promise<Fact<readonly ExpectedRule[]>> {
  const { region } = deployment.install;
  const made = await resources;
  if (!isKnown(made)) return made;
  const rules = made.value
    .filter(({ type }) => type === 'AWS::Events::Rule')
    // Of a rule that is not on the default bus the physical id names the bus, too.
    .map(({ logicalId, physicalId }) => {
      const [name = '', bus] = physicalId.split('|').toReversed();
      return { logicalId, name, ...(bus !== undefined && { bus }) };
    });
  const buses = [...new Set(rules.map(({ bus }) => bus))];
  const there = await Promise.all(buses.map((bus) => look(['events:ListRules'], () => eventRules.list(region, bus))));
  const unknown = there.find((fact) => !isKnown(fact));
  if (unknown !== undefined && !isKnown(unknown)) return unknown;
  const expected = rules.map(async (each): Promise<ExpectedRule> => {
    const { name, bus } = each;
    const on = there[buses.indexOf(bus)];
    const rule = on !== undefined && isKnown(on) ? on.value.find((other) => other.name === name) : undefined;
    if (rule === undefined) return { ...each, rule };
    const targets = await look(['events:ListTargetsByRule'], () => eventRules.targets(region, name, bus));
    return { ...each, rule, targets };
  });
  return { value: await Promise.all(expected) };
}

async function otherSource(
  { look, rules, deployed, stack, deployment, canAsk }: Examination,
  region: string,
): Promise<readonly Finding[]> {
  const selecting = rules.filter(({ select }) => select.regions?.includes(region));
  // A Region that is not there, or not enabled, has no stack either.
  const isDeployed = (await canAsk(region))
    ? await look(['cloudformation:DescribeStacks'], () => isStackIn(region, stack))
    : { value: false };
  if (deployed === undefined && isKnown(isDeployed) && !isDeployed.value) {
    const there = { ...deployment, install: { ...deployment.install, region } };
    return [{ ...notDeployedYet(stack, there), check: 'source-region', rules: selecting.map(({ name }) => name) }];
  }
  return [checkSourceRegion({ region, rules: selecting, stack }, isDeployed, deployment)];
}

async function companions(examination: Examination, regions: readonly string[]): Promise<readonly Finding[]> {
  const { look, eventRules, deployment, canAsk } = examination;
  const { account, region: home } = deployment.install;
  const bus = `arn:${partitionOf(home)}:events:${home}:${account}:event-bus/default`;
  const looked = await Promise.all(
    regions.map(async (region): Promise<readonly Forwarding[]> => {
      if (!(await canAsk(region))) return [];
      const forwarding = await look(
        ['events:ListRules', 'events:ListTargetsByRule'],
        async (): Promise<readonly EventRule[]> => {
          const hearing = (await eventRules.list(region)).filter(hearsOfCopies);
          const targets = await Promise.all(hearing.map(({ name }) => eventRules.targets(region, name)));
          return hearing.filter((_, index) => targets[index]?.includes(bus));
        },
      );
      const rules = rulesWith(examination, (destination) => destination.region === region);
      return [{ region, rules, eventRules: forwarding }];
    }),
  );
  return checkCompanions(looked.flat(), deployment);
}
