import { COPIER_TAG, copiedToTag } from '../core/copier-tags.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import { type CopyRule, NO_SOURCE_ACCOUNTS, type SourceAccounts } from '../core/rules.ts';
import { actingName } from '../core/source-account.ts';
import { MOST_LISTED_ACCOUNTS } from '../core/source-key-accounts.ts';
import { sourceOwners } from '../core/source-owners.ts';
import { keyLookPermissions, keyPermissions } from './derive-key-permissions.ts';
import { ACCOUNT, PARTITION, type Permission, REGION, sub, type Text } from './permission.ts';

/** The functions, by their names in serverless.yml. */
export const FUNCTION_NAMES = [
  'onSnapshotEvent',
  'admitCopies',
  'prepareSource',
  'startCopy',
  'checkCopy',
  'tagCopy',
  'returnToQueue',
  'removeFailedCopy',
  'explainFailure',
  'onCopyEnded',
  'sweep',
  'healLostEvents',
  'requestCopy',
  'releaseSource',
  'lookAtSources',
] as const;

/** What else has a role: the state machines, the rule that starts one of them, and the schedules. */
const OTHER_OWNERS = ['copySnapshotMachine', 'admitCopiesMachine', 'copyEventsRule', 'schedules'] as const;

/** Everything that has a role. */
export const ROLE_OWNERS = [...FUNCTION_NAMES, ...OTHER_OWNERS] as const;

type FunctionName = (typeof FUNCTION_NAMES)[number];
export type RoleOwner = (typeof ROLE_OWNERS)[number];

/**
 * What a function, or the state machine, may do, and why.
 * Actions, resources and condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 *
 * @param install the value of the tag `snapshot-copier:managed` on copies of this install
 */
export function permissionsOf(
  owner: RoleOwner,
  rules: readonly CopyRule[],
  install: string,
  sourceAccounts: SourceAccounts = NO_SOURCE_ACCOUNTS,
): readonly Permission[] {
  switch (owner) {
    case 'copySnapshotMachine':
      return [
        ...machinePermissions(COPY_TASKS),
        trace(['xray:GetSamplingRules', 'xray:GetSamplingTargets']),
        publish('Send the alert of a failed copy'),
      ];
    case 'admitCopiesMachine':
      return machinePermissions(['AdmitCopies']);
    case 'copyEventsRule':
      return [wakeAdmission('Have admission look when a copy has ended', install)];
    case 'schedules':
      return [
        {
          sid: 'CallFunctions',
          reason: 'Call the functions that run by the clock',
          actions: ['lambda:InvokeFunction'],
          resources: clockFunctions(sourceAccounts).map((name) => ({ 'Fn::GetAtt': [`${name}LambdaFunction`, 'Arn'] })),
        },
      ];
    default:
      return [...ownPermissions(owner, rules, install, sourceAccounts), ...everyFunctionMay(owner)];
  }
}

/** Shares and intermediate copies are only left behind where there are source accounts. */
function clockFunctions({ accounts }: SourceAccounts): readonly string[] {
  return ['Sweep', 'HealLostEvents', ...(accounts.length > 0 ? ['ReleaseSource'] : [])];
}

function ownPermissions(
  owner: FunctionName,
  rules: readonly CopyRule[],
  install: string,
  sourceAccounts: SourceAccounts,
): readonly Permission[] {
  const regions = destinationRegions(rules);
  const actInSources = (reason: string) => takeCompanionRoles(sourceAccounts, install, reason);
  switch (owner) {
    case 'onSnapshotEvent':
      return [
        look('Sources', [{ Ref: 'AWS::Region' }], 'Read the facts of the snapshot that an event names'),
        ...actInSources('Read them as their owner does, with their tags, in source accounts'),
        changeLedger('Write a request per destination, once'),
        wakeAdmission('Have admission look at new requests', install),
        startCopies('Start the executions of dry runs, which take no slot'),
        publish('Tell of a snapshot that an event names but nobody can see'),
        KEEP_STUCK_EVENTS,
      ];
    case 'admitCopies':
      return [
        look('Copies', regions, 'Count the copies that are pending'),
        changeLedger('Write down which requests start'),
        readQueue('See which requests wait and which run'),
        startCopies('Start one execution per request'),
        lookAtExecutions('See whether one that has the name already is of an earlier request', install),
        wakeAdmission('Start the successor of an execution that has to end', install),
      ];
    case 'prepareSource':
      return [
        look(
          'Copies',
          [{ Ref: 'AWS::Region' }, ...regions],
          'Look for a copy that an earlier attempt made, which needs no source any more, and whether a share has effect',
        ),
        ...actInSources('Share a source, or have it copied there under a key that can be shared'),
      ];
    case 'startCopy':
      return [
        look(
          'Copies',
          [{ Ref: 'AWS::Region' }, ...regions],
          'Look for the copy before beginning one, as an answer may have been lost, and whether the source is still there',
        ),
        changeLedger('Note the id of the copy'),
        ...copyPermissions(rules, regions, install, sourceAccounts),
        ...keyPermissions(rules, sourceAccounts),
      ];
    case 'checkCopy':
      return [look('Copies', regions, 'See how far the copy is')];
    case 'tagCopy':
      return [
        tagOwnCopies(regions, install, 'Mark a complete copy as copied'),
        TAG_SOURCES,
        ...actInSources('Write the id of the copy on its source, in source accounts'),
      ];
    case 'removeFailedCopy':
      return [
        look('Copies', regions, 'Look what a failed copy left behind'),
        tagOwnCopies(regions, install, 'Mark a copy that was given up as failed'),
        {
          sid: 'RemoveOwnCopies',
          reason: 'Remove what a failed copy left behind; only snapshots with the tag of this install',
          actions: ['ec2:DeleteSnapshot'],
          resources: regions.map((region) => snapshots(region)),
          conditions: ofInstall(install),
        },
      ];
    case 'returnToQueue':
      return [changeLedger('Have a request wait again'), readQueue('Count the copies that are known')];
    case 'explainFailure':
      return [
        ...keyLookPermissions(rules, sourceAccounts),
        ...actInSources('See what their keys lack, when EC2 could not use one'),
      ];
    case 'onCopyEnded':
      return [
        changeLedger('Write down how a copy ended'),
        wakeAdmission('Let the next requests start', install),
        publish('Tell of executions that could not tell it themselves'),
        KEEP_STUCK_EVENTS,
      ];
    case 'sweep':
      return [
        changeLedger('Write down how a copy ended of which no event told'),
        readQueue('See which requests wait and which run'),
        lookAtExecutions('See whether the execution of a request still runs', install),
        startCopies('Start an execution that is missing'),
        wakeAdmission('Have admission look if requests wait', install),
        publish('Tell of executions that could not tell it themselves'),
      ];
    case 'healLostEvents':
      return [
        look('Sources', [{ Ref: 'AWS::Region' }], 'List the snapshots of the last hours'),
        ...actInSources('List those of source accounts'),
        changeLedger('Write the requests that are missing, once'),
        wakeAdmission('Have admission look at new requests', install),
      ];
    case 'releaseSource':
      return [
        lookAtExecutions('See whether the execution that needed a share still runs', install),
        ...actInSources('Take back shares, and remove intermediate copies'),
        KEEP_STUCK_EVENTS,
      ];
    case 'lookAtSources':
      return actInSources("Let people's commands see source accounts, and try what the role may do there");
    case 'requestCopy':
      return [
        look('Copies', regions, 'See whether the copy that was made is still there'),
        changeLedger('Write the request, or have one wait again that failed or whose copy is gone'),
        wakeAdmission('Have admission look at it', install),
      ];
    default:
      return owner satisfies never;
  }
}

/**
 * CopySnapshot is allowed or denied twice: for the source, and for the copy, which does not exist yet and whose name
 * is the literal `*`. A source's tags cannot be a condition; its owner can.
 * https://docs.aws.amazon.com/ebs/latest/userguide/security_iam_id-based-policy-examples.html
 */
function copyPermissions(
  rules: readonly CopyRule[],
  regions: readonly string[],
  install: string,
  { accounts }: SourceAccounts,
): readonly Permission[] {
  const { own, shared, withCompanion } = sourceOwners(rules, accounts);
  const listed = new Set([...(own === 'always' ? [] : own), ...(shared === 'any' ? [] : shared), ...withCompanion]);
  const owners: readonly Text[] = [...(own === 'always' ? [{ Ref: 'AWS::AccountId' }] : []), ...listed];
  return [
    {
      sid: 'CopyFromHere',
      reason: `Copy from this Region, ${shared === 'any' ? 'whoever owns the snapshot' : 'only from the owners that the rules select'}`,
      actions: ['ec2:CopySnapshot'],
      resources: [snapshots(REGION, 'snap-*')],
      ...(shared !== 'any' && { conditions: { StringEquals: { 'ec2:Owner': owners } } }),
    },
    {
      sid: 'CopyToDestinations',
      reason: 'Copy to the destinations of the rules, only with the tag of this install on the copy',
      actions: ['ec2:CopySnapshot'],
      // Literally `snapshot/${*}`, which IAM reads as an asterisk and not as a wildcard. Fn::Sub would take it for a name.
      resources: regions.map((region) => ({
        'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:ec2:${region}:*:snapshot/\${*}`]],
      })),
      conditions: { StringEquals: { [`aws:RequestTag/${COPIER_TAG.managed}`]: install } },
    },
    {
      sid: 'TagNewCopies',
      reason: 'Tag a copy as it is made, so that it can be found again',
      actions: ['ec2:CreateTags'],
      resources: regions.map((region) => snapshots(region)),
      conditions: { StringEquals: { 'ec2:CreateAction': 'CopySnapshot' } },
    },
  ];
}

/** Nothing if there are no source accounts. The role is that of companions/source-account.yml, which trusts this install. */
function takeCompanionRoles({ accounts }: SourceAccounts, install: string, reason: string): readonly Permission[] {
  if (accounts.length === 0) return [];
  const name = actingName({ name: install, account: ACCOUNT });
  const roleIn = (account: string) => sub(`arn:${PARTITION}:iam::${account}:role/snapshot-copier/${name}`);
  const which =
    accounts.length > MOST_LISTED_ACCOUNTS
      ? { resources: [roleIn('*')], conditions: { StringEquals: { 'aws:ResourceAccount': accounts } } }
      : { resources: accounts.map(roleIn) };
  return [{ sid: 'TakeCompanionRoles', reason, actions: ['sts:AssumeRole'], ...which }];
}

const COPY_TASKS = [
  'PrepareSource',
  'StartCopy',
  'CheckCopy',
  'TagCopy',
  'ReturnToQueue',
  'RemoveFailedCopy',
  'ExplainFailure',
];

/** A state machine names versions of functions only. An execution may outlive a deployment, and calls those it began with. */
function machinePermissions(tasks: readonly string[]): readonly Permission[] {
  return [
    {
      sid: 'CallTasks',
      reason: 'Call the functions of the Task states, in every version',
      actions: ['lambda:InvokeFunction'],
      resources: tasks.map((task) => sub(`\${${task}LambdaFunction.Arn}:*`)),
    },
    {
      sid: 'DeliverLogs',
      reason: 'Write the log of the state machine; log delivery knows no resources',
      actions: [
        'logs:CreateLogDelivery',
        'logs:GetLogDelivery',
        'logs:UpdateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:DescribeResourcePolicies',
        'logs:DescribeLogGroups',
      ],
      resources: ['*'],
    },
  ];
}

function everyFunctionMay(owner: FunctionName): readonly Permission[] {
  return [
    {
      sid: 'WriteLog',
      reason: 'Write its own log',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [{ 'Fn::GetAtt': [`${capitalised(owner)}LogGroup`, 'Arn'] }],
    },
    trace(),
  ];
}

function trace(more: readonly string[] = []): Permission {
  return {
    sid: 'Trace',
    reason: 'Send traces; X-Ray knows no resources',
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', ...more],
    resources: ['*'],
  };
}

function look(what: string, regions: readonly Text[], reason: string): Permission {
  return {
    sid: `LookAt${what}`,
    reason: `${reason}; this action knows no resources, only Regions`,
    actions: ['ec2:DescribeSnapshots'],
    resources: ['*'],
    conditions: { StringEquals: { 'ec2:Region': regions } },
  };
}

function changeLedger(reason: string): Permission {
  return {
    sid: 'ChangeLedger',
    reason,
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
    resources: [LEDGER_ARN],
  };
}

function readQueue(reason: string): Permission {
  return {
    sid: 'ReadQueue',
    reason,
    actions: ['dynamodb:Query'],
    resources: [sub(`\${LedgerTable.Arn}/index/queue`)],
  };
}

const LEDGER_ARN: Text = { 'Fn::GetAtt': ['LedgerTable', 'Arn'] };

function startCopies(reason: string): Permission {
  return {
    sid: 'StartCopies',
    reason,
    actions: ['states:StartExecution'],
    resources: [{ Ref: 'CopySnapshotMachine' }],
  };
}

function lookAtExecutions(reason: string, install: string): Permission {
  return {
    sid: 'LookAtExecutions',
    reason,
    actions: ['states:DescribeExecution'],
    resources: [sub(`arn:${PARTITION}:states:${REGION}:${ACCOUNT}:execution:${install}:*`)],
  };
}

/** By name: the function admitCopies wakes the machine that calls it, and CloudFormation allows no circle. */
function wakeAdmission(reason: string, install: string): Permission {
  return {
    sid: 'WakeAdmission',
    reason,
    actions: ['states:StartExecution'],
    resources: [sub(`arn:${PARTITION}:states:${REGION}:${ACCOUNT}:stateMachine:${install}-admission`)],
  };
}

function publish(reason: string): Permission {
  return { sid: 'TellDeadLetterTopic', reason, actions: ['sns:Publish'], resources: [{ Ref: 'DeadLetterTopic' }] };
}

const KEEP_STUCK_EVENTS: Permission = {
  sid: 'KeepStuckEvents',
  reason: 'Put an event that could not be processed into its on-failure queue',
  actions: ['sqs:SendMessage'],
  resources: [{ 'Fn::GetAtt': ['StuckEventsQueue', 'Arn'] }],
};

function tagOwnCopies(regions: readonly string[], install: string, reason: string): Permission {
  return {
    sid: 'TagOwnCopies',
    reason: `${reason}; only the tag ${COPIER_TAG.state}, only on snapshots with the tag of this install`,
    actions: ['ec2:CreateTags'],
    resources: regions.map((region) => snapshots(region)),
    conditions: { ...ofInstall(install), ...onlyTags('StringEquals', COPIER_TAG.state) },
  };
}

const TAG_SOURCES: Permission = {
  sid: 'TagSources',
  reason: 'Write the id of the copy on its source; only tags of that name',
  actions: ['ec2:CreateTags'],
  resources: [snapshots(REGION, 'snap-*')],
  conditions: onlyTags('StringLike', copiedToTag('*')),
};

function ofInstall(install: string) {
  return { StringEquals: { [`aws:ResourceTag/${COPIER_TAG.managed}`]: install } };
}

/** `ForAllValues` holds where there are no keys at all, hence the second condition. */
function onlyTags(operator: 'StringEquals' | 'StringLike', key: string) {
  return { [`ForAllValues:${operator}`]: { 'aws:TagKeys': key }, Null: { 'aws:TagKeys': 'false' } };
}

/** The account is left open: EC2 writes the ARN of a snapshot with and without one. */
function snapshots(region: string, id = '*'): Text {
  return sub(`arn:${PARTITION}:ec2:${region}:*:snapshot/${id}`);
}

/** As osls makes logical ids: https://github.com/oss-serverless/serverless, `startCopy` is `StartCopyLambdaFunction`. */
export function capitalised(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
