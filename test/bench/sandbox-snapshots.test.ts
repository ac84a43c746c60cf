import { afterEach, expect, it, vi } from 'vitest';
import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { sandboxSnapshots } from '../../bench/sandbox-snapshots.ts';
import type { CopyParameters } from '../../core/copy-parameters.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { serveAws } from '../support/aws-http.ts';
import { Ec2Sandbox, SOURCE, TARGET } from '../support/ec2-sandbox.ts';

const FROM = 'eu-west-1';
const TO = 'eu-central-1';

/** A world with a shared source, and how the service sees it. */
interface Seen {
  readonly ec2: Ec2Sandbox;
  readonly api: SnapshotApi;
  readonly sourceId: string;
}

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const end of ends.splice(0)) await end();
});

async function worldWith(api: (ec2: Ec2Sandbox) => SnapshotApi | Promise<SnapshotApi>): Promise<Seen> {
  const ec2 = new Ec2Sandbox({ slotsPerRegion: 3, copyTakesSeconds: () => 100 });
  const sourceId = await ec2.snapshot(FROM);
  await ec2.share(sourceId, FROM);
  return { ec2, api: await api(ec2), sourceId };
}

/** By the SDK over HTTP. */
const overHttp = () =>
  worldWith(async (ec2) => {
    const { url, close } = await serveAws(({ account, region, body }) => {
      const answer = ec2.service.handle({ account, region, params: new URLSearchParams(body) });
      if ('hang' in answer) throw new Error('nothing hangs here');
      return answer;
    });
    ends.push(close);
    vi.stubEnv('AWS_ENDPOINT_URL', url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', TARGET);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    return ec2Snapshots();
  });

const inProcess = () => worldWith((ec2) => sandboxSnapshots(ec2.service, TARGET));

const parametersOf = (sourceId: string): CopyParameters => ({
  sourceRegion: FROM,
  sourceSnapshotId: sourceId,
  description: 'a copy & more',
  encrypted: true,
  kmsKeyId: 'alias/missing',
  completionDurationMinutes: 60,
  tags: {
    'snapshot-copier:source-volume': 'vol-0123456789abcdef0',
    'snapshot-copier:managed': 'ebs-snapshot-copier-test',
    'snapshot-copier:source-snapshot': sourceId,
    Empty: '',
  },
});

function requestOf(sourceId: string, volumeId: string): CopyRequest {
  return {
    rule: 'all',
    dryRun: false,
    source: {
      snapshotId: sourceId,
      region: FROM,
      ownerId: SOURCE,
      volumeId,
      startTime: '2026-03-02T04:00:00.000Z',
      sizeGiB: 100,
      encrypted: false,
      description: '',
      tags: {},
    },
    destination: {
      region: TO,
      encryption: { kind: 'as-source' },
      description: '',
      tags: { copy: 'none', add: {} },
      slots: 20,
      deadlineSeconds: 3600,
    },
  };
}

/** What a call comes to: its answer, or the error and all that the service says of it. */
async function came<Answer>(call: Promise<Answer>): Promise<Answer | { readonly error: string }> {
  try {
    return await call;
  } catch (error) {
    return { error: String(error) };
  }
}

/** Everything that can be asked, good and bad. */
async function askAll({ ec2, api, sourceId }: Seen): Promise<readonly unknown[]> {
  const parameters = parametersOf(sourceId);
  const { encrypted: _, kmsKeyId: __, completionDurationMinutes: ___, ...plain } = parameters;
  const copyId = await api.copy(TO, plain);
  const answers: unknown[] = [copyId];
  const ask = async (call: Promise<unknown>): Promise<void> => {
    answers.push(await came(call));
  };
  ec2.seconds(10);
  await ask(api.find(TO, copyId));
  await ask(api.find(FROM, sourceId));
  await ask(api.find(TO, 'snap-0123456789abcdef0'));
  await ask(api.find(TO, 'snap-nonsense'));
  await ask(api.copy(TO, parameters));
  ec2.seconds(60);
  await ask(api.pending(TO));
  await ask(api.copiesOf(requestOf(sourceId, 'vol-0123456789abcdef0')));
  await ask(api.copiesOf(requestOf(sourceId, 'vol-ffffffff')));
  await ask(api.managedCopies(TO));
  await ask(api.managedCopies(FROM));
  await ask(api.begunOn(TO, ['2026-03-01', '2026-03-02'], 'own'));
  await ask(api.begunOn(FROM, ['2026-03-02'], 'shared'));
  await ask(api.begunOn(FROM, ['2026-03-02'], 'own'));
  await ask(api.probeCopy(TO, plain));
  await ask(api.probeCopy(TO, { ...plain, sourceRegion: 'nowhere' }));
  await ask(api.copy(TO, { ...plain, description: 'x', completionDurationMinutes: 7 }));
  await ask(api.copy(TO, { ...plain, destinationOutpostArn: 'x', destinationAvailabilityZone: 'y' }));
  await api.copy(TO, plain);
  await api.copy(TO, plain);
  await ask(api.copy(TO, plain));
  await ask(api.tag(TO, copyId, { 'snapshot-copier:state': 'copied' }));
  await ask(api.tag(TO, 'snap-0123456789abcdef0', { a: 'b' }));
  ec2.seconds(3600);
  await ask(api.find(TO, copyId));
  await ask(api.remove(TO, copyId));
  await ask(api.remove(TO, copyId));
  await ask(api.remove(FROM, sourceId));
  for (const fault of [
    { kind: 'error', action: 'CopySnapshot', code: 'InternalError' },
    { kind: 'error', action: 'CopySnapshot', code: 'RequestLimitExceeded' },
    { kind: 'lost-answer', action: 'CopySnapshot' },
  ]) {
    ec2.service.faults.add(fault);
    await ask(api.copy(TO, plain));
  }
  for (const fault of [
    { kind: 'error', action: 'DescribeSnapshots', code: 'RequestLimitExceeded', times: 2 },
    { kind: 'error', action: 'DescribeSnapshots', code: 'RequestLimitExceeded', times: 3 },
    { kind: 'lost-answer', action: 'DescribeSnapshots', times: 3 },
    { kind: 'error', action: 'DescribeSnapshots', code: 'UnauthorizedOperation' },
  ]) {
    ec2.service.faults.add(fault);
    await ask(api.pending(TO));
    await ask(Promise.resolve(ec2.service.faults.list()));
  }
  return answers;
}

it('the port in this process answers as the SDK over HTTP does, good news and bad, with as many attempts', async () => {
  const real = await overHttp();
  const expected = await askAll(real);
  const fast = await inProcess();
  const answers = await askAll(fast);
  for (const [index, answer] of answers.entries()) expect(answer, `answer ${index}`).toEqual(expected[index]);
  expect(answers).toHaveLength(expected.length);

  const callsOf = ({ ec2 }: Seen) =>
    ec2.service.calls
      .filter(({ account }) => account === TARGET)
      .map(({ action, region, outcome, params }) => ({
        action,
        region,
        outcome,
        // The SDK adds these two by itself.
        params: { ...params, PresignedUrl: '', DestinationRegion: '' },
      }));
  expect(callsOf(fast)).toEqual(callsOf(real));
});
