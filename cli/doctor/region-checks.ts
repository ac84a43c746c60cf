import { destinationId } from '../../core/destination.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import { checkLocalZone, checkRegion, outpostUnchecked } from '../../core/doctor/region.ts';
import { destinations } from '../../core/rule-destinations.ts';
import { type Examination, rulesWith } from './examination.ts';

/** Regions, Local Zones and Outposts of the install and of the destinations. */
export async function checkRegions(examination: Examination): Promise<readonly Finding[]> {
  const { deployment, destinationRegions, rules } = examination;
  const home = deployment.install.region;
  const others = destinationRegions.filter((region) => region !== home);
  const findings = await Promise.all([
    ...[home, ...others].map((region) => checkOne(examination, region)),
    ...destinations(rules).map((destination) => checkPlace(examination, destination)),
  ]);
  return findings.flat();
}

async function checkOne(examination: Examination, region: string): Promise<readonly Finding[]> {
  const { deployment, listed, canAsk, pending } = examination;
  const { install } = deployment;
  const rules = rulesWith(examination, (destination) => destination.region === region);
  const uses = [region === install.region ? 'sources' : '', rules.length > 0 ? 'destination' : ''];
  const use = uses.filter((each) => each !== '').join(' and ');
  const answered = (await canAsk(region)) ? await pending(region) : undefined;
  return checkRegion({ region, use, rules }, await listed, answered, install);
}

async function checkPlace(
  examination: Examination,
  destination: ReturnType<typeof destinations>[number],
): Promise<readonly Finding[]> {
  const { region, localZone, outpost } = destination;
  if (!(await examination.canAsk(region))) return [];
  const rules = rulesWith(examination, (each) => destinationId(each) === destinationId(destination));
  if (outpost !== undefined) return [outpostUnchecked({ ...destination, outpost }, rules)];
  if (localZone === undefined) return [];
  const { look, regions } = examination;
  const zone = await look(['ec2:DescribeAvailabilityZones'], () => regions.zone(region, localZone));
  return [checkLocalZone({ region, localZone, rules }, zone)];
}
