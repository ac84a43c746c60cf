import { CreateTopicCommand, DeleteTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { parseCopyRequest } from '../../core/task-input.ts';
import { LedgerView } from './ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, type World } from './world.ts';

function client(world: World) {
  const { endpoint, home } = world.sandbox;
  return { endpoint, region: home.region, credentials: { accessKeyId: home.account, secretAccessKey: 'secret' } };
}

describe('an execution that no state of its own can tell of', () => {
  it('because somebody stopped it: the topic is told, once, and what to look for', async () => {
    const world = await newWorld({ copyTakes: '1 h' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('5 min');
    await world.stop(`${source}-${SOURCE_REGION}-1`, { error: 'Maintenance', cause: 'wrong button' });
    await world.pass('10 min');
    expect(world.execution(`${source}-${SOURCE_REGION}-1`).status).toBe('ABORTED');
    expect(await world.alerts()).toMatchObject([
      {
        attributes: { rule: 're-encrypt', sourceSnapshot: source, destinationRegion: SOURCE_REGION, reason: 'Aborted' },
        body: expect.stringContaining('requestCopy'),
      },
    ]);
    expect(await new LedgerView(world).request(source, SOURCE_REGION)).toMatchObject({
      status: 'failed',
      reason: 'the execution ended ABORTED: Maintenance: wrong button',
    });
    const failed = world.sandbox.metrics().filter(({ name }) => name === 'CopiesFailed');
    expect(failed).toMatchObject([{ value: 1, dimensions: { destination: SOURCE_REGION } }]);
  });

  it('because it ran into the time limit of the state machine, which no Catch sees: the topic is told', async () => {
    // Weeks of sweeps are not what this is about.
    const world = await newWorld({ copyTakes: '20 d' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.stop(`${source}-${SOURCE_REGION}-1`);
    await world.pass('1 min');
    // No rule can ask for such a deadline; a hand-started execution can. It adopts the copy.
    const asked = parseCopyRequest(JSON.parse(world.execution(`${source}-${SOURCE_REGION}-1`).input));
    const destination = { ...asked.destination, deadlineSeconds: 30 * 86_400 };
    const name = `${source}-${SOURCE_REGION}-2`;
    await world.startByHand(name, JSON.stringify({ ...asked, destination }));
    await world.pass('18 d');
    expect(world.execution(name).status).toBe('TIMED_OUT');
    const told = await world.reasons();
    expect(told.toSorted()).toEqual(['Aborted', 'TimedOut']);
    expect(await new LedgerView(world).request(source, SOURCE_REGION)).toMatchObject({ status: 'failed', attempt: 2 });
  });

  it('because its alert could not be sent for a while: the topic is told when it can be', async () => {
    const world = await newWorld();
    const topic = world.sandbox.outputs['DeadLetterTopicArn'] ?? '';
    const sns = new SNSClient(client(world));
    await sns.send(new DeleteTopicCommand({ TopicArn: topic }));
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('20 min');
    await sns.send(new CreateTopicCommand({ Name: topic.split(':').at(-1) ?? '' }));
    await world.pass('3 h');
    expect(await world.alerts()).toMatchObject([{ attributes: { sourceSnapshot: source } }]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('nor the function for this: the event waits in the stuck-events queue', async () => {
    const world = await newWorld();
    const topic = world.sandbox.outputs['DeadLetterTopicArn'] ?? '';
    await new SNSClient(client(world)).send(new DeleteTopicCommand({ TopicArn: topic }));
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 d');
    const stuck = await world.stuckEvents();
    expect(stuck).toHaveLength(1);
    expect(stuck[0]?.body).toContain(`${source}-${SOURCE_REGION}-1`);
  });
});

describe('an event that cannot be processed', () => {
  it('because nobody can read it: three attempts, then the stuck-events queue keeps it', async () => {
    const world = await newWorld();
    await world.event({
      'detail-type': 'EBS Snapshot Notification',
      detail: { event: 'createSnapshot', result: 'succeeded', snapshot_id: 'arn:aws:ec2::eu-west-1:volume/vol-1' },
    });
    await world.pass('10 min');
    const stuck = await world.stuckEvents();
    expect(stuck).toHaveLength(1);
    expect(JSON.parse(stuck[0]?.body ?? '')).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { detail: { snapshot_id: 'arn:aws:ec2::eu-west-1:volume/vol-1' } },
      responsePayload: { errorType: 'UnreadableInputError' },
    });
    expect(world.executions()).toEqual([]);
  });

  it('because EC2 is in trouble for longer than Lambda tries: likewise, and given again it is processed', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'DescribeSnapshots',
      region: SOURCE_REGION,
      code: 'InternalError',
      status: 500,
      times: 9,
    });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('10 min');
    const [stuck] = await world.stuckEvents();
    const { requestPayload } = JSON.parse(stuck?.body ?? '{}');
    await world.event(requestPayload);
    await world.pass('20 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
  });

  it('because EventBridge cannot deliver it for a day: the stuck-events queue keeps it, with the reason', async () => {
    const world = await newWorld();
    world.sandbox.bus.faults.add({ kind: 'fail-delivery', event: 'createSnapshot', times: 1000 });
    await world.snapshot({ Backup: 'nightly' });
    await world.pass('2 d');
    const stuck = await world.stuckEvents();
    expect(stuck).toHaveLength(1);
    expect(stuck[0]?.attributes).toMatchObject({
      EXHAUSTED_RETRY_CONDITION: expect.stringMatching(/MaximumEventAge|MaximumRetryAttempts/),
      RULE_ARN: expect.stringContaining(':rule/ebs-snapshot-copier-test-'),
    });
    expect(JSON.parse(stuck[0]?.body ?? '')).toMatchObject({ detail: { event: 'createSnapshot' } });
  });
});
