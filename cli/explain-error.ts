import { RegionMissingError } from '../aws/caller.ts';
import { CopierError } from '../core/errors.ts';
import { readThrown } from '../core/thrown-error.ts';
import { CliProblem } from './cli-problem.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** Says on stderr what went wrong, and answers the exit code. Only a mistake of ours has a stack. */
export function explainError(error: unknown): ExitCode {
  process.stderr.write(`${inWords(error)}\n`);
  return error instanceof CliProblem ? error.exitCode : EXIT.problem;
}

function inWords(error: unknown): string {
  if (error instanceof CliProblem) return error.message;
  if (error instanceof RegionMissingError) {
    const { AWS_PROFILE } = process.env;
    const profile = AWS_PROFILE === undefined ? '' : `, and the profile ${AWS_PROFILE} has none or is not there`;
    return `No Region is given${profile}. Say where the install is with --region eu-west-1, AWS_REGION, or \`aws configure\`.`;
  }
  const { code, words } = readThrown(error);
  if (code === 'CredentialsProviderError') {
    const { AWS_PROFILE } = process.env;
    const profile = AWS_PROFILE === undefined ? '' : ` The profile ${AWS_PROFILE} has none, or is not there.`;
    return `No credentials for AWS: ${words}.${profile} Use --profile, \`aws sso login\`, \`aws configure\`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
  }
  if (isPlainError(error)) return withHint(error.message);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `Unexpected, and a mistake in this program: ${stack}`;
}

/** One whose message is for people: of core/errors.ts, or of packaging, which takes the stack away. */
function isPlainError(error: unknown): error is Error {
  return error instanceof CopierError || (error instanceof Error && error.stack === error.message);
}

function withHint(message: string): string {
  const hint = hintFor(message);
  return `${message}${hint !== '' && !message.endsWith('.') ? '.' : ''}${hint}`;
}

function hintFor(message: string): string {
  if (/ExpiredToken|RequestExpired|TokenRefreshRequired/.test(message)) {
    return ' Your credentials have expired: `aws sso login`, or get new ones.';
  }
  if (
    /InvalidClientTokenId|UnrecognizedClientException|AuthFailure|SignatureDoesNotMatch|InvalidSignature/.test(message)
  ) {
    return ' AWS does not know these credentials: `aws sts get-caller-identity` shows which are used.';
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return ' Is there such a Region, and does this machine reach the network?';
  }
  if (/AccessDenied|UnauthorizedOperation|NotAuthorized/.test(message)) {
    return ' Your identity lacks this permission; docs/cli.md lists what each command needs.';
  }
  return '';
}
