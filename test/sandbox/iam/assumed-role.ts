import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts';
import { parsePolicy } from '../../../sandbox/iam/policy-document.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const HOME = '000000000000';

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How a client of the SDK reaches the sandbox, by default as the administrator of the home account. */
export function client(
  { endpoint }: Sandbox,
  credentials: Keys = { accessKeyId: HOME, secretAccessKey: 'none' },
  region = 'eu-west-1',
) {
  return { endpoint, region, credentials, maxAttempts: 1 };
}

/** Makes a role in an account, and answers its ARN. */
export function addRole(
  sandbox: Sandbox,
  {
    name = 'tried',
    account = HOME,
    trust = { Principal: { AWS: HOME } },
    statements = [],
    maxSessionSeconds = 3600,
  }: {
    name?: string;
    account?: string;
    trust?: Readonly<Record<string, unknown>>;
    statements?: readonly unknown[];
    maxSessionSeconds?: number;
  },
): string {
  const arn = `arn:aws:iam::${account}:role/${name}`;
  const document = (Statement: unknown): unknown => ({ Version: '2012-10-17', Statement });
  sandbox.iam.addRole({
    arn,
    account,
    stack: 'test',
    logicalId: name,
    trust: parsePolicy('trust', document([{ Effect: 'Allow', Action: 'sts:AssumeRole', ...trust }]), 'trust'),
    policies: [parsePolicy('identity', document(statements), 'policy')],
    maxSessionSeconds,
  });
  return arn;
}

/** Keys of a session. */
export async function assume(
  sandbox: Sandbox,
  RoleArn: string,
  input: Partial<AssumeRoleCommandInput> = {},
  as?: Keys,
): Promise<Required<Keys> & { readonly expiration: Date | undefined }> {
  const sts = new STSClient(client(sandbox, as));
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session', ...input }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = Credentials ?? {};
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}
