import { classify } from '../core/ec2-error-codes.ts';
import { RequestRefusedError, ServiceTroubleError, ThrottledError } from '../core/errors.ts';
import { isOurs, readThrown } from '../core/thrown-error.ts';

/**
 * An error of an AWS client as one of core/errors.ts, with the service's code and words in the message. For services
 * that say nothing which needs an answer of its own.
 *
 * @param service for people, for example `CloudFormation`
 * @param what the call and what for, for example `DescribeStacks of my-stack`
 */
export function inWordsOf(service: string, what: string, error: unknown): Error {
  if (isOurs(error)) return error;
  const { code, words, status } = readThrown(error);
  const said = `${what}: ${status === undefined ? `no answer from ${service} but` : `${service} says`} ${code}: ${words}`;
  const options = { cause: error };
  switch (classify(code, status)) {
    case 'throttled':
      return new ThrottledError(`${service} throttles. ${said}`, options);
    case 'permanent':
      return new RequestRefusedError(`${service} refuses a call and would refuse it again. ${said}`, options);
    default:
      return new ServiceTroubleError(`${service}, or the way to it, is in trouble. ${said}`, options);
  }
}
