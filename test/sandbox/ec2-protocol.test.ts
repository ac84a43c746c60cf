import { CopySnapshotCommand, CreateVolumeCommand, DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AwsCli, asText, awsCli, awsCliInstalled } from '../support/aws-cli.ts';
import { serveAws } from '../support/aws-http.ts';
import { Ec2Sandbox, SOURCE, TARGET } from '../support/ec2-sandbox.ts';

const FROM = 'eu-west-1';
const TO = 'eu-central-1';

let sandbox: Ec2Sandbox;
let server: Awaited<ReturnType<typeof serveAws>>;
beforeEach(async () => {
  sandbox = new Ec2Sandbox();
  server = await serveAws((call) => handle(call.account, call.region, new URLSearchParams(call.body)));
});
afterEach(() => server.close());

function handle(account: string, region: string, params: URLSearchParams) {
  const answer = sandbox.service.handle({ account, region, params });
  if ('hang' in answer) throw new Error('no test here asks for a call without an end');
  return answer;
}

/** One call in the bare protocol. */
function query(parameters: Record<string, string>, region = FROM) {
  const params = new URLSearchParams({ Version: '2016-11-15', ...parameters });
  const answer = handle(SOURCE, region, params);
  if ('drop' in answer) throw new Error('no answer');
  return answer;
}

describe('the Query protocol', () => {
  it('answers in the XML of EC2', () => {
    const answer = query({ Action: 'GetEbsEncryptionByDefault' });
    expect(answer.headers['Content-Type']).toBe('text/xml;charset=UTF-8');
    expect(answer.body).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?><GetEbsEncryptionByDefaultResponse xmlns="http:\/\/ec2.amazonaws.com\/doc\/2016-11-15\/"><requestId>[0-9a-f-]{36}<\/requestId><ebsEncryptionByDefault>false<\/ebsEncryptionByDefault><\/GetEbsEncryptionByDefaultResponse>$/,
    );
  });

  it('says an error in the XML of EC2', () => {
    const answer = query({ Action: 'DescribeSnapshots', 'SnapshotId.1': 'snap-0123456789abcdef0' });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(
      /<Response><Errors><Error><Code>InvalidSnapshot.NotFound<\/Code><Message>The snapshot &apos;snap-0123456789abcdef0&apos; does not exist.<\/Message><\/Error><\/Errors><RequestID>[0-9a-f-]{36}<\/RequestID><\/Response>$/,
    );
  });

  it.each([
    [{ Action: 'RunInstances' }, 'InvalidAction', 'The action RunInstances is not valid for this web service.'],
    [{}, 'InvalidAction', 'The action  is not valid for this web service.'],
    [{ Action: 'DeleteSnapshot' }, 'MissingParameter', 'The request must contain the parameter SnapshotId'],
    [
      { Action: 'DescribeSnapshots', 'Filter.1.Nmae': 'status' },
      'UnknownParameter',
      'The parameter Filter.1.Nmae is not recognized',
    ],
    [{ Action: 'DescribeSnapshots', Owners: 'self' }, 'UnknownParameter', 'The parameter Owners is not recognized'],
    [
      { Action: 'DescribeSnapshots', 'Filter.1.Value.1': 'completed' },
      'MissingParameter',
      'The request must contain the parameter Filter.1.Name',
    ],
    [
      { Action: 'DescribeSnapshots', MaxResults: 'many' },
      'InvalidParameterValue',
      'Value (many) for parameter MaxResults is invalid.',
    ],
    [
      { Action: 'CopySnapshot', SourceRegion: FROM, SourceSnapshotId: 'snap-0123456789abcdef0', Encrypted: 'yes' },
      'InvalidParameterValue',
      'Value (yes) for parameter Encrypted is invalid.',
    ],
    [
      { Action: 'DescribeSnapshots', SnapshotId: 'snap-1', 'SnapshotId.1': 'snap-2' },
      'MalformedQueryString',
      'The query string has a value and members for SnapshotId.1',
    ],
    [
      { Action: 'DeleteSnapshot', SnapshotId: 'snap-0123456789abcdef0', '__proto__.x': '1' },
      'UnknownParameter',
      'The parameter __proto__ is not recognized',
    ],
  ])('%j is %s', (parameters, code, message) => {
    const { status, body } = query(parameters);
    expect(status).toBe(400);
    expect(body).toContain(`<Code>${code}</Code><Message>${message}</Message>`);
    expect(sandbox.service.calls.at(-1)).toMatchObject({ outcome: 'refused', errorCode: code });
  });

  it('reads lists in the order of their numbers, ten after nine', () => {
    const tags = Array.from({ length: 11 }, (_, i) => [`TagSpecification.1.Tag.${11 - i}.Key`, `k${11 - i}`]);
    query({
      Action: 'CopySnapshot',
      SourceRegion: FROM,
      SourceSnapshotId: 'snap-0123456789abcdef0',
      'TagSpecification.1.ResourceType': 'snapshot',
      ...Object.fromEntries(tags),
    });
    const keys = Object.keys(sandbox.service.snapshots()[0]?.tags ?? {});
    expect(keys).toEqual(['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9', 'k10', 'k11']);
  });
});

describe('the SDK over HTTP', () => {
  const client = (account: string, region: string) =>
    new EC2Client({
      endpoint: server.url,
      region,
      credentials: { accessKeyId: account, secretAccessKey: 'secret' },
      maxAttempts: 1,
    });

  it('copies between Regions, and text comes back as it went', async () => {
    const source = await sandbox.snapshot(FROM);
    const Description = ' <b>"R&D"</b> naïve – 日本 ';
    const copy = await client(SOURCE, TO).send(
      new CopySnapshotCommand({
        SourceRegion: FROM,
        SourceSnapshotId: source,
        Description,
        TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'a & b', Value: '<c>' }] }],
      }),
    );
    expect(copy.Tags).toEqual([{ Key: 'a & b', Value: '<c>' }]);
    const seen = await client(SOURCE, TO).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
    expect(seen.Snapshots).toMatchObject([{ SnapshotId: copy.SnapshotId, Description, Tags: copy.Tags }]);
    expect(
      (await client(SOURCE, FROM).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots,
    ).toMatchObject([{ SnapshotId: source }]);
    expect((await client(TARGET, TO).send(new DescribeSnapshotsCommand({}))).Snapshots).toEqual([]);
  });

  it('sees an error with its code, and a lost answer as a broken connection', async () => {
    await expect(client(SOURCE, TO).send(new DescribeSnapshotsCommand({ MaxResults: 1 }))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    sandbox.service.faults.add({ kind: 'lost-answer' });
    const volume = new CreateVolumeCommand({ AvailabilityZone: 'eu-central-1a', Size: 1 });
    await expect(client(SOURCE, TO).send(volume)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.service.calls.at(-1)?.outcome).toBe('answer-lost');
  });
});

describe.skipIf(!awsCliInstalled())('the aws command line', () => {
  let owner: AwsCli;
  let receiver: AwsCli;
  beforeEach(() => {
    owner = awsCli(SOURCE, server.url);
    receiver = awsCli(TARGET, server.url);
  });

  it('makes a volume, a snapshot, a share and a copy, and finds the copy by its tag', { timeout: 60_000 }, async () => {
    await owner('ec2 create-volume --region eu-west-1 --availability-zone eu-west-1a --size 8 --volume-type gp3');
    const volumeId = await asText(owner('ec2 describe-volumes --region eu-west-1 --query Volumes[0].VolumeId'));
    const snapshotId = await asText(
      owner(`ec2 create-snapshot --region eu-west-1 --volume-id ${volumeId} --description nightly --query SnapshotId`),
    );
    sandbox.seconds(20);
    await owner(
      `ec2 modify-snapshot-attribute --region eu-west-1 --snapshot-id ${snapshotId} --attribute createVolumePermission --operation-type add --user-ids ${TARGET}`,
    );
    const copy = `ec2 copy-snapshot --region eu-central-1 --source-region eu-west-1 --source-snapshot-id ${snapshotId}`;
    await expect(receiver(`${copy} --dry-run`)).rejects.toThrow('DryRunOperation');
    const copyId = await asText(
      receiver(
        `${copy} --encrypted --description DR --query SnapshotId --tag-specifications ResourceType=snapshot,Tags=[{Key=source,Value=${snapshotId}}]`,
      ),
    );
    sandbox.seconds(3600);
    const found = await receiver(
      `ec2 describe-snapshots --region eu-central-1 --owner-ids self --filters Name=tag:source,Values=${snapshotId} Name=status,Values=completed`,
    );
    expect(found).toEqual({
      Snapshots: [
        {
          SnapshotId: copyId,
          VolumeId: 'vol-ffffffff',
          State: 'completed',
          StartTime: '2026-03-02T04:00:20.000Z',
          Progress: '100%',
          OwnerId: TARGET,
          VolumeSize: 8,
          Description: 'DR',
          Encrypted: true,
          KmsKeyId: expect.stringMatching(/^arn:aws:kms:eu-central-1:444455556666:key\//),
          StorageTier: 'standard',
          TransferType: 'standard',
          CompletionTime: expect.stringMatching(/^2026-03-02T04:02:4/),
          FullSnapshotSizeInBytes: 8589934592,
          Tags: [{ Key: 'source', Value: snapshotId }],
        },
      ],
    });
    await expect(owner(`ec2 describe-snapshots --region eu-central-1 --snapshot-ids ${copyId}`)).rejects.toThrow(
      /\(InvalidSnapshot.NotFound\) when calling the DescribeSnapshots operation: The snapshot '.*' does not exist/,
    );
  });

  it('locks, tags and archives', { timeout: 60_000 }, async () => {
    const snapshotId = await sandbox.snapshot(FROM);
    const here = `--region eu-west-1 --snapshot-id ${snapshotId}`;
    expect(await owner(`ec2 lock-snapshot ${here} --lock-mode governance --lock-duration 7`)).toMatchObject({
      LockState: 'governance',
      LockExpiresOn: expect.stringMatching(/^2026-03-09T04:00:20/),
    });
    await Promise.all([
      expect(owner(`ec2 delete-snapshot ${here}`)).rejects.toThrow('is locked'),
      owner(`ec2 create-tags --region eu-west-1 --resources ${snapshotId} --tags Key=Team,Value=a`),
      owner(`ec2 modify-snapshot-tier ${here} --storage-tier archive`),
    ]);
    sandbox.seconds(60);
    const status = await owner('ec2 describe-snapshot-tier-status --region eu-west-1');
    expect(status).toMatchObject({
      SnapshotTierStatuses: [{ StorageTier: 'archive', Tags: [{ Key: 'Team', Value: 'a' }] }],
    });
  });
});
