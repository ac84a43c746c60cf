import { classify } from '../core/ec2-error-codes.ts';
import { ServiceTroubleError, SourceAccountRefusedError, ThrottledError } from '../core/errors.ts';
import { type ActingInstall, companionRoleArn } from '../core/source-account.ts';
import { isOurs, readThrown } from '../core/thrown-error.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';

/** What signs calls, for some minutes. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Gives what signs calls, now. */
export type SessionProvider = () => Promise<SessionCredentials>;

/** Sessions in source accounts, by their ids. */
export type CompanionSessions = (account: string) => SessionProvider;

/** The shortest that STS gives: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const SESSION_SECONDS = 900;
/** Nothing is begun with a session that ends within this time. */
const LEFT_AT_LEAST_MS = 120_000;

/** Sessions of the companions' roles; one for each account is kept until shortly before it ends. */
export function companionSessions(install: ActingInstall, externalId: string): CompanionSessions {
  return perRegion((account) => companionSession(install, externalId, account));
}

/**
 * Sessions of the companion's role in a source account. The external id says on behalf of which install this is:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 *
 * @throws SourceAccountRefusedError, closed, if the role cannot be assumed, or if what answers is another account's
 */
function companionSession(install: ActingInstall, externalId: string, sourceAccount: string): SessionProvider {
  let current: SessionCredentials | undefined;
  return async () => {
    if (current === undefined || current.expiration.getTime() - Date.now() < LEFT_AT_LEAST_MS) {
      current = await newSession(install, externalId, sourceAccount);
    }
    return current;
  };
}

async function newSession(
  install: ActingInstall,
  externalId: string,
  sourceAccount: string,
): Promise<SessionCredentials> {
  const roleArn = companionRoleArn(install, sourceAccount);
  try {
    // Loaded when a source account is acted in: most sources are of the service's own account.
    const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts');
    const client = new STSClient({ region: install.region, requestHandler });
    const { Credentials, AssumedRoleUser } = await client.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: 'snapshot-copier',
        ExternalId: externalId,
        DurationSeconds: SESSION_SECONDS,
      }),
    );
    const answering = AssumedRoleUser?.Arn ?? 'nobody';
    if (answering.split(':')[4] !== sourceAccount) {
      throw new SourceAccountRefusedError(
        `${roleArn} answers as ${answering}, which is not of account ${sourceAccount}: it is not used.`,
        { isClosed: true },
      );
    }
    return {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
      expiration: Credentials?.Expiration ?? new Date(0),
    };
  } catch (error) {
    throw inOurWords(error, roleArn, sourceAccount);
  }
}

function inOurWords(error: unknown, roleArn: string, sourceAccount: string): Error {
  if (isOurs(error)) return error;
  const { code, words, status } = readThrown(error);
  const said = `AssumeRole of ${roleArn}: STS says ${code}: ${words}`;
  switch (classify(code, status)) {
    case 'throttled':
      return new ThrottledError(`STS throttles this account. Nothing to do unless it lasts. ${said}`, { cause: error });
    case 'serviceTrouble':
      return new ServiceTroubleError(`STS, or the way to it, is in trouble. Nothing to do unless it lasts. ${said}`, {
        cause: error,
      });
    default:
      return new SourceAccountRefusedError(
        `The role of the companion in account ${sourceAccount} cannot be assumed: deploy or update companions/source-account.yml there. ${said}`,
        { isClosed: true, cause: error },
      );
  }
}
