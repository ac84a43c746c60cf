import { Command, Option } from 'commander';

const VALUE = '<value>';

/**
 * The options, for the help alone: they are read as the AWS command line reads its own, with its abbreviations and
 * mistakes, which commander cannot do.
 */
export function helpOnOptions(): string {
  const ofEc2 = [
    new Option(`--source-region ${VALUE}`, 'Region of the snapshot'),
    new Option(`--source-snapshot-id ${VALUE}`, 'the snapshot to copy'),
    new Option(`--region ${VALUE}`, 'Region of the copy; else AWS_REGION, AWS_DEFAULT_REGION or that of the profile'),
    new Option(`--description ${VALUE}`, 'of the copy'),
    new Option('--encrypted', 'encrypt the copy of a plain snapshot; --no-encrypted says nothing'),
    new Option(`--kms-key-id ${VALUE}`, 'key of the copy: id, alias, key ARN or alias ARN; needs --encrypted'),
    new Option(
      `--tag-specifications ${VALUE}`,
      'ResourceType=snapshot,Tags=[{Key=k,Value=v}], or the same as JSON; file://tags.json for a file',
    ),
    new Option(`--completion-duration-minutes ${VALUE}`, 'time-based copy: done within this time; costs extra'),
    new Option(`--destination-outpost-arn ${VALUE}`, 'to an Outpost of --region'),
    new Option(`--destination-availability-zone ${VALUE}`, 'to a Local Zone of --region'),
    new Option(`--destination-region ${VALUE}`, 'goes with --presigned-url; the copy goes to --region'),
    new Option(`--presigned-url ${VALUE}`, 'made for you if you give none'),
    new Option('--dry-run', 'ask EC2 whether you may copy, and copy nothing'),
    new Option(`--cli-input-json ${VALUE}`, 'all of the above as JSON; an option that is given as well wins'),
    new Option('--generate-cli-skeleton [input|output]', 'print what --cli-input-json takes, or what is answered'),
  ];
  const ofAwsCli = [
    new Option('--output <json|text>', 'how the answer is printed'),
    new Option(`--query ${VALUE}`, 'a JMESPath query into the answer'),
    new Option(`--profile ${VALUE}`, 'profile of your AWS credentials'),
    new Option(`--endpoint-url ${VALUE}`, 'of EC2 in --region'),
    new Option(`--ca-bundle ${VALUE}`, 'whom to trust'),
    new Option('--no-verify-ssl', 'trust everybody'),
    new Option(`--cli-connect-timeout ${VALUE}`, 'seconds, for the call of EC2'),
    new Option(`--cli-read-timeout ${VALUE}`, 'seconds, for the call of EC2'),
  ];
  const own = [
    new Option('--wait', 'follow the copy to its end'),
    new Option('--direct', 'only call EC2: no queue, no second attempt, no alert'),
    new Option(
      '--stack <name>',
      'CloudFormation stack of the service, if there are several (env: SNAPSHOT_COPIER_STACK)',
    ),
    new Option('--stack-region <region>', 'where the service is (default: --source-region)'),
    new Option('--json', 'the same as --output json'),
    new Option('--help', 'this text'),
  ];
  const described = new Command('snapshot-copier copy-snapshot')
    .usage('--source-region <value> --source-snapshot-id <value> [options]')
    .description(
      'Copies one snapshot: `aws ec2 copy-snapshot` with the same options, answers and errors. The copy goes through the service: it waits for a free copy slot, is tried again, followed to its end and tagged, and an alert is sent if it fails. The id of the copy is printed as soon as EC2 has begun it. A snapshot that has its copy there is not copied again.',
    )
    .helpOption(false);
  for (const [group, options] of [
    ['As in aws ec2 copy-snapshot:', ofEc2],
    ['As in all commands of the AWS command line:', ofAwsCli],
    ['Of this command:', own],
  ] as const) {
    for (const option of options) described.addOption(option.helpGroup(group));
  }
  return described.helpInformation();
}
