import { destinationId } from '../core/destination.ts';
import type { CopyRule, Criteria } from '../core/rules.ts';
import type { CompanionStack } from './companions.ts';
import type { KeysOfRules } from './keys-of-rules.ts';
import type { Sandbox } from './sandbox.ts';

/** What is printed when the sandbox is ready: how to use it, with commands that can be copied as they are. */
export function introduction(
  sandbox: Pick<Sandbox, 'endpoint' | 'home' | 'physicalIds'>,
  {
    speed,
    rules,
    keys,
    companions,
  }: {
    readonly speed: number;
    readonly rules: readonly CopyRule[];
    readonly keys: KeysOfRules;
    readonly companions: readonly CompanionStack[];
  },
): string {
  const { endpoint, home } = sandbox;
  const topicArn = sandbox.physicalIds.get('DeadLetterTopic') ?? '';
  const destination = rules.flatMap((rule) => rule.destinations)[0];
  const elsewhere = destination === undefined ? home.region : destination.region;
  // The command line of version 1 has an endpoint of its own for SQS, and lets nothing but this option change it.
  const sqs = 'aws sqs --endpoint-url "$AWS_ENDPOINT_URL"';
  return `
ready: ${endpoint}, ${speed} times faster than real time. Ctrl-C ends it.
The service is deployed in account ${home.account}, ${home.region}.
${companions.map(({ account, region, template, stackName }) => `  account ${account} has ${template} in ${region}, stack ${stackName}`).join('\n')}
${rules.map((rule) => `  rule ${rule.name}: ${rule.destinations.map(destinationId).join(', ')}`).join('\n')}
${[...keys.made.map((key) => `  made the key ${key}`), ...keys.missing.map((key) => `  no such key: ${key}`)].join('\n')}
In another terminal:

  export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=${home.region}
  export AWS_ACCESS_KEY_ID=${home.account} AWS_SECRET_ACCESS_KEY=none   # another key id of 12 digits = another account

  # alerts: a queue that is subscribed to the dead-letter topic
  ${sqs} create-queue --queue-name alerts
  aws sns subscribe --protocol sqs --topic-arn ${topicArn} \\
    --notification-endpoint arn:aws:sqs:${home.region}:${home.account}:alerts --attributes RawMessageDelivery=true

${exampleSnapshot(rules[0]?.select, home, companions)}

  # what runs, what waits and why, what failed (in this repository)
  npx snapshot-copier status --watch

  # what became of it
  npx snapshot-copier audit
  aws ec2 describe-snapshots --owner-ids self --region ${elsewhere}
  ${sqs} receive-message --queue-url ${endpoint}/${home.account}/alerts --query 'Messages[0].Body' --output text

  # make the next copy fail
  curl -d '{"kind":"copy-error","stateMessage":"Given key ID is not accessible"}' ${endpoint}/_sandbox/faults

  # start again what failed
  npx snapshot-copier retry --all-failed

  # faults, logs, calls of EC2 and more
  curl ${endpoint}/_sandbox
`.replaceAll(/\n{3,}/g, '\n\n');
}

/** How to make a snapshot that the rule selects, in the account whose snapshots it selects. */
function exampleSnapshot(
  select: Criteria | undefined,
  home: Sandbox['home'],
  companions: readonly CompanionStack[],
): string {
  const owners = select?.owners ?? ['self'];
  const owner = owners.includes('self') || owners.includes(home.account) ? undefined : owners[0];
  const as = owner === undefined ? '' : `AWS_ACCESS_KEY_ID=${owner} `;
  const isShared = owner !== undefined && !companions.some(({ account }) => account === owner);
  const create = `${as}aws ec2 create-snapshot --volume-id "$volume"${tagsFor(select)}${descriptionFor(select?.description)}`;
  const described = select?.description === undefined ? '' : `, with a description that matches ${select.description}`;
  return [
    `  # a snapshot${owner === undefined ? '' : ` of account ${owner}`}${described}; it is copied with no further step`,
    `  volume=$(${as}aws ec2 create-volume --availability-zone ${home.region}a --size 20 --query VolumeId --output text)`,
    ...(isShared
      ? [
          `  snapshot=$(${create} --query SnapshotId --output text)`,
          `  ${as}aws ec2 modify-snapshot-attribute --snapshot-id "$snapshot" --attribute createVolumePermission \\`,
          `    --operation-type add --user-ids ${home.account}`,
        ]
      : [`  ${create}`]),
  ].join('\n');
}

/** The option for a description, if the expression is as plain as most. */
function descriptionFor(description: string | undefined): string {
  const plain = /^\^?([\w ,:/-]+)\$?$/.exec(description ?? '')?.[1];
  return description === undefined ? '' : ` \\\n    --description '${plain ?? '…'}'`;
}

/** The option that tags a snapshot so that it is selected. */
function tagsFor(select: Criteria | undefined): string {
  const tags = Object.entries(select?.tags ?? {}).map(([key, value]) => {
    return `{Key=${key},Value=${value === true ? 'yes' : (value[0] ?? '')}}`;
  });
  return tags.length === 0 ? '' : ` \\\n    --tag-specifications 'ResourceType=snapshot,Tags=[${tags.join(',')}]'`;
}
