/**
 * What an error code of EC2 means for a copy.
 * Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
 */
export type Ec2ErrorClass =
  /** The Region runs as many copies as it allows: hours of patience. */
  | 'busyRegion'
  /** Too many calls in this account and Region: minutes. */
  | 'throttled'
  /** EC2, the network or this function's credentials: trouble that passes. */
  | 'serviceTrouble'
  /** EC2 does not show yet what was just made or changed: five minutes at most. */
  | 'notYetVisible'
  /** Somebody has to act, see `refusalOf`. */
  | 'permanent'
  /** EC2's answer to a dry run that would be allowed. */
  | 'notAnError';

/** A permanent error: of which kind, and what a person can do about it. */
export interface Refusal {
  readonly kind: 'permission' | 'quota' | 'key' | 'request';
  readonly whatToDo: string;
}

const passing = new Map<string, Exclude<Ec2ErrorClass, 'permanent'>>(
  Object.entries({
    ResourceLimitExceeded: 'busyRegion',
    ConcurrentSnapshotLimitExceeded: 'busyRegion',
    PendingSnapshotLimitExceeded: 'busyRegion',

    RequestLimitExceeded: 'throttled',
    BandwidthLimitExceeded: 'throttled',
    // Names of other AWS services, which the SDK treats alike:
    EC2ThrottledException: 'throttled',
    PriorRequestNotComplete: 'throttled',
    RequestThrottled: 'throttled',
    RequestThrottledException: 'throttled',
    SlowDown: 'throttled',
    ThrottledException: 'throttled',
    Throttling: 'throttled',
    ThrottlingException: 'throttled',
    TooManyRequestsException: 'throttled',

    InternalError: 'serviceTrouble',
    InternalFailure: 'serviceTrouble',
    ServerInternal: 'serviceTrouble',
    ServiceUnavailable: 'serviceTrouble',
    Unavailable: 'serviceTrouble',
    RetryableError: 'serviceTrouble',
    RequestTimeout: 'serviceTrouble',
    RequestTimeoutException: 'serviceTrouble',
    // A function that was frozen in the middle of a call wakes with an old signature or old credentials.
    RequestExpired: 'serviceTrouble',
    RequestInTheFuture: 'serviceTrouble',
    RequestTimeTooSkewed: 'serviceTrouble',
    ExpiredToken: 'serviceTrouble',
    ExpiredTokenException: 'serviceTrouble',

    'InvalidSnapshot.NotFound': 'notYetVisible',
    ConcurrentTagAccess: 'notYetVisible',
    IncorrectState: 'notYetVisible',

    DryRunOperation: 'notAnError',
  }),
);

const refusals = new Map<string, Refusal>(
  Object.entries({
    SnapshotLimitExceeded: {
      kind: 'quota',
      whatToDo: 'Delete snapshots that nobody needs there, or raise the quota "Snapshots per Region" (L-309BACF6).',
    },
    TagLimitExceeded: {
      kind: 'quota',
      whatToDo: 'A snapshot takes 50 tags: remove some, or copy fewer (tags of the destination in copy-rules.yml).',
    },

    UnauthorizedOperation: {
      kind: 'permission',
      whatToDo: 'Allow the action to the role that made the call, and look for an SCP or a permissions boundary.',
    },
    AuthFailure: {
      kind: 'permission',
      whatToDo: 'Check that the Region is enabled for this account and that the role of the function still exists.',
    },
    OptInRequired: { kind: 'permission', whatToDo: 'Enable the Region for this account.' },
    PendingVerification: {
      kind: 'permission',
      whatToDo: 'AWS is still verifying this account: wait for its mail, or ask AWS Support.',
    },
    Blocked: { kind: 'permission', whatToDo: 'AWS has blocked this account: ask AWS Support.' },
    OperationNotPermitted: {
      kind: 'permission',
      whatToDo: "EC2's words name what stands in the way, of the account or of the snapshot.",
    },
    TagPolicyViolation: {
      kind: 'permission',
      whatToDo: "Change the tags in copy-rules.yml, or the organisation's tag policy that forbids them.",
    },
    AccessDenied: { kind: 'permission', whatToDo: 'Allow the action to the role that made the call.' },
    AccessDeniedException: { kind: 'permission', whatToDo: 'Allow the action to the role that made the call.' },

    CustomerKeyHasBeenRevoked: keyTrouble(),

    'InvalidSnapshotID.Malformed': {
      kind: 'request',
      whatToDo: 'That is no snapshot id. Executions are started by events; check one that was started by hand.',
    },
    InvalidParameterValue: wrongParameter(),
    InvalidParameterCombination: wrongParameter(),
    InvalidParameterDependency: wrongParameter(),
    InvalidParameter: wrongParameter(),
    MissingParameter: wrongParameter(),
    UnknownParameter: wrongParameter(),
    InvalidRegion: { kind: 'request', whatToDo: 'Check the Region of the destination in copy-rules.yml.' },
    'InvalidTagKey.Malformed': {
      kind: 'request',
      whatToDo: 'Correct the tag key, or leave that tag out (tags of the destination in copy-rules.yml).',
    },
    UnsupportedOperation: unsupported(),
    Unsupported: unsupported(),
    'SnapshotCopyUnsupported.InterRegion': {
      kind: 'request',
      whatToDo: 'EC2 copies no snapshots between these two Regions: choose another destination.',
    },
    InvalidState: { kind: 'request', whatToDo: 'Check the state of the snapshot that EC2 names.' },
  }),
);

function keyTrouble(): Refusal {
  return {
    kind: 'key',
    whatToDo: 'Check the KMS key: that it is in the right Region, is enabled, and allows the role to use it.',
  };
}

function wrongParameter(): Refusal {
  return { kind: 'request', whatToDo: 'Correct the destination of the rule in copy-rules.yml.' };
}

function unsupported(): Refusal {
  return { kind: 'request', whatToDo: 'EC2 cannot do this for that snapshot or place: take it out of the rule.' };
}

/**
 * What an error means, by its code and, for codes that are not known here, by its HTTP status: 4xx is permanent; 5xx,
 * an answer that cannot be read and no answer at all (TimeoutError, ECONNRESET, ENOTFOUND …) are trouble that passes.
 */
export function classify(code: string, httpStatus?: number): Ec2ErrorClass {
  const known = passing.get(code);
  if (known !== undefined) return known;
  if (refusals.has(code)) return 'permanent';
  if (httpStatus === 429) return 'throttled';
  return isClientError(httpStatus) ? 'permanent' : 'serviceTrouble';
}

/** Did the service answer, and was its answer that it did nothing? */
export function isClientError(httpStatus: number | undefined): boolean {
  return httpStatus !== undefined && httpStatus >= 400 && httpStatus < 500;
}

/**
 * The kind of a permanent error. For trouble with a key EC2 has no code of its own: it refuses one that is disabled or
 * missing with InvalidParameterValue ("The specified keyId … is disabled"), and one that the caller may not see with
 * AuthFailure ("Not authorized to use key …"). So its words are looked at as well.
 */
export function refusalOf(code: string, words: string): Refusal {
  if (/^InvalidKMSKey\b|^KMS/i.test(code) || /\bkms\b|\bkey ?id\b|\bto use key\b/i.test(words)) return keyTrouble();
  return refusals.get(code) ?? unknownRefusal;
}

const unknownRefusal: Refusal = {
  kind: 'request',
  whatToDo: 'What the code means: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html',
};
