import type * as z from 'zod';
import { busArnOf } from '../events/bus-arn.ts';
import type { EventBus } from '../events/event-bus.ts';
import { ruleOfResource } from '../events/rule-resource.ts';
import type { Home } from '../home.ts';
import type { Iam } from '../iam/iam.ts';
import { parsePolicy } from '../iam/policy-document.ts';
import type { KeyStore } from '../kms/key-store.ts';
import { type CheckedResource, checkedResources, failureOf } from './checked-resources.ts';
import type { Resolver } from './intrinsics.ts';
import {
  eventBusPolicyProperties,
  eventBusProperties,
  keyAliasProperties,
  keyProperties,
  roleProperties,
  ruleProperties,
} from './resource-schemas.ts';

/** The services that are there in every account and Region. */
export interface AccountServices {
  readonly bus: Pick<EventBus, 'addRule' | 'removeRule' | 'buses'>;
  readonly iam: Pick<Iam, 'addRole' | 'removeRole'>;
  readonly keys: Pick<KeyStore, 'create' | 'createAlias' | 'deleteAlias' | 'find' | 'scheduleDeletion'>;
}

/** What the resources of a stack are made from. */
export interface StackParts {
  readonly resolver: Resolver;
  readonly stackName: string;
  readonly place: Home;
}

/** Takes away what was made. */
type Undo = () => void;

/** Types that `makeAccountResources` makes. */
export const ACCOUNT_TYPES = [
  'AWS::IAM::Role',
  'AWS::KMS::Key',
  'AWS::KMS::Alias',
  'AWS::Events::EventBus',
  'AWS::Events::EventBusPolicy',
  'AWS::Events::Rule',
] as const;
type AccountType = (typeof ACCOUNT_TYPES)[number];

/**
 * Makes the resources of these types that a template has, and answers how to take them away again.
 * @throws TemplateError for everything that the sandbox does not honour
 */
export function makeAccountResources(
  parts: StackParts,
  services: AccountServices,
  types: readonly AccountType[] = ACCOUNT_TYPES,
): Undo {
  const undo = types.flatMap((type) => [...MAKERS[type](parts, services)]);
  return () => {
    for (const each of undo.toReversed()) each();
  };
}

const MAKERS: Readonly<Record<AccountType, (parts: StackParts, services: AccountServices) => Iterable<Undo>>> = {
  'AWS::IAM::Role': (parts, { iam }) =>
    each(parts, 'AWS::IAM::Role', roleProperties, ({ id, properties, attributeOf }) => {
      const arn = attributeOf('Arn');
      const { stackName, place } = parts;
      const where = `${stackName} ${id}`;
      iam.addRole({
        arn,
        account: place.account,
        region: place.region,
        stack: stackName,
        logicalId: id,
        trust: parsePolicy('trust', properties.AssumeRolePolicyDocument, `${where} AssumeRolePolicyDocument`),
        policies: properties.Policies.map(({ PolicyName, PolicyDocument }) =>
          parsePolicy('identity', PolicyDocument, `${where} ${PolicyName}`),
        ),
        ...(properties.MaxSessionDuration === undefined ? {} : { maxSessionSeconds: properties.MaxSessionDuration }),
      });
      return () => iam.removeRole(arn);
    }),

  'AWS::KMS::Key': (parts, { keys }) =>
    each(parts, 'AWS::KMS::Key', keyProperties, ({ properties, attributeOf }) => {
      const key = keys.create({
        ...parts.place,
        keyId: attributeOf('KeyId'),
        ...(properties.Description === undefined ? {} : { description: properties.Description }),
        policy: JSON.stringify(properties.KeyPolicy),
      });
      return () => keys.scheduleDeletion(key, properties.PendingWindowInDays);
    }),

  'AWS::KMS::Alias': (parts, { keys }) =>
    each(parts, 'AWS::KMS::Alias', keyAliasProperties, ({ properties: { AliasName, TargetKeyId } }) => {
      const key = keys.find(parts.place, TargetKeyId);
      if (key === undefined) throw new Error(`there is no key ${TargetKeyId}`);
      if (keys.createAlias(AliasName, key) === undefined) throw new Error(`${AliasName} already exists`);
      return () => keys.deleteAlias(AliasName, parts.place);
    }),

  'AWS::Events::EventBus': (parts, { bus }) =>
    each(parts, 'AWS::Events::EventBus', eventBusProperties, ({ properties: { Policy, Description }, attributeOf }) => {
      const arn = attributeOf('Arn');
      bus.buses.add(arn, { description: Description, policy: Policy });
      return () => bus.buses.remove(arn);
    }),

  'AWS::Events::EventBusPolicy': (parts, { bus }) =>
    each(parts, 'AWS::Events::EventBusPolicy', eventBusPolicyProperties, ({ properties }) => {
      const arn = busArnOf(parts.place, properties.EventBusName);
      bus.buses.putStatement(arn, { ...properties.Statement, Sid: properties.StatementId });
      return () => bus.buses.removeStatement(arn, properties.StatementId);
    }),

  'AWS::Events::Rule': (parts, { bus }) =>
    each(parts, 'AWS::Events::Rule', ruleProperties, ({ properties, attributeOf }) => {
      const rule = ruleOfResource(properties, attributeOf('Arn'));
      bus.addRule(rule);
      return () => bus.removeRule(rule.arn);
    }),
};

function* each<S extends z.ZodType>(
  { resolver }: StackParts,
  type: AccountType,
  schema: S,
  make: (resource: CheckedResource<z.output<S>>) => Undo,
): Generator<Undo> {
  for (const resource of checkedResources(resolver, type, schema)) {
    try {
      const undo = make(resource);
      if (!isKept(resolver, resource.id)) yield undo;
    } catch (error) {
      throw failureOf(resource.id, type, error);
    }
  }
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html */
function isKept({ template }: Resolver, id: string): boolean {
  return template.Resources[id]?.DeletionPolicy?.startsWith('Retain') === true;
}
