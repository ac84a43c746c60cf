import { describe, expect, it } from 'vitest';
import { classify, type Ec2ErrorClass, type Refusal, refusalOf } from '../../core/ec2-error-codes.ts';

describe('an error code of EC2', () => {
  it.each([
    ['ResourceLimitExceeded', 'busyRegion'],
    ['ConcurrentSnapshotLimitExceeded', 'busyRegion'],
    ['PendingSnapshotLimitExceeded', 'busyRegion'],
    ['RequestLimitExceeded', 'throttled'],
    ['BandwidthLimitExceeded', 'throttled'],
    ['InternalError', 'serviceTrouble'],
    ['InternalFailure', 'serviceTrouble'],
    ['ServerInternal', 'serviceTrouble'],
    ['ServiceUnavailable', 'serviceTrouble'],
    ['Unavailable', 'serviceTrouble'],
    ['RetryableError', 'serviceTrouble'],
    ['InvalidSnapshot.NotFound', 'notYetVisible'],
    ['ConcurrentTagAccess', 'notYetVisible'],
    ['IncorrectState', 'notYetVisible'],
    ['RequestExpired', 'serviceTrouble'],
    ['DryRunOperation', 'notAnError'],
  ] satisfies [string, Ec2ErrorClass][])('%s is %s', (code, expected) => {
    expect(classify(code, 400)).toBe(expected);
  });

  it.each([
    ['SnapshotLimitExceeded', 'quota'],
    ['TagLimitExceeded', 'quota'],
    ['UnauthorizedOperation', 'permission'],
    ['AuthFailure', 'permission'],
    ['OptInRequired', 'permission'],
    ['PendingVerification', 'permission'],
    ['Blocked', 'permission'],
    ['OperationNotPermitted', 'permission'],
    ['TagPolicyViolation', 'permission'],
    ['CustomerKeyHasBeenRevoked', 'key'],
    ['InvalidSnapshotID.Malformed', 'request'],
    ['InvalidParameterValue', 'request'],
    ['InvalidParameterCombination', 'request'],
    ['InvalidParameterDependency', 'request'],
    ['InvalidParameter', 'request'],
    ['MissingParameter', 'request'],
    ['UnknownParameter', 'request'],
    ['InvalidRegion', 'request'],
    ['InvalidTagKey.Malformed', 'request'],
    ['UnsupportedOperation', 'request'],
    ['Unsupported', 'request'],
    ['SnapshotCopyUnsupported.InterRegion', 'request'],
    ['InvalidState', 'request'],
  ] satisfies [string, Refusal['kind']][])('%s is permanent: %s, and there is something to do', (code, kind) => {
    // Without a status an unknown code would be trouble that passes, so this holds the table.
    expect(classify(code)).toBe('permanent');
    expect(refusalOf(code, 'no').kind).toBe(kind);
    expect(refusalOf(code, 'no').whatToDo).toMatch(/^.{15,}\.$/);
    expect(refusalOf(code, 'no').whatToDo).not.toContain('errors-overview');
  });

  it.each([
    ['BrandNewError', 503, 'serviceTrouble'],
    ['BrandNewError', 500, 'serviceTrouble'],
    ['BrandNewError', 499, 'permanent'],
    ['BrandNewError', 400, 'permanent'],
    ['BrandNewError', 429, 'throttled'],
    ['SyntaxError', 200, 'serviceTrouble'],
    ['TimeoutError', undefined, 'serviceTrouble'],
    ['AbortError', undefined, 'serviceTrouble'],
    ['NetworkingError', undefined, 'serviceTrouble'],
    ['ECONNRESET', undefined, 'serviceTrouble'],
    ['ECONNREFUSED', undefined, 'serviceTrouble'],
    ['EPIPE', undefined, 'serviceTrouble'],
    ['ENOTFOUND', undefined, 'serviceTrouble'],
    ['EAI_AGAIN', undefined, 'serviceTrouble'],
    ['RequestTimeout', 400, 'serviceTrouble'],
    ['ExpiredToken', 400, 'serviceTrouble'],
    ['ExpiredTokenException', 400, 'serviceTrouble'],
    ['Throttling', 400, 'throttled'],
    ['ThrottlingException', 400, 'throttled'],
    ['TooManyRequestsException', 400, 'throttled'],
    ['constructor', 400, 'permanent'],
  ] as const)('%s with status %s is %s', (code, status, expected) => {
    expect(classify(code, status)).toBe(expected);
  });
});

describe('a refusal', () => {
  it.each([
    ['InvalidParameterValue', 'The specified keyId alias/dr-copies is invalid'],
    ['InvalidParameterValue', 'The specified keyId arn:aws:kms:eu-central-1:1:key/2 is disabled'],
    ['UnauthorizedOperation', 'User x is not authorized to perform: kms:DescribeKey on this resource'],
    ['AuthFailure', 'Not authorized to use key alias/dr-copies'],
    ['InvalidKMSKey.InvalidState', 'no'],
    ['KMSInvalidStateException', 'no'],
  ])('%s "%s" is about a key', (code, words) => {
    expect(refusalOf(code, words).kind).toBe('key');
  });

  it.each([
    ['InvalidParameterValue', 'Tag keys starting with aws: are reserved', 'request'],
    ['UnauthorizedOperation', 'not authorized to perform: ec2:CopySnapshot', 'permission'],
    ['BrandNewError', 'no', 'request'],
  ])('%s "%s" is about %s', (code, words, kind) => {
    expect(refusalOf(code, words).kind).toBe(kind);
  });

  it('with a code that is not known says where codes are explained', () => {
    expect(refusalOf('BrandNewError', 'no').whatToDo).toContain('errors-overview.html');
  });
});
