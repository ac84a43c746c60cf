import type { Answer } from './answer.ts';
import { awsError, type ErrorForm } from './aws-error.ts';

type Trouble = 'not-allowed' | 'invalid' | 'expired';

/** Code and HTTP status of each trouble: the "Common Errors" of each service's API reference. */
const OF_FORM: Readonly<Record<ErrorForm, Readonly<Record<Trouble, readonly [string, number]>>>> = {
  json: {
    'not-allowed': ['AccessDeniedException', 400],
    invalid: ['UnrecognizedClientException', 400],
    expired: ['ExpiredTokenException', 400],
  },
  'rest-json': {
    'not-allowed': ['AccessDeniedException', 403],
    invalid: ['UnrecognizedClientException', 403],
    expired: ['ExpiredTokenException', 403],
  },
  query: {
    'not-allowed': ['AccessDenied', 403],
    invalid: ['InvalidClientTokenId', 403],
    expired: ['ExpiredToken', 403],
  },
  ec2: {
    'not-allowed': ['UnauthorizedOperation', 403],
    invalid: ['AuthFailure', 401],
    expired: ['RequestExpired', 400],
  },
};

const MESSAGES = {
  invalid: 'The security token included in the request is invalid.',
  expired: 'The security token included in the request is expired',
};

/** The service refuses because the caller's role may not do it. */
export function notAllowed(service: string, form: ErrorForm, message: string): Answer {
  // https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
  if (service === 'sns') return awsError(form, 'AuthorizationError', message, 403);
  if (service === 'sqs') return queryCode(awsError(form, 'AccessDenied', message, 403), 'AccessDenied');
  const [code, status] = OF_FORM[form]['not-allowed'];
  return awsError(form, code, message, status);
}

/** The service refuses because the caller's temporary keys are not, or no longer, those of a session. */
export function badSession(form: ErrorForm, trouble: 'invalid' | 'expired'): Answer {
  const [code, status] = OF_FORM[form][trouble];
  return awsError(
    form,
    code,
    form === 'ec2' && trouble === 'expired' ? 'Request has expired.' : MESSAGES[trouble],
    status,
  );
}

/** SQS kept the codes that it had in the Query protocol: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
function queryCode(answer: Answer, code: string): Answer {
  return { ...answer, headers: { ...answer.headers, 'x-amzn-query-error': `${code};Sender` } };
}
