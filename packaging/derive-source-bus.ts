import type { SourceAccounts } from '../core/rules.ts';
import { PARTITION, sub } from './permission.ts';
import { plainError } from './plain-error.ts';

/**
 * Of principals, in the policy of a bus. That takes 10 KB:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-events-eventbuspolicy.html
 */
const LONGEST_LIST = 9_800;

/** What the companion's parameter EventBus takes: names of roles, keys and tags there are made of it, and have to fit. */
const NAME_OF_BUS = /^[A-Za-z][A-Za-z0-9-]{0,39}$/;

/** The name of the rule on the bus. */
export function sourceEventsRuleName(install: string): string {
  return `${install}-source-accounts`;
}

/**
 * What takes in the events that companions/source-account.yml sends: a bus that is named like the install, and what hands
 * everything on it to onSnapshotEvent. Nothing if the rules name no source accounts.
 *
 * @throws Error if the accounts do not fit into the policy of a bus, or companions do not take the install's name
 */
export function sourceBus({ accounts, organization }: SourceAccounts, install: string) {
  if (accounts.length === 0) return {};
  if (!NAME_OF_BUS.test(install)) {
    throw plainError(
      `The install is named ${install}, which has ${install.length} characters. With sourceAccounts its name, <service>-<stage>, ` +
        'begins with a letter and has at most 40 letters, digits and hyphens: companions/source-account.yml takes no other.',
    );
  }
  const principalsIn = (partition: string) => accounts.map((account) => `arn:${partition}:iam::${account}:root`);
  const who =
    organization === undefined
      ? { Principal: { AWS: principalsIn(PARTITION).map(sub) } }
      : { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': organization } } };
  if (organization === undefined && JSON.stringify(principalsIn('aws-us-gov')).length > LONGEST_LIST) {
    throw plainError(
      `${accounts.length} source accounts do not fit into the policy of an event bus, which takes 10,240 characters. ` +
        'Say sourceAccounts.organization, or have two installs with a rules file each.',
    );
  }
  return {
    SourceAccountsBus: {
      Type: 'AWS::Events::EventBus',
      // The companions name it. Each account, Region and stage has one.
      Properties: { Name: install, Description: `New EBS snapshots of source accounts, for ${install}` },
    },
    SourceAccountsBusPolicy: {
      Type: 'AWS::Events::EventBusPolicy',
      Properties: {
        EventBusName: { Ref: 'SourceAccountsBus' },
        StatementId: 'SourceAccounts',
        Statement: {
          Effect: 'Allow',
          ...who,
          Action: 'events:PutEvents',
          Resource: { 'Fn::GetAtt': ['SourceAccountsBus', 'Arn'] },
        },
      },
    },
    SourceEventsRule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: sourceEventsRuleName(install),
        Description:
          'Whatever source accounts tell, expected or not: the function judges it, and counts what it refuses',
        EventBusName: { Ref: 'SourceAccountsBus' },
        // Every event has a source: this matches all.
        EventPattern: { source: [{ prefix: '' }] },
        State: 'ENABLED',
        Targets: [
          {
            Id: 'onSnapshotEvent',
            Arn: { 'Fn::GetAtt': ['OnSnapshotEventLambdaFunction', 'Arn'] },
            RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
            DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] } },
          },
        ],
      },
    },
    SourceEventsPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: { 'Fn::GetAtt': ['OnSnapshotEventLambdaFunction', 'Arn'] },
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: { 'Fn::GetAtt': ['SourceEventsRule', 'Arn'] },
      },
    },
  };
}

/** Outputs of the stack: what the companions have to be told. Nothing if the rules name no source accounts. */
export function sourceBusOutputs({ accounts }: SourceAccounts) {
  return accounts.length === 0
    ? {}
    : {
        SourceEventBusName: {
          Description: 'The parameter EventBus of companions/source-account.yml',
          Value: { Ref: 'SourceAccountsBus' },
        },
      };
}

/** What the functions say when they take the role of a companion: its parameter ExternalId. */
export function sourceExternalId({ externalId }: SourceAccounts, install: string): string {
  return externalId ?? install;
}
