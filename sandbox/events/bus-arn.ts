import { type Home, homeArn } from '../home.ts';

const DEFAULT_BUS = 'default';

/** The ARN of an event bus; without a name of the default bus, which every account has in every Region. */
export function busArn(place: Home, name: string = DEFAULT_BUS): string {
  return homeArn(place, 'events', `event-bus/${name}`);
}

/** The name in the ARN of an event bus. */
export function busNameOf(arn: string): string {
  return arn.split('/').at(-1) ?? '';
}

/** EventBridge takes a name or an ARN wherever it asks for a bus. */
export function busArnOf(place: Home, nameOrArn: string = DEFAULT_BUS): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn : busArn(place, nameOrArn);
}

/** Where a thing with an ARN is. */
export function placeOf(arn: string): Home {
  const [, , , region = '', account = ''] = arn.split(':');
  return { account, region };
}

/**
 * The ARN of a rule, which names its bus if that is not the default one.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
 */
export function ruleArn(bus: string, ruleName: string): string {
  const name = busNameOf(bus);
  return homeArn(placeOf(bus), 'events', `rule/${name === DEFAULT_BUS ? '' : `${name}/`}${ruleName}`);
}

/** The bus that a rule with this ARN is on. */
export function busOfRule(arn: string): string {
  const [, ...names] = arn.split('/');
  return busArn(placeOf(arn), names.length > 1 ? names[0] : DEFAULT_BUS);
}
