import { ACCOUNT_ID_PATTERN } from '../accounts.ts';

/** Who signed a request, and for what. */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  /** The service's signing name, for example `ec2`. */
  readonly service: string;
}

/**
 * Reads the header Authorization of a signed request. The signature itself is not checked: there are no secrets here.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function readCredentialScope(authorization: string | undefined): CredentialScope | undefined {
  const found = /^AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(
    authorization ?? '',
  );
  const [, accessKeyId, region, service] = found ?? [];
  if (accessKeyId === undefined || region === undefined || service === undefined) return undefined;
  return { accessKeyId, region, service };
}

/** An access key id of 12 digits is the account that calls; any other one is the home account. */
export function accountOf({ accessKeyId }: CredentialScope, homeAccount: string): string {
  return ACCOUNT_ID_PATTERN.test(accessKeyId) ? accessKeyId : homeAccount;
}
