import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { companionSessions } from '../../aws/companion-role.ts';

const OWNER = '111122223333';
const install = { name: 'ebs-snapshot-copier-test', account: '444455556666', region: 'eu-west-1' };

/** An STS that answers what a test wants, and what it was asked. */
let answer: { readonly status: number; readonly body: string };
let asked: URLSearchParams[] = [];

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    asked.push(new URLSearchParams(body));
    response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
  });
});

/** As in https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
function session(arn: string, expires = new Date(Date.now() + 900_000)): typeof answer {
  const credentials = `<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expires.toISOString()}</Expiration>`;
  const result = `<Credentials>${credentials}</Credentials><AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>${arn}</Arn></AssumedRoleUser>`;
  return {
    status: 200,
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>${result}</AssumeRoleResult></AssumeRoleResponse>`,
  };
}

function refusal(code: string, status: number): typeof answer {
  return {
    status,
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>words of STS</Message></Error></ErrorResponse>`,
  };
}

const ROLE_SESSION = `arn:aws:sts::${OWNER}:assumed-role/ebs-snapshot-copier-test-for-444455556666/snapshot-copier`;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  server.close();
});

beforeEach(() => {
  asked = [];
  answer = session(ROLE_SESSION);
  const { port } = addressOf(server.address());
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'home');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('unreachable: a TCP server has a port');
  return address;
}

describe("a session of the companion's role", () => {
  it('is asked for by its name, for the shortest time, on behalf of this install', async () => {
    const credentials = await companionSessions(install, 'ext-1')(OWNER)();
    expect(credentials).toMatchObject({ accessKeyId: 'ASIA1', sessionToken: 't' });
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: `arn:aws:iam::${OWNER}:role/snapshot-copier/ebs-snapshot-copier-test-for-444455556666`,
      ExternalId: 'ext-1',
      DurationSeconds: '900',
    });
  });

  it('is kept for each account, until two minutes before it ends', async () => {
    const sessions = companionSessions(install, 'ext-1');
    await sessions(OWNER)();
    await sessions(OWNER)();
    expect(asked).toHaveLength(1);
    answer = session(ROLE_SESSION.replace(OWNER, '222233334444'), new Date(Date.now() + 119_000));
    await sessions('222233334444')();
    await sessions('222233334444')();
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['of another account', ROLE_SESSION.replace(OWNER, '999988887777')],
    ['of nobody', ''],
  ])('is not used if it is one %s', async (_whose, arn) => {
    answer = session(arn);
    await expect(companionSessions(install, 'ext-1')(OWNER)()).rejects.toMatchObject({
      name: 'SourceAccountRefusedError',
      message: expect.stringContaining(`is not of account ${OWNER}`),
    });
  });

  it.each([
    ['that is refused', refusal('AccessDenied', 403), 'SourceAccountRefusedError'],
    ['that is asked for too often', refusal('Throttling', 400), 'ThrottledError'],
    ['while STS is in trouble', refusal('InternalFailure', 500), 'ServiceTroubleError'],
    ['with credentials that have just ended', refusal('ExpiredToken', 403), 'ServiceTroubleError'],
  ])('%s', async (_what, refused, name) => {
    answer = refused;
    await expect(companionSessions(install, 'ext-1')(OWNER)()).rejects.toMatchObject({
      name,
      message: expect.stringContaining('words of STS'),
    });
  });
});
