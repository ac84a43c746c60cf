import { CreateSnapshotCommand, CreateVolumeCommand, EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { awsCli, awsCliInstalled } from '../support/aws-cli.ts';
import { packagedService } from '../support/packaged.ts';
import { fixtureSandbox } from './fixture-package.ts';

describe.skipIf(!awsCliInstalled())('the aws command line', { timeout: 120_000 }, () => {
  it('asks about an install, at a time that is not that of this machine', async ({ onTestFinished }) => {
    const { dir } = await packagedService();
    const sandbox = await startSandbox({
      packageDir: dir,
      time: { mode: 'jumping' },
      start: new Date('2031-02-03T04:05:06Z'),
      parameters: { AlertEmail: 'ops@example.com' },
      slots: 7,
    });
    onTestFinished(() => sandbox.stop());
    const run = awsCli('000000000000', sandbox.endpoint);
    const aws = (command: string) => run(`${command} --region eu-west-1`);

    const stack = 'ebs-snapshot-copier-test';
    const described = await aws(`cloudformation describe-stacks --stack-name ${stack}`);
    expect(described).toMatchObject({
      Stacks: [
        {
          StackName: stack,
          StackStatus: 'CREATE_COMPLETE',
          CreationTime: expect.stringContaining('2031-02-03T04:05:06'),
          Tags: [{ Key: 'STAGE', Value: 'test' }],
          Parameters: expect.arrayContaining([{ ParameterKey: 'AlertEmail', ParameterValue: 'ops@example.com' }]),
          Outputs: expect.arrayContaining([
            expect.objectContaining({
              OutputKey: 'CopySnapshotMachineArn',
              OutputValue: sandbox.physicalIds.get('CopySnapshotMachine'),
            }),
          ]),
        },
      ],
    });
    const template = await aws(
      `cloudformation get-template --stack-name ${stack} --query TemplateBody.Resources.LedgerTable.Type`,
    );
    expect(template).toBe('AWS::DynamoDB::Table');
    const count = 'length(StackResourceSummaries)';
    expect(await aws(`cloudformation list-stack-resources --stack-name ${stack} --query ${count}`)).toBeGreaterThan(
      100,
    );

    const rules = await aws(`events list-rules --name-prefix ${stack} --query Rules[].State`);
    expect(rules).toEqual(expect.arrayContaining(['ENABLED']));
    const topic = sandbox.physicalIds.get('DeadLetterTopic');
    expect(await aws(`sns list-subscriptions-by-topic --topic-arn ${topic}`)).toMatchObject({
      Subscriptions: [{ Endpoint: 'ops@example.com', SubscriptionArn: 'PendingConfirmation' }],
    });
    expect(await aws('service-quotas list-service-quotas --service-code ebs --query Quotas[].Value')).toEqual([7]);
    expect(await aws(`lambda get-function-configuration --function-name ${stack}-startCopy`)).toMatchObject({
      State: 'Active',
      Role: expect.stringContaining('arn:aws:iam::000000000000:role/'),
    });
    expect(
      await aws('ec2 describe-regions --all-regions --query Regions[?RegionName==`me-south-1`].OptInStatus'),
    ).toEqual(['not-opted-in']);
  });

  it('leaves a record of what it asked EC2 for, without what signs it', async () => {
    const sandbox = await fixtureSandbox({ resources: {} });
    const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
    const ec2 = new EC2Client({ endpoint: sandbox.endpoint, region: 'eu-west-1', maxAttempts: 1, credentials });
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8 }));
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    await sandbox.advance(20_000);
    await awsCli(
      '000000000000',
      sandbox.endpoint,
    )(
      `ec2 copy-snapshot --region eu-central-1 --source-region eu-west-1 --source-snapshot-id ${SnapshotId} --encrypted ` +
        '--tag-specifications ResourceType=snapshot,Tags=[{Key=a,Value=b},{Key=c,Value=d}]',
    );
    const answer = await fetch(`${sandbox.endpoint}/_sandbox/calls?action=CopySnapshot`);
    const [{ params }] = JSON.parse(await answer.text());
    const { PresignedUrl, ...rest } = params;
    const asked = {
      Action: 'CopySnapshot',
      Version: '2016-11-15',
      DestinationRegion: 'eu-central-1',
      Encrypted: 'true',
      SourceRegion: 'eu-west-1',
      SourceSnapshotId: SnapshotId,
      'TagSpecification.1.ResourceType': 'snapshot',
      'TagSpecification.1.Tag.1.Key': 'a',
      'TagSpecification.1.Tag.1.Value': 'b',
      'TagSpecification.1.Tag.2.Key': 'c',
      'TagSpecification.1.Tag.2.Value': 'd',
    };
    expect(rest).toEqual(asked);
    expect(Object.fromEntries(new URL(PresignedUrl).searchParams)).toEqual(asked);
  });
});
