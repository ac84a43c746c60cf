import { createHash } from 'node:crypto';
import { XMLBuilder } from 'fast-xml-parser';
import type { Caller } from '../accounts.ts';
import type { Answer } from '../http/answer.ts';
import { awsError } from '../http/aws-error.ts';
import { type Iam, principalOf, sessionOf, trustOf } from './iam.ts';
import { type PolicyDocument, PolicyError, parsePolicy } from './policy-document.ts';
import type { Sessions } from './sessions.ts';
import type { Context, Role } from './types.ts';

/** One Query-protocol call. */
export interface StsCall extends Caller {
  readonly params: URLSearchParams;
}

/** STS refuses. Codes are those of https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors */
class StsError extends Error {
  override readonly name = 'StsError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const SHORTEST_SECONDS = 900;
const LONGEST_SECONDS = 43_200;
const DEFAULT_SECONDS = 3600;
/** "Role chaining limits your AWS CLI or AWS API role session to a maximum of one hour." */
const LONGEST_CHAINED_SECONDS = 3600;
const LONGEST_POLICY = 2048;

const PARAMETERS = new Set([
  'Action',
  'Version',
  'DurationSeconds',
  'ExternalId',
  'Policy',
  'RoleArn',
  'RoleSessionName',
]);

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });

/** Of STS, AssumeRole and GetCallerIdentity. */
export class StsService {
  readonly #iam: Iam;
  readonly #sessions: Sessions;

  constructor(options: { readonly iam: Iam; readonly sessions: Sessions }) {
    this.#iam = options.iam;
    this.#sessions = options.sessions;
  }

  /** Expected trouble is an answer. */
  handle(call: StsCall): Answer {
    const action = call.params.get('Action') ?? '';
    try {
      switch (action) {
        case 'AssumeRole':
          return answer(action, this.#assumeRole(call));
        case 'GetCallerIdentity':
          return answer(action, this.#getCallerIdentity(call));
        default:
          throw new StsError('InvalidAction', `STS ${action} is not in the sandbox`);
      }
    } catch (error) {
      if (!(error instanceof StsError)) throw error;
      return awsError('query', error.code, error.message, error.status);
    }
  }

  /** "No permissions are required": https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
  #getCallerIdentity(caller: Caller): object {
    const { account, arn, roleArn } = principalOf(caller);
    const UserId = roleArn === undefined ? account : userId(roleArn, arn);
    return { Arn: arn, UserId, Account: account };
  }

  /** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
  #assumeRole(call: StsCall): object {
    const { params } = call;
    const unknown = [...params.keys()].find((name) => !PARAMETERS.has(name));
    if (unknown !== undefined) throw invalid(`AssumeRole with ${unknown} is not in the sandbox`);
    const roleArn = required(params, 'RoleArn', /^arn:[\w-]+:iam::\d{12}:role\/.+$/);
    const session = required(params, 'RoleSessionName', /^[\w+=,.@-]{2,64}$/);
    const externalId = params.get('ExternalId');
    if (externalId !== null && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) throw invalidValue('externalId', externalId);
    const seconds = Number(params.get('DurationSeconds') ?? DEFAULT_SECONDS);
    if (!Number.isInteger(seconds) || seconds < SHORTEST_SECONDS || seconds > LONGEST_SECONDS) {
      throw invalidValue('durationSeconds', String(params.get('DurationSeconds')));
    }
    const sessionPolicy = readSessionPolicy(params.get('Policy'));

    const role = this.#allowedRole(call, roleArn, {
      'sts:RoleSessionName': session,
      ...(externalId === null ? {} : { 'sts:ExternalId': externalId }),
    });
    if (call.principal?.roleArn !== undefined && seconds > LONGEST_CHAINED_SECONDS) {
      throw invalid(
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      );
    }
    if (seconds > role.maxSessionSeconds) {
      throw invalid('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
    }
    const principal = { ...sessionOf(role, session), ...(sessionPolicy === undefined ? {} : { sessionPolicy }) };
    const keys = this.#sessions.give(principal, seconds);
    return {
      Credentials: {
        AccessKeyId: keys.accessKeyId,
        SecretAccessKey: keys.secretAccessKey,
        SessionToken: keys.sessionToken,
        Expiration: new Date(keys.expiresAt).toISOString(),
      },
      AssumedRoleUser: { AssumedRoleId: userId(role.arn, principal.arn), Arn: principal.arn },
      ...(sessionPolicy === undefined ? {} : { PackedPolicySize: 1 }),
    };
  }

  /** A role that is not there is refused like one that does not trust the caller. */
  #allowedRole(call: StsCall, roleArn: string, context: Context): Role {
    const caller = principalOf(call);
    const role = this.#iam.role(roleArn);
    const wanted = { action: 'sts:AssumeRole', resource: roleArn, context };
    if (role !== undefined && this.#iam.authorize(caller, wanted, trustOf(role)).allowed) return role;
    const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`;
    throw new StsError('AccessDenied', message, 403);
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session */
function readSessionPolicy(text: string | null): PolicyDocument | undefined {
  if (text === null) return undefined;
  if (text.length > LONGEST_POLICY) throw invalidValue('policy', `of ${text.length} characters`);
  try {
    return parsePolicy('session', text, 'Policy');
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new StsError('MalformedPolicyDocument', error.message);
  }
}

function required(params: URLSearchParams, name: string, form: RegExp): string {
  const value = params.get(name) ?? '';
  if (!form.test(value)) throw invalidValue(name.charAt(0).toLowerCase() + name.slice(1), value);
  return value;
}

function invalidValue(name: string, value: string): StsError {
  return invalid(`1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint`);
}

function invalid(message: string): StsError {
  return new StsError('ValidationError', message);
}

/** `AROA…:session`, the same for the same role. */
function userId(roleArn: string, arn: string): string {
  const digest = createHash('sha256').update(roleArn).digest('hex').slice(0, 17).toUpperCase();
  return `AROA${digest}:${arn.split('/').at(-1) ?? ''}`;
}

function answer(action: string, result: object): Answer {
  const body = builder.build({
    [`${action}Response`]: { '@xmlns': 'https://sts.amazonaws.com/doc/2011-06-15/', [`${action}Result`]: result },
  });
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}
