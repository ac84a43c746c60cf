import {
  AttachVolumeCommand,
  CreateSnapshotsCommand,
  DeleteSnapshotCommand,
  ModifyEbsDefaultKmsKeyIdCommand,
} from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { placeOf } from '../../aws/ledger-items.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { HOME, INSTALL, ORDERS, PARTNER } from '../stories/accounts/world.ts';
import { copiesInto, LedgerView, secondsToNextStart } from '../stories/ledger-view.ts';
import { FRANKFURT, milliseconds, SOURCE_REGION, tagged, VIRGINIA } from '../stories/world.ts';
import { KEY_OF_OTHERS, NAMED_KEY, type Scenario, type Scene } from './scene.ts';

const AWS_KEY = 'alias/aws/ebs';
const STATUS_CHANGE = 'Step Functions Execution Status Change';

/** On the way of every copy. */
const ON_THE_WAY = ['onSnapshotEvent', 'admitCopies', 'startCopy', 'checkCopy', 'tagCopy', 'onCopyEnded'];

/** The ARN of the key that a copy has to be under. */
function keyOf(scene: Scene, region: string, name: string): string | undefined {
  return scene.sandbox.keys.find({ account: HOME, region }, name)?.arn;
}

/**
 * Together they have every statement of every policy used, see permissions.test.ts. In this order: of those that need a
 * permission, the first one is named with it.
 */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'copies to other Regions and within one, under keys of every kind',
    async play(scene) {
      const volumeId = await scene.volumeUnder(scene.sourceKey(HOME), HOME);
      // The policy of aws/ebs lets everybody use it, that of another default key does not.
      const KmsKeyId = scene.key(FRANKFURT, 'alias/default');
      await scene.ec2(FRANKFURT).send(new ModifyEbsDefaultKmsKeyIdCommand({ KmsKeyId }));
      const nightly = await scene.startSnapshot({ Backup: 'nightly', Team: 'web' }, { volumeId });
      const vault = await scene.startSnapshot({ Backup: 'vault' });
      const others = await scene.startSnapshot({ Backup: 'key-of-others' });
      const inPlace = await scene.startSnapshot({ Backup: 'in-place' }, { volumeId });
      await scene.pass('5 min');
      const ledger = new LedgerView(scene);
      const unknown = (await ledger.requests()).filter(({ status, copyId }) => status !== 'running' || !copyId);
      scene.expect('requests whose copy the ledger does not know', unknown.length, 0);
      await scene.pass('15 min');
      const copies = [
        ...scene.expectCopies(nightly, [FRANKFURT, VIRGINIA]),
        ...scene.expectCopies(vault, [VIRGINIA]),
        ...scene.expectCopies(others, [VIRGINIA]),
        ...scene.expectCopies(inPlace, [SOURCE_REGION]),
      ];
      scene.expect(
        'keys of the copies',
        copies.map(({ kmsKeyArn }) => kmsKeyArn),
        [
          KmsKeyId,
          keyOf(scene, VIRGINIA, 'alias/dr-copies'),
          keyOf(scene, VIRGINIA, NAMED_KEY),
          KEY_OF_OTHERS,
          keyOf(scene, SOURCE_REGION, 'alias/dr-copies'),
        ],
      );
      scene.expectMarked(nightly, copies.slice(0, 2));
      scene.expect('ledger', await ledger.statuses(), { copied: 5 });
      await scene.expectCalm(ON_THE_WAY);
    },
  },

  {
    name: 'a snapshot of a source account is shared for its copy, and marked',
    async play(scene) {
      const volumeId = await scene.volumeUnder(scene.sourceKey(ORDERS, { usableBy: [HOME] }), ORDERS);
      const source = await scene.startSnapshot({ Backup: 'nightly', Team: 'orders' }, { account: ORDERS, volumeId });
      await scene.pass('2 min');
      scene.expect('shared with', scene.sharedWith(source), [HOME]);
      await scene.pass('28 min');
      const copies = scene.expectCopies(source, [FRANKFURT, VIRGINIA]);
      scene.expectMarked(source, copies);
      scene.expect(
        'tags of the owner',
        copies.map(({ tags }) => tags['Team']),
        ['orders', 'orders'],
      );
      scene.expect('held in the source account', scene.held(), []);
      await scene.expectCalm([...ON_THE_WAY, 'prepareSource', 'releaseSource']);
    },
  },

  {
    name: 'a snapshot of a source account under aws/ebs is copied there first',
    async play(scene) {
      const volumeId = await scene.volumeUnder(AWS_KEY, ORDERS);
      for (let i = 0; i < 2; i += 1) {
        const source = await scene.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
        await scene.pass('2 h');
        scene.expectMarked(source, scene.expectCopies(source));
        scene.expect(
          'kept intermediate copies',
          scene.intermediates().map(({ copy }) => copy?.sourceSnapshotId),
          [source],
        );
      }
      scene.expect('held in the source account', scene.held(), []);
      await scene.expectCalm(['prepareSource', 'releaseSource']);
    },
  },

  {
    name: 'all snapshots of a multi-volume set are copied',
    async play(scene) {
      const ec2 = scene.ec2(SOURCE_REGION);
      const InstanceId = 'i-0123456789abcdef0';
      await ec2.send(new AttachVolumeCommand({ VolumeId: await scene.volume(), InstanceId, Device: '/dev/sdb' }));
      const TagSpecifications = tagged({ Backup: 'in-place' });
      const { Snapshots = [] } = await ec2.send(
        new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId }, TagSpecifications }),
      );
      await scene.pass('15 min');
      for (const { SnapshotId = '' } of Snapshots) scene.expectCopies(SnapshotId, [SOURCE_REGION]);
      await scene.expectCalm(ON_THE_WAY);
    },
  },

  {
    name: 'a snapshot that an account shares by itself is copied, or told if it cannot be seen',
    async play(scene) {
      const volumeId = await scene.volumeUnder(scene.sourceKey(PARTNER, { usableBy: [HOME] }), PARTNER);
      const of = { account: PARTNER, description: 'for the vault: disk 1', volumeId };
      const source = await scene.snapshot({}, of);
      const hidden = await scene.snapshot({}, of);
      await scene.share(source);
      await scene.share(hidden);
      await scene.share(hidden, 'remove');
      await scene.pass('30 min');
      scene.expectCopies(source);
      await scene.expectCalm(ON_THE_WAY, { alerts: ['SourceNotVisible'] });
    },
  },

  {
    name: 'a dry run asks whether EC2 would copy',
    async play(scene) {
      const source = await scene.snapshot({ Backup: 'rehearsal' });
      const theirs = await scene.snapshot({ Backup: 'rehearsal' }, { account: ORDERS });
      await scene.pass('5 min');
      for (const each of [source, theirs]) {
        const execution = scene.execution(`${each}-${FRANKFURT}-0`);
        scene.expect('dry run', execution.status, 'SUCCEEDED');
      }
      scene.expect('EC2 would allow', scene.log('startCopy').match(/EC2 would allow the copy/g)?.length, 2);
      await scene.expectCalm(['onSnapshotEvent', 'startCopy']);
    },
  },

  {
    name: 'a full Region returns the request, which is copied in its turn',
    options: { slots: 2 },
    async play(scene) {
      const sources: string[] = [];
      // The rule believes in twenty slots.
      for (let i = 0; i < 3; i += 1) sources.push(await scene.startSnapshot({ Backup: 'in-place' }));
      await scene.pass('3 min');
      scene.expect('ledger', await new LedgerView(scene).statuses(), { running: 2, waiting: 1 });
      await scene.pass('15 min');
      for (const source of sources) scene.expectCopies(source, [SOURCE_REGION]);
      await scene.expectCalm([...ON_THE_WAY, 'returnToQueue']);
    },
  },

  {
    name: 'the next copy starts when one has ended in its Region',
    async play(scene) {
      for (let i = 0; i < 2; i += 1) await scene.startSnapshot({ Backup: 'one-at-a-time' });
      // Not at the time of a heartbeat.
      scene.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: 307 });
      await scene.pass('15 min');
      const copies = copiesInto(scene);
      scene.expect(
        'copies',
        copies.map(({ state }) => state),
        ['completed', 'completed'],
      );
      scene.expect(
        'starts at once',
        secondsToNextStart(copies).map((seconds) => seconds <= 2),
        [true],
      );
      await scene.expectCalm(ON_THE_WAY);
    },
  },

  {
    name: 'a failed copy is removed and told, and made when somebody asks again',
    async play(scene) {
      scene.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
      const source = await scene.snapshot({ Backup: 'one-at-a-time' });
      await scene.pass('20 min');
      await scene.expectCalm(['removeFailedCopy', 'explainFailure'], { alerts: ['CopyFailed'], executions: 1 });
      scene.expect('what is left of the copy', scene.copies(source), []);
      const key = [source, FRANKFURT] as const;
      scene.expect('ledger', (await new LedgerView(scene).request(...key)).status, 'failed');
      await scene.startAgain(`${source}-${FRANKFURT}-1`);
      await scene.pass('20 s');
      scene.expect('ledger', (await new LedgerView(scene).request(...key)).status, 'running');
      await scene.pass('20 min');
      const [copy] = scene.expectCopies(source);
      await scene.expectCalm(['requestCopy'], { alerts: ['CopyFailed'], executions: 1 });

      // And again, when that copy is gone from EC2.
      await scene.ec2(FRANKFURT).send(new DeleteSnapshotCommand({ SnapshotId: copy?.snapshotId }));
      await scene.startAgain(`${source}-${FRANKFURT}-2`);
      await scene.pass('20 min');
      scene.expectCopies(source);
      await scene.expectCalm(['requestCopy'], { alerts: ['CopyFailed'], executions: 1 });
    },
  },

  {
    name: 'a copy that fails for a key is told with what the key lacks',
    // What their policies do not allow: to see and use these keys.
    refuses: ['kms:CreateGrant'],
    async play(scene) {
      for (const account of [HOME, ORDERS]) {
        await scene.startSnapshot({ Backup: 'in-place' }, { account, volumeId: await closedVolume(scene, account) });
      }
      const shared = await scene.snapshot(
        {},
        { account: PARTNER, description: 'for the vault', volumeId: await closedVolume(scene, PARTNER) },
      );
      await scene.share(shared);
      const key = scene.sandbox.keys.find({ account: HOME, region: VIRGINIA }, KEY_OF_OTHERS);
      if (key !== undefined) scene.sandbox.keys.putPolicy(key, closedPolicy(key.account));
      await scene.snapshot({ Backup: 'key-of-others' });
      await scene.pass('30 min');
      // Whose owner can be asked, and whose cannot.
      const seen = (source: string) => scene.log('explainFailure').match(new RegExp(source, 'g'))?.length;
      scene.expect('keys whose policies and grants were read', seen('"grantsSeen":true'), 2);
      for (const arn of [scene.record(shared).kmsKeyArn, KEY_OF_OTHERS]) {
        scene.expect(`that ${arn} was seen`, seen(`"arn":"${arn}","isUsable":true`), 1);
      }
      await scene.expectCalm(['explainFailure'], {
        alerts: Array(4).fill('KeyNotAccessible'),
        executions: 4,
      });
    },
  },

  {
    name: 'a stopped execution is told, and names of executions that others have used are left out',
    async play(scene) {
      const source = await scene.startSnapshot({ Backup: 'one-at-a-time' });
      await scene.startByHand(`${source}-${FRANKFURT}-1`, '{}');
      await scene.stop(`${source}-${FRANKFURT}-1`);
      await scene.pass('1 min');
      await scene.stop(`${source}-${FRANKFURT}-2`);
      await scene.pass('1 min');
      await scene.expectCalm(['onCopyEnded', 'admitCopies'], { alerts: ['Aborted'], executions: 2 });
      scene.expect('ledger', await new LedgerView(scene).statuses(), { failed: 1 });
    },
  },

  {
    name: 'events that cannot be processed or delivered are kept',
    async play(scene) {
      const unreadable = {
        event: 'createSnapshot',
        result: 'succeeded',
        snapshot_id: 'arn:aws:ec2::eu-west-1:volume/v',
      };
      await scene.event({ 'detail-type': 'EBS Snapshot Notification', detail: unreadable });
      for (const functionName of ['onCopyEnded', 'releaseSource']) {
        for (let i = 0; i < 3; i += 1) {
          scene.sandbox.lambda.interruptNext({ functionName, moment: 'start', as: 'crash' });
        }
      }
      await scene.snapshot({ Backup: 'rehearsal' });
      await scene.pass('10 min');
      await scene.expectCalm(['onSnapshotEvent'], { stuckEvents: 3 });

      scene.sandbox.bus.faults.add({ kind: 'fail-delivery', times: 1000 });
      await scene.event({ 'detail-type': 'EBS Snapshot Notification', detail: unreadable });
      await putOnBus(scene, ORDERS);
      await scene.pass('25 h');
      await scene.expectCalm([], { stuckEvents: 5 });
    },
  },

  {
    name: 'ends of executions that no event told of are found by the clock, and executions that are missing',
    // Without the one that the next scenario is about.
    options: { schedules: 'on', parameters: { SweepMinutes: '10', LookbackHours: '0' } },
    async play(scene) {
      const ledger = new LedgerView(scene);
      scene.sandbox.bus.faults.add({ kind: 'lose-event', detailType: STATUS_CHANGE, share: 1 });
      const stopped = await scene.snapshot({ Backup: 'one-at-a-time' });
      const theirs = await scene.snapshot({ Backup: 'in-place' }, { account: ORDERS });
      await scene.stop(`${stopped}-${FRANKFURT}-1`);
      await scene.pass('20 min');
      scene.expect('ledger', await ledger.statuses(), { failed: 1, copied: 1 });
      await scene.expectCalm(['sweep'], { alerts: ['Aborted'], executions: 1 });

      // A request is said to run and has no execution, and nobody looks after the one that waits for its slot.
      await scene.startSnapshot({ Backup: 'one-at-a-time' });
      await scene.pass('1 min');
      const lost = await scene.snapshot({ Backup: 'one-at-a-time' });
      await loseExecution(scene, ledger, lost);
      const waits = await scene.snapshot({ Backup: 'one-at-a-time' });
      scene.sandbox.bus.faults.add({ kind: 'lose-event', event: 'copySnapshot', share: 1 });
      for (let i = 0; i < 9; i += 1) {
        scene.sandbox.lambda.interruptNext({ functionName: 'admitCopies', moment: 'start', as: 'crash' });
      }
      await scene.pass('65 min');
      scene.expectCopies(lost);
      scene.expectCopies(waits);
      scene.expect('held in the source account', scene.held(), []);
      scene.expectCopies(theirs, [SOURCE_REGION]);
      await scene.expectCalm(['sweep', 'releaseSource'], { alerts: ['Aborted'], executions: 1, admissions: 1 });
    },
  },

  {
    name: 'snapshots that no event told of are found within the hour',
    // Not at the same minute.
    options: { schedules: 'on', parameters: { SweepMinutes: '7' } },
    async play(scene) {
      scene.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot', times: 2 });
      const own = await scene.startSnapshot({ Backup: 'in-place' });
      const theirs = await scene.startSnapshot({ Backup: 'nightly' }, { account: ORDERS });
      const hour = scene.sandbox.clock.now() + milliseconds('1 h');
      await scene.pass('75 min');
      const [copy] = scene.expectCopies(own, [SOURCE_REGION]);
      scene.expect('found at once', (copy?.startedAt ?? 0) - hour < milliseconds('10 s'), true);
      scene.expectCopies(theirs, [FRANKFURT, VIRGINIA]);
      await scene.expectCalm(['healLostEvents']);
    },
  },

  {
    name: 'the command line looks into a source account',
    async play(scene) {
      const source = await scene.snapshot({ Backup: 'none' }, { account: ORDERS });
      const where = { account: ORDERS, region: SOURCE_REGION };
      const seen = await scene.invoke('lookAtSources', { ask: 'snapshots', ...where, ids: [source] });
      scene.expect('what it sees', JSON.stringify(seen).includes('"Backup":"none"'), true);
      const check = await scene.invoke('lookAtSources', { ask: 'check', ...where, reencrypt: true });
      const outcomes = JSON.stringify(check).match(/"outcome":"\w+"/g);
      scene.expect(
        'what it tries',
        outcomes?.filter((each) => each.includes('refused')),
        [],
      );
      // What it is refused is in its log.
      scene.removeCompanion();
      await scene.pass('20 min');
      const refused = await scene.invoke('lookAtSources', { ask: 'snapshots', ...where, ids: [source] });
      scene.expect('answer without the companion', Object.keys(Object(refused)), ['refused']);
      await scene.expectCalm(['lookAtSources']);
    },
  },
];

/** A volume under a key that home may look at, and not use. */
async function closedVolume(scene: Scene, account: string): Promise<string> {
  const policy = closedPolicy(account);
  const { arn } = scene.sandbox.keys.create({ account, region: SOURCE_REGION, policy });
  return scene.volumeUnder(arn, account);
}

/** Its owner may do with the key what a volume needs, and home may see that it is there. */
function closedPolicy(account: string): string {
  const statement = (who: string, Action: readonly string[]) => ({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${who}:root` },
    Action,
    Resource: '*',
  });
  const ofOwner = ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:GenerateDataKey*', 'kms:Put*'];
  const Statement = [statement(account, ofOwner), statement(HOME, ['kms:DescribeKey'])];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** Somebody in another account puts something on the bus of source accounts. */
async function putOnBus(scene: Scene, account: string): Promise<void> {
  const client = new EventBridgeClient({
    endpoint: scene.sandbox.endpoint,
    region: scene.home,
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: 'secret' },
  });
  const EventBusName = `arn:aws:events:${scene.home}:${HOME}:event-bus/${INSTALL}`;
  const entry = { Source: 'orders', DetailType: 'greeting', Detail: '{}', EventBusName };
  const { FailedEntryCount } = await client.send(new PutEventsCommand({ Entries: [entry] }));
  scene.expect('events that the bus did not take', FailedEntryCount, 0);
}

/** The ledger says of a request that waits that it runs. */
async function loseExecution(scene: Scene, ledger: LedgerView, source: string): Promise<void> {
  const waits = await ledger.request(source);
  scene.expect('request', waits.status, 'waiting');
  const key = requestKey(waits.request.source, waits.request.destination);
  await ledger.edit(source, {
    status: { S: 'running' },
    attempt: { N: '1' },
    execution: { S: `${source}-${FRANKFURT}-1` },
    place: { S: placeOf(key, { ...waits, status: 'running' }) ?? '' },
  });
}
