import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ProcessRun } from '../../sandbox/client-process.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, VIRGINIA, type World } from '../stories/world.ts';
import { runCli } from '../support/cli.ts';

const answer = z.strictObject({
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
  SnapshotId: z.string(),
});

/** What the command asks for if nothing else is said. */
function copyOf(snapshotId: string, region = FRANKFURT): readonly string[] {
  return ['--region', region, '--source-region', SOURCE_REGION, '--source-snapshot-id', snapshotId];
}

/** Five seconds of the sandbox pass again and again while the command runs. */
function run(world: World, ...args: readonly string[]): Promise<ProcessRun> {
  return runCli(world.sandbox, ['copy-snapshot', ...args], { pumpSeconds: 5 });
}

/** CopySnapshot calls that were no dry runs. */
function copyCalls(world: World) {
  return world.sandbox.ec2.calls.filter(
    ({ action, params }) => action === 'CopySnapshot' && params['DryRun'] !== 'true',
  );
}

/** As DynamoDB does after some weeks. */
async function forget({ sandbox }: World, snapshotId: string): Promise<void> {
  const { endpoint, home, physicalIds } = sandbox;
  const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
  await new DynamoDBClient({ endpoint, region: home.region, credentials }).send(
    new DeleteItemCommand({
      TableName: physicalIds.get('LedgerTable'),
      Key: { region: { S: FRANKFURT }, item: { S: `${FRANKFURT}#${snapshotId}` } },
    }),
  );
}

describe('a copy that goes through the service', () => {
  it('is printed as aws prints it, is as it was asked for, and is there only once', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({ Name: 'db' });
    const options = [
      ...copyOf(snapshotId),
      '--description=before {snapshotId}',
      '--completion-duration-minutes=60',
      '--tag-specifications=ResourceType=snapshot,Tags=[{Key=Team,Value="a, b"},{Key=Old,Value=""}]',
    ];
    // Two people at once.
    const [first, second] = await Promise.all([
      run(world, ...options, '--wait'),
      runCli(world.sandbox, ['copy-snapshot', ...options]),
    ]);
    expect([first.code, second.code]).toEqual([0, 0]);
    const { SnapshotId, Tags } = answer.parse(JSON.parse(first.stdout));
    expect(first.stdout).toBe(`${JSON.stringify({ Tags, SnapshotId }, undefined, 4)}\n`);
    expect(second.stdout).toBe(first.stdout);
    expect(Tags).toEqual([
      { Key: 'Team', Value: 'a, b' },
      { Key: 'Old', Value: '' },
    ]);
    expect(first.stderr).toMatch(new RegExp(`${SnapshotId} is complete, after \\d+ min\\.\n$`));

    expect(world.copies(snapshotId)).toEqual([
      expect.objectContaining({
        snapshotId: SnapshotId,
        state: 'completed',
        description: 'before {snapshotId}',
        tags: expect.objectContaining({
          Team: 'a, b',
          Old: '',
          'snapshot-copier:rule': 'by hand',
          'snapshot-copier:state': 'copied',
        }),
      }),
    ]);
    expect(world.copies(snapshotId)[0]?.tags).not.toHaveProperty('Name');
    expect(copyCalls(world).map(({ params }) => params['CompletionDurationMinutes'])).toEqual(['60']);
    expect(await world.alerts()).toEqual([]);
  });

  it('and that is there already is answered, or is told to be another one', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({});
    const first = await run(
      world,
      ...copyOf(snapshotId),
      '--description',
      'as it is',
      '--completion-duration-minutes',
      '60',
    );
    const { SnapshotId } = answer.parse(JSON.parse(first.stdout));
    await world.pass('20 min');
    const again = await run(world, ...copyOf(snapshotId), '--query', 'SnapshotId', '--output', 'text');
    expect(again).toMatchObject({ code: 0, stdout: `${SnapshotId}\n` });
    const other = await run(
      world,
      ...copyOf(snapshotId),
      '--encrypted',
      '--description',
      'x',
      '--completion-duration-minutes',
      '15',
    );
    expect(other).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is a copy of ${snapshotId} at eu-central-1 already, ${SnapshotId} of rule by hand, but not as you ask for it:
  - its description is 'as it is', not 'x'
  - it is not encrypted
  - its completion duration is 60 minutes, not 15
Nothing was done. A second copy beside it, which the service will not know: --direct
`,
    });
    // Even if the ledger has forgotten it, for then the service finds it in EC2.
    await forget(world, snapshotId);
    const adopted = await run(world, ...copyOf(snapshotId), '--description', 'x');
    expect(adopted).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`already, ${SnapshotId} of`),
    });
    expect(copyCalls(world)).toHaveLength(1);

    const direct = await run(world, ...copyOf(snapshotId), '--direct', '--output', 'text', '--wait');
    expect(direct.code).toBe(0);
    expect(world.copies(snapshotId).map((copy) => copy.snapshotId)).toEqual([SnapshotId, direct.stdout.trim()]);
    expect(direct.stderr).toMatch(/ is complete, after 10 min\.\n$/);
  });

  it('may have been begun by a rule, and the key is the same under another of its names', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({ Backup: 'nightly' });
    const kms = new KMSClient({
      endpoint: world.sandbox.endpoint,
      region: VIRGINIA,
      credentials: { accessKeyId: world.sandbox.home.account, secretAccessKey: 'secret' },
    });
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/dr-copies' }));
    world.key(VIRGINIA, 'alias/other');
    const underKey = (key: string) => run(world, ...copyOf(snapshotId, VIRGINIA), '--encrypted', '--kms-key-id', key);

    const [byArn, other] = [await underKey(KeyMetadata?.Arn ?? ''), await underKey('alias/other')];
    expect(byArn).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(world.copies(snapshotId, VIRGINIA)[0]?.snapshotId ?? '-'),
    });
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain(
      `of rule nightly, but not as you ask for it:\n  - its key is ${KeyMetadata?.Arn}, not alias/other\n`,
    );
    expect(world.copies(snapshotId, VIRGINIA)).toHaveLength(1);
  });

  it('waits for its slot, says so, and goes on without the one who asked', async () => {
    const world = await newWorld({ slots: 1, copyTakes: '20 min' });
    await world.snapshot({ Backup: 'nightly' });
    const snapshotId = await world.snapshot({});
    const left = await runCli(world.sandbox, ['copy-snapshot', ...copyOf(snapshotId)], {
      pumpSeconds: 5,
      watch: ({ stderr }, child) => {
        if (stderr.includes(' in the queue')) child.kill('SIGINT');
      },
    });
    expect(left).toEqual({
      code: 130,
      stdout: '',
      stderr: `${snapshotId} waits for a copy slot of eu-central-1, 1 of 1 in the queue; 1 copy runs

The service goes on with the copy of ${snapshotId} to eu-central-1. To see it: snapshot-copier status --region eu-west-1
`,
    });
    expect(world.copies(snapshotId)).toEqual([]);
    await world.pass('45 min');
    expect(world.copies(snapshotId)).toMatchObject([{ state: 'completed' }]);
  });

  it('that fails is told as such, and its alert is sent all the same', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({});
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Given key ID is not accessible' });
    const { code, stdout, stderr } = await run(world, ...copyOf(snapshotId), '--wait');
    expect({ code, printed: answer.parse(JSON.parse(stdout)).SnapshotId }).toEqual({
      code: 1,
      printed: expect.stringMatching(/^snap-/),
    });
    expect(stderr).toMatch(
      new RegExp(
        `The copy of ${snapshotId} to eu-central-1 failed: .*\n.*snapshot-copier retry ${snapshotId} --destination eu-central-1 --region eu-west-1\n$`,
      ),
    );
    expect(await world.alerts()).toHaveLength(1);
  });

  it('leaves a presigned URL to the service, and says and writes it nowhere', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({});
    const url = `https://ec2.eu-west-1.amazonaws.com/?Action=CopySnapshot&SourceSnapshotId=${snapshotId}&DestinationRegion=eu-central-1&X-Amz-Security-Token=geheim`;
    const { code, stdout, stderr } = await run(
      world,
      ...copyOf(snapshotId),
      '--presigned-url',
      url,
      '--destination-region',
      FRANKFURT,
    );
    expect(code).toBe(0);
    expect(stderr).toBe(
      'The service presigns a URL of its own: --presigned-url and --destination-region are not used.\n',
    );
    const everything = JSON.stringify([stdout, world.sandbox.logs(), world.executions(), copyCalls(world)]);
    expect(everything).not.toContain('geheim');
  });
});

it('a copy without the service is asked for once, for nobody knows whether one whose answer is lost has begun', async () => {
  const world = await newWorld();
  const snapshotId = await world.snapshot({});
  world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot' });
  const { code, stdout, stderr } = await run(world, ...copyOf(snapshotId), '--direct');
  expect({ code, stdout }).toEqual({ code: 255, stdout: '' });
  expect(stderr).toMatch(
    /^\nConnection was closed before .*\nThe copy may have begun: look for it before you try again\.\n$/,
  );
  expect(world.copies(snapshotId)).toHaveLength(1);
});

describe('what cannot be', () => {
  it('is told in the words of EC2, with the exit code of aws, before anything waits', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({});
    const said = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await run(world, ...args);
      expect(stdout).toBe('');
      return `${code} ${stderr.trim()}`;
    };
    const ec2 = (code: string, words: string) =>
      `255 An error occurred (${code}) when calling the CopySnapshot operation: ${words}`;
    expect(await said(...copyOf('snap-0123456789abcdef0'))).toBe(
      ec2('InvalidSnapshot.NotFound', "The snapshot 'snap-0123456789abcdef0' does not exist."),
    );
    expect(await said(...copyOf('snap-x'))).toBe(ec2('InvalidParameterValue', 'The specified snapshotId is invalid'));
    expect(await said(...copyOf(snapshotId), '--kms-key-id', 'alias/x')).toBe(
      ec2('InvalidParameterDependency', 'The parameter KmsKeyId requires the parameter Encrypted to be set.'),
    );
    expect(await said(...copyOf(snapshotId), '--tag-specifications', 'ResourceType=volume')).toBe(
      ec2('InvalidParameterValue', "'volume' is not a valid taggable resource type for this operation."),
    );
    expect(await said(...copyOf(snapshotId), '--dry-run')).toBe(
      ec2('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.'),
    );
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'CopySnapshot',
      code: 'OptInRequired',
      status: 403,
      message: 'Not for you.',
    });
    expect(await said(...copyOf(snapshotId))).toBe(ec2('OptInRequired', 'Not for you.'));
    await world.pass('1 h');
    expect(world.copies(snapshotId)).toEqual([]);

    // What concerns only the one who asks, or only this moment, does not concern the service.
    for (const [code, status] of [
      ['UnauthorizedOperation', 403],
      ['RequestLimitExceeded', 503],
    ] as const) {
      world.sandbox.ec2.faults.add({ kind: 'error', action: 'CopySnapshot', code, status });
      expect(await run(world, ...copyOf(snapshotId))).toMatchObject({ code: 0, stderr: '' });
    }
    expect(world.copies(snapshotId)).toHaveLength(1);
  });

  it('for the service is told with what to do', async () => {
    const world = await newWorld();
    const snapshotId = await world.snapshot({});
    const noRule = await run(world, ...copyOf(snapshotId, 'eu-south-1'), '--no-dry-run');
    expect(noRule).toMatchObject({ code: 1, stdout: '' });
    expect(noRule.stderr).toMatch(
      /^No rule of ebs-snapshot-copier-test copies to eu-south-1, .*copy-rules\.yml and deploy\. Without the service: --direct\.\n$/,
    );

    const noInstall = await run(world, ...copyOf(snapshotId), '--stack-region', VIRGINIA);
    expect(noInstall).toMatchObject({ code: 1, stdout: '' });
    expect(noInstall.stderr).toMatch(
      /^There is no stack ebs-snapshot-copier-… in account \d+, us-east-1\. Another Region: --stack-region;[\s\S]*--direct\n$/,
    );

    const noStack = await run(world, ...copyOf(snapshotId), '--stack', 'other');
    expect(noStack.stderr).toMatch(/^There is no stack other in account \d+, eu-west-1\./);
    expect(world.copies(snapshotId)).toEqual([]);
  });
});
