import * as z from 'zod/mini';
import { classify, isClientError, refusalOf } from './ec2-error-codes.ts';
import {
  CopyOutcomeUnknownError,
  CopySlotsTakenError,
  NotYetVisibleError,
  RequestRefusedError,
  ServiceTroubleError,
  ThrottledError,
} from './errors.ts';
import { isOurs, readThrown } from './thrown-error.ts';

const EC2_CALLS = [
  'CopySnapshot',
  'DescribeSnapshots',
  'CreateTags',
  'DeleteTags',
  'DeleteSnapshot',
  'DescribeSnapshotAttribute',
  'ModifySnapshotAttribute',
] as const;

/** The calls that this service makes of EC2. */
export type Ec2Call = (typeof EC2_CALLS)[number];

/** Which call failed. */
export interface AboutCall {
  readonly call: Ec2Call;
  /** The source for CopySnapshot, else the snapshot that was looked up or changed. */
  readonly snapshotId: string;
  /** The Region that was called: for CopySnapshot the destination. */
  readonly region: string;
  /** `destinationId`, where it says more than `region`. */
  readonly destination?: string;
}

/** What EC2 answered, as it can be read back from the message of an error that `inOurWords` made. */
export interface Ec2Answer extends Omit<AboutCall, 'destination'> {
  /** EC2's code, or the name of what happened on the way to EC2, for example `TimeoutError`. */
  readonly code: string;
  readonly words: string;
  /** False if no answer came from EC2: the words are the SDK's or Node's. */
  readonly fromEc2: boolean;
}

/**
 * An error of the EC2 client as one of core/errors.ts, with EC2's code and words in the message and the original as
 * `cause`. A `CopierError` passes, and so does a mistake in our own code (TypeError and the like): that is not EC2's.
 * `DryRunOperation` is EC2's yes to a dry run and should not get here.
 */
export function inOurWords(error: unknown, about: AboutCall): Error {
  if (isOurs(error)) return error;
  const { code, words, status } = readThrown(error);
  const { call, snapshotId, region, destination = region } = about;
  const answer = writeAnswer({ call, snapshotId, region, code, words, fromEc2: status !== undefined });
  const say = (text: string) => [`${text} ${answer}`, { cause: error }] as const;

  const problem = classify(code, status);
  switch (problem) {
    case 'busyRegion':
      return new CopySlotsTakenError(
        ...say(`All copy slots of ${destination} are taken: ${snapshotId} has to wait. Nothing to do but be patient.`),
      );
    case 'throttled':
      return new ThrottledError(
        ...say(`EC2 in ${region} throttles this account. If it lasts, find out what else calls EC2 there so often.`),
      );
    case 'notYetVisible':
      return new NotYetVisibleError(
        ...say(`EC2 in ${region} does not show ${snapshotId} as it is now. Nothing to do unless it lasts.`),
      );
    case 'serviceTrouble':
      return call === 'CopySnapshot' && !isClientError(status)
        ? new CopyOutcomeUnknownError(
            ...say(
              `The copy of ${snapshotId} to ${destination} may or may not have begun: look for it before a new try.`,
            ),
          )
        : new ServiceTroubleError(
            ...say(`EC2 in ${region}, or the way to it, is in trouble. Nothing to do unless it lasts.`),
          );
    case 'permanent':
    case 'notAnError': {
      const what = call === 'CopySnapshot' ? `to copy ${snapshotId} to ${destination}` : `${call} of ${snapshotId}`;
      return new RequestRefusedError(
        ...say(`EC2 refuses ${what} and would refuse it again. ${refusalOf(code, words).whatToDo}`),
      );
    }
  }
}

/** Reads EC2's answer back from an error message; undefined if there is none in it. */
export function readEc2Answer(message: string): Ec2Answer | undefined {
  const groups = ANSWER.exec(message)?.groups;
  const call = z.literal(EC2_CALLS).safeParse(groups?.['call']);
  if (groups === undefined || !call.success) return undefined;
  const { snapshotId = '', region = '', said, code = '', words = '' } = groups;
  return { call: call.data, snapshotId, region, code, words, fromEc2: said === SAID_BY_EC2 };
}

const SAID_BY_EC2 = 'EC2 says';
const NO_ANSWER = 'no answer from EC2 but';

/** Comes last in a message, because EC2's words may contain anything. */
function writeAnswer({ call, snapshotId, region, code, words, fromEc2 }: Ec2Answer): string {
  return `${call} of ${snapshotId} in ${region}: ${fromEc2 ? SAID_BY_EC2 : NO_ANSWER} ${code}: ${words}`;
}

const ANSWER = new RegExp(
  `(?<call>\\w+) of (?<snapshotId>\\S+) in (?<region>\\S+): (?<said>${SAID_BY_EC2}|${NO_ANSWER}) (?<code>\\S+): (?<words>.*)$`,
  's',
);
