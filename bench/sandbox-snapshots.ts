import * as z from 'zod';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { COPIER_TAG } from '../core/copier-tags.ts';
import type { CopyParameters } from '../core/copy-parameters.ts';
import { type AboutCall, inOurWords } from '../core/ec2-errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Ec2Service } from '../sandbox/ec2/ec2-service.ts';

type Params = Readonly<Record<string, string>>;

/**
 * `ec2Snapshots()` of aws/ for the sandbox's EC2 in this process: the same calls with the same parameters and the same
 * errors, without SDK, HTTP and XML, which would take most of the time of a burst. The SDK's second and third attempt
 * follow at once.
 */
export function sandboxSnapshots(ec2: Pick<Ec2Service, 'call'>, account: string): SnapshotApi {
  function call(region: string, params: Params, attempts: number): unknown {
    for (let attempt = 1; ; attempt++) {
      const result = ec2.call({ account, region, params: new URLSearchParams({ Version: '2016-11-15', ...params }) });
      if ('body' in result) return result.body;
      const error = 'error' in result ? new AnswerError(result.error) : noAnswer('drop' in result);
      if (attempt >= attempts || !isRetriedBySdk(error)) throw error;
    }
  }

  function list(region: string, params: Params, about: AboutCall): readonly Snapshot[] {
    const found: Snapshot[] = [];
    let token: string | undefined;
    try {
      do {
        const page = { Action: 'DescribeSnapshots', MaxResults: '1000', ...params };
        const answer = listing.parse(
          call(region, token === undefined ? page : { ...page, NextToken: token }, SDK_ATTEMPTS),
        );
        found.push(...answer.snapshotSet.item.map((shown) => inOurShape(shown, region)));
        token = answer.nextToken;
      } while (token !== undefined);
      return found;
    } catch (error) {
      throw inOurWords(error, about);
    }
  }

  return {
    async find(region, snapshotId) {
      try {
        const answer = call(region, { Action: 'DescribeSnapshots', 'SnapshotId.1': snapshotId }, SDK_ATTEMPTS);
        const [shown] = listing.parse(answer).snapshotSet.item;
        return shown && inOurShape(shown, region);
      } catch (error) {
        if (isCode(error, 'InvalidSnapshot.NotFound')) return undefined;
        throw inOurWords(error, { call: 'DescribeSnapshots', snapshotId, region });
      }
    },

    async pending(region) {
      const about: AboutCall = { call: 'DescribeSnapshots', snapshotId: 'pending-snapshots', region };
      return list(region, { 'Owner.1': 'self', ...filter('status', ['pending']) }, about);
    },

    async managedCopies(region) {
      const about: AboutCall = { call: 'DescribeSnapshots', snapshotId: 'copies-of-this-product', region };
      return list(region, { 'Owner.1': 'self', ...filter('tag-key', [COPIER_TAG.managed]) }, about);
    },

    async begunOn(region, days, whose) {
      const snapshotId = `snapshots-of-${days.join('-and-')}`;
      const times = days.map((day) => `${day}*`);
      return list(
        region,
        { [whose === 'own' ? 'Owner.1' : 'RestorableBy.1']: 'self', ...filter('start-time', times) },
        { call: 'DescribeSnapshots', snapshotId, region },
      );
    },

    async copiesOf({ source, destination: { region } }) {
      const ofCopies = /^vol-f+$/.test(source.volumeId);
      const key = ofCopies ? COPIER_TAG.sourceSnapshot : COPIER_TAG.sourceVolume;
      return list(
        region,
        { 'Owner.1': 'self', ...filter(`tag:${key}`, [ofCopies ? source.snapshotId : source.volumeId]) },
        { call: 'DescribeSnapshots', snapshotId: source.snapshotId, region },
      );
    },

    async copy(region, parameters) {
      try {
        return started.parse(call(region, copyParams(parameters), 1)).snapshotId;
      } catch (error) {
        throw inOurWords(error, aboutCopy(region, parameters));
      }
    },

    async probeCopy(region, parameters) {
      try {
        call(region, { ...copyParams(parameters), DryRun: 'true' }, 1);
      } catch (error) {
        if (isCode(error, 'DryRunOperation')) return;
        throw inOurWords(error, aboutCopy(region, parameters));
      }
    },

    async tag(region, snapshotId, tags) {
      try {
        call(region, { Action: 'CreateTags', 'ResourceId.1': snapshotId, ...tagParams('Tag', tags) }, SDK_ATTEMPTS);
      } catch (error) {
        throw inOurWords(error, { call: 'CreateTags', snapshotId, region });
      }
    },

    async remove(region, snapshotId) {
      try {
        call(region, { Action: 'DeleteSnapshot', SnapshotId: snapshotId }, SDK_ATTEMPTS);
      } catch (error) {
        if (isCode(error, 'InvalidSnapshot.NotFound')) return;
        throw inOurWords(error, { call: 'DeleteSnapshot', snapshotId, region });
      }
    },
  };
}

/** The SDK's default: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const SDK_ATTEMPTS = 3;

/** An error answer as the SDK throws it. */
class AnswerError extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };
  constructor({ code, message, status }: { readonly code: string; readonly message: string; readonly status: number }) {
    super(message);
    this.name = code;
    this.$metadata = { httpStatusCode: status };
  }
}

/** The SDK has the same name for a connection that was cut and for one on which nothing happens. */
function noAnswer(cut: boolean): Error {
  const error = new Error(cut ? 'socket hang up' : 'socket timed out without response from server');
  error.name = 'TimeoutError';
  return Object.assign(error, { $metadata: {} });
}

function isRetriedBySdk(error: Error): boolean {
  return !(error instanceof AnswerError) || error.$metadata.httpStatusCode >= 500 || error.name === 'Throttling';
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && error.name === code;
}

function filter(name: string, values: readonly string[]): Params {
  const numbered = values.map((value, index) => [`Filter.1.Value.${index + 1}`, value]);
  return { 'Filter.1.Name': name, ...Object.fromEntries(numbered) };
}

function tagParams(prefix: string, tags: Readonly<Record<string, string>>): Params {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value], index) => [
      [`${prefix}.${index + 1}.Key`, key],
      [`${prefix}.${index + 1}.Value`, value],
    ]),
  );
}

function copyParams(parameters: CopyParameters): Params {
  const { encrypted, kmsKeyId, destinationOutpostArn, destinationAvailabilityZone, completionDurationMinutes } =
    parameters;
  return {
    Action: 'CopySnapshot',
    SourceRegion: parameters.sourceRegion,
    SourceSnapshotId: parameters.sourceSnapshotId,
    Description: parameters.description,
    ...(encrypted && { Encrypted: 'true' }),
    ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
    ...(destinationOutpostArn !== undefined && { DestinationOutpostArn: destinationOutpostArn }),
    ...(destinationAvailabilityZone !== undefined && { DestinationAvailabilityZone: destinationAvailabilityZone }),
    ...(completionDurationMinutes !== undefined && { CompletionDurationMinutes: String(completionDurationMinutes) }),
    'TagSpecification.1.ResourceType': 'snapshot',
    ...tagParams('TagSpecification.1.Tag', parameters.tags),
  };
}

function aboutCopy(region: string, parameters: CopyParameters): AboutCall {
  const { sourceSnapshotId, destinationAvailabilityZone, destinationOutpostArn } = parameters;
  const destination = destinationAvailabilityZone ?? destinationOutpostArn ?? region;
  return { call: 'CopySnapshot', snapshotId: sourceSnapshotId, region, destination };
}

const started = z.object({ snapshotId: z.string() });

const shownSnapshot = z.object({
  snapshotId: z.string(),
  volumeId: z.string(),
  status: z.enum(['pending', 'completed', 'error', 'recoverable', 'recovering']),
  statusMessage: z.string().optional(),
  startTime: z.string(),
  progress: z.string(),
  ownerId: z.string(),
  volumeSize: z.number(),
  fullSnapshotSizeInBytes: z.number().optional(),
  description: z.string(),
  encrypted: z.boolean(),
  kmsKeyId: z.string().optional(),
  storageTier: z.enum(['standard', 'archive']),
  outpostArn: z.string().optional(),
  availabilityZone: z.string().optional(),
  completionTime: z.string().optional(),
  tagSet: z.object({ item: z.array(z.object({ key: z.string(), value: z.string() })) }).optional(),
});

const listing = z.object({
  snapshotSet: z.object({ item: z.array(shownSnapshot) }),
  nextToken: z.string().optional(),
});

function inOurShape(shown: z.output<typeof shownSnapshot>, region: string): Snapshot {
  const { statusMessage, kmsKeyId, outpostArn, availabilityZone, completionTime, tagSet } = shown;
  const fullSizeBytes = shown.fullSnapshotSizeInBytes;
  return {
    snapshotId: shown.snapshotId,
    region,
    ownerId: shown.ownerId,
    volumeId: shown.volumeId,
    state: shown.status,
    ...(statusMessage !== undefined && { stateMessage: statusMessage }),
    progressPercent: shown.progress === '' ? 0 : Number.parseInt(shown.progress, 10),
    startTime: shown.startTime,
    ...(completionTime !== undefined && { completionTime }),
    sizeGiB: shown.volumeSize,
    ...(fullSizeBytes !== undefined && { fullSizeBytes }),
    encrypted: shown.encrypted,
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    storageTier: shown.storageTier,
    ...(outpostArn !== undefined && { outpostArn }),
    ...(availabilityZone !== undefined && { localZone: availabilityZone }),
    description: shown.description,
    tags: Object.fromEntries((tagSet?.item ?? []).map(({ key, value }) => [key, value])),
  };
}
