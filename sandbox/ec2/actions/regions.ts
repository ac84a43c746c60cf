import { action, type Ec2Action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, filters, knownFilter } from '../filters.ts';
import { flag, listOf, text } from '../query.ts';
import { OPT_IN_REGIONS, type Zone, zonesOf } from '../regions.ts';
import { items, type XmlTree } from '../xml.ts';

/**
 * The enabled Regions; with AllRegions also those that wait to be enabled. "You can specify any Regions, whether they are
 * enabled and disabled": https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
 */
export const describeRegions: Ec2Action = action({
  name: 'DescribeRegions',
  parameters: { RegionName: listOf(text), AllRegions: flag.optional(), Filter: filters },
  run: (world, _caller, input) => {
    const enabled = new Set(world.settings.regions);
    const all = [...new Set([...enabled, ...OPT_IN_REGIONS])];
    const unknown = input.RegionName.find((name) => !all.includes(name));
    if (unknown !== undefined) {
      throw new Ec2Error('InvalidParameterValue', `Invalid region name provided: ${unknown}`);
    }
    const chosen =
      input.RegionName.length > 0
        ? all.filter((name) => input.RegionName.includes(name))
        : all.filter((name) => input.AllRegions === true || enabled.has(name));
    const matching = applyFilters(chosen, input.Filter, isKnownRegionFilter, (name, region) => {
      if (name === 'region-name') return [region];
      return [name === 'endpoint' ? endpointOf(region) : regionStatus(region, enabled)];
    });
    return {
      regionInfo: items(
        matching.map((regionName) => ({
          regionName,
          regionEndpoint: endpointOf(regionName),
          optInStatus: regionStatus(regionName, enabled),
        })),
      ),
    };
  },
});

function regionStatus(region: string, enabled: ReadonlySet<string>): string {
  if (!OPT_IN_REGIONS.includes(region)) return 'opt-in-not-required';
  return enabled.has(region) ? 'opted-in' : 'not-opted-in';
}

const isKnownRegionFilter = knownFilter(new Set(['region-name', 'endpoint', 'opt-in-status']), { tags: false });

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html */
export const describeAvailabilityZones: Ec2Action = action({
  name: 'DescribeAvailabilityZones',
  parameters: {
    ZoneName: listOf(text),
    ZoneId: listOf(text),
    AllAvailabilityZones: flag.optional(),
    Filter: filters,
  },
  run: (_world, caller, input) => {
    const zones = zonesOf(caller.region);
    const unknown =
      input.ZoneName.find((name) => !zones.some((zone) => zone.name === name)) ??
      input.ZoneId.find((id) => !zones.some((zone) => zone.zoneId === id));
    if (unknown !== undefined) throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${unknown}]`);
    const chosen = zones.filter(
      (zone) =>
        (input.ZoneName.length === 0 || input.ZoneName.includes(zone.name)) &&
        (input.ZoneId.length === 0 || input.ZoneId.includes(zone.zoneId)),
    );
    const matching = applyFilters(chosen, input.Filter, isKnownZoneFilter, zoneFilterValues);
    return { availabilityZoneInfo: items(matching.map(zoneXml)) };
  },
});

const isKnownZoneFilter = knownFilter(
  new Set(['group-name', 'opt-in-status', 'region-name', 'state', 'zone-id', 'zone-name', 'zone-type']),
  { tags: false },
);

function zoneFilterValues(name: string, zone: Zone): readonly string[] {
  switch (name) {
    case 'group-name':
      return [zone.group];
    case 'opt-in-status':
      return [optInStatus(zone)];
    case 'region-name':
      return [zone.region];
    case 'state':
      return ['available'];
    case 'zone-id':
      return [zone.zoneId];
    case 'zone-name':
      return [zone.name];
    default:
      return [zone.type];
  }
}

function zoneXml(zone: Zone): XmlTree {
  return {
    optInStatus: optInStatus(zone),
    regionName: zone.region,
    zoneName: zone.name,
    zoneId: zone.zoneId,
    groupName: zone.group,
    networkBorderGroup: zone.type === 'local-zone' ? zone.group : zone.region,
    zoneType: zone.type,
    zoneState: 'available',
  };
}

function optInStatus(zone: Zone): string {
  return zone.type === 'local-zone' ? 'opted-in' : 'opt-in-not-required';
}

function endpointOf(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}
