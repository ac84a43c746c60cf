import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  bundleSize,
  eagerModules,
  importsOf,
  LAMBDA_ENVIRONMENT,
  type PackagedFunction,
  readPackage,
  unpack,
} from '../../bench/bundles.ts';
import { functionFiles } from '../../packaging/functions.ts';
import { readRulesDocument } from '../../packaging/rules-file.ts';
import { request } from '../support/examples.ts';
import { ACROSS_ACCOUNTS_RULES, packagedService } from '../support/packaged.ts';

let functions: readonly PackagedFunction[];
let folder: string;
beforeAll(async () => {
  functions = readPackage((await packagedService('test', ACROSS_ACCOUNTS_RULES)).dir);
  folder = mkdtempSync(join(tmpdir(), 'bundles-')); // has no node_modules, nor has a folder above it
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of those that call EC2, one that does so only if the ledger has a copy. */
const SELDOM_CALLING_EC2 = ['requestCopy'];

/** Which functions call what; the others hold no SDK. */
const CALLING: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-ec2': [
    'admitCopies',
    'checkCopy',
    'healLostEvents',
    'lookAtSources',
    'onSnapshotEvent',
    'prepareSource',
    'releaseSource',
    'removeFailedCopy',
    'requestCopy',
    'startCopy',
    'tagCopy',
  ],
  '@aws-sdk/client-dynamodb': [
    'admitCopies',
    'healLostEvents',
    'onCopyEnded',
    'onSnapshotEvent',
    'requestCopy',
    'returnToQueue',
    'startCopy',
    'sweep',
  ],
  '@aws-sdk/client-kms': ['explainFailure', 'lookAtSources', 'prepareSource'],
  '@aws-sdk/client-sfn': [
    'admitCopies',
    'healLostEvents',
    'onCopyEnded',
    'onSnapshotEvent',
    'releaseSource',
    'requestCopy',
    'sweep',
  ],
  '@aws-sdk/client-sns': ['onCopyEnded', 'onSnapshotEvent', 'sweep'],
  '@aws-sdk/client-sts': [
    'explainFailure',
    'healLostEvents',
    'lookAtSources',
    'onSnapshotEvent',
    'prepareSource',
    'releaseSource',
    'tagCopy',
  ],
};
const calling = (client: string) => CALLING[`@aws-sdk/client-${client}`] ?? [];
const CALLING_AWS = [...new Set(Object.values(CALLING).flat())].toSorted();

const modulesOf = ({ files }: PackagedFunction) => [...files].filter(([path]) => path.endsWith('.mjs'));
const textOf = (of: PackagedFunction) =>
  modulesOf(of)
    .map(([, code]) => code)
    .join('\n');

it('every function is packaged', () => {
  const folders = functions.map(({ files }) => dirname([...files.keys()][0] ?? ''));
  expect(folders.toSorted()).toEqual(functionFiles().map((name) => `dist/${name}`));
});

describe('every function is small', () => {
  // kB of 1,000 bytes.
  it('at most 450 kB of JavaScript', () => {
    for (const of of functions) expect(bundleSize(of).minifiedKb, of.name).toBeLessThanOrEqual(450);
  });

  it('at most 140 kB zipped, in all: the file that is uploaded', () => {
    for (const of of functions) expect(bundleSize(of).zippedKb, of.name).toBeLessThanOrEqual(140);
  });

  it('at most 260 kB of it loaded at each cold start', () => {
    for (const of of functions) expect(bundleSize(of).eagerKb, of.name).toBeLessThanOrEqual(260);
  });

  it('and has no source maps in it', () => {
    for (const { name, files } of functions) {
      expect(
        [...files.keys()].filter((path) => !/\.mjs$|\/copy-rules\.json$/.test(path)),
        name,
      ).toEqual([]);
    }
  });
});

describe('every function has all that it needs', () => {
  it('among it the rules, if it asks them: as data, the file that was packaged', () => {
    const asking = functions.filter((of) => textOf(of).includes('copy-rules.json')).map(({ name }) => name);
    expect(asking).toEqual([
      'admitCopies',
      'explainFailure',
      'healLostEvents',
      'lookAtSources',
      'onSnapshotEvent',
      'releaseSource',
      'requestCopy',
      'sweep',
    ]);
    for (const { name, files } of functions) {
      const rules = [...files].find(([path]) => path.endsWith('/copy-rules.json'))?.[1];
      expect(rules !== undefined, name).toBe(asking.includes(name));
      if (rules !== undefined) expect(JSON.parse(rules)).toEqual(readRulesDocument(ACROSS_ACCOUNTS_RULES));
    }
  });

  it('and imports nothing else but built-in modules of Node', () => {
    for (const of of functions) {
      for (const [path, code] of modulesOf(of)) {
        const { fixed, later } = importsOf(code);
        for (const specifier of [...fixed, ...later]) {
          const found = specifier.startsWith('./')
            ? of.files.has(join(dirname(path), specifier))
            : specifier.startsWith('node:') && builtinModules.includes(specifier.slice('node:'.length));
          expect(found, `${of.name}: ${path} imports ${specifier}`).toBe(true);
        }
      }
    }
  });

  it('so each of its modules loads where there are no node_modules, and index.mjs has the handler', () => {
    for (const of of functions) {
      const entry = unpack(of, join(folder, of.name));
      const urls = modulesOf(of).map(([path]) => pathToFileURL(join(folder, of.name, path)).href);
      const code = `
        for (const url of ${JSON.stringify(urls)}) await import(url);
        const { handler } = await import(${JSON.stringify(pathToFileURL(entry).href)});
        console.log(typeof handler);`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
        cwd: folder,
        env: LAMBDA_ENVIRONMENT,
        encoding: 'utf8',
      });
      expect(stderr, of.name).toBe('');
      expect(stdout.trim(), of.name).toBe('function');
    }
  });
});

describe('the AWS SDK in a function', () => {
  const versions = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).dependencies;

  it('is the version that is pinned in package.json', () => {
    for (const of of functions) {
      const wanted = Object.keys(CALLING).filter((client) => CALLING[client]?.includes(of.name));
      const pinned = new Set(wanted.map((client) => versions[client] ?? 'not pinned'));
      for (const version of new Set(Object.keys(CALLING).map((client) => versions[client] ?? ''))) {
        expect(version).toMatch(/^\d+\.\d+\.\d+$/);
        const has = textOf(of).includes(`\`${version}\``) || textOf(of).includes(`"${version}"`);
        expect({ of: of.name, version, has }).toEqual({ of: of.name, version, has: pinned.has(version) });
      }
    }
  });

  it('knows the actions of EC2 and DynamoDB that are used, and none of the hundreds of others', () => {
    const ec2 = ['DescribeSnapshots', 'CopySnapshot', 'CreateTags', 'DeleteSnapshot'];
    const ec2Unused = [
      'RunInstances',
      'CreateVolume',
      'DescribeInstances',
      'CreateSnapshots',
      'ResetSnapshotAttribute',
    ];
    const dynamoDb = ['GetItem', 'PutItem', 'Query'];
    const dynamoDbUnused = ['BatchGetItem', 'CreateTable', 'DeleteItem', 'Scan', 'TransactWriteItems', 'UpdateItem'];
    for (const of of functions) {
      const { name } = of;
      if (calling('ec2').includes(name)) expect(namesIn(textOf(of), [...ec2, ...ec2Unused]), name).toEqual(ec2);
      if (!calling('dynamodb').includes(name)) continue;
      expect(namesIn(textOf(of), [...dynamoDb, ...dynamoDbUnused]), name).toEqual(dynamoDb);
    }
  });

  it('is loaded at a cold start only for EC2, by those that always call it; the other clients when it comes to it', () => {
    for (const of of functions) {
      const eager = [...eagerModules(of.files)].map((path) => of.files.get(path) ?? '').join('\n');
      const others = ['PutItem', 'StartExecution', 'Publish', 'AssumeRole', 'DescribeKey'];
      expect(namesIn(eager, others), of.name).toEqual([]);
      const always = calling('ec2').includes(of.name) && !SELDOM_CALLING_EC2.includes(of.name);
      expect(namesIn(eager, ['AmazonEC2']), of.name).toEqual(always ? ['AmazonEC2'] : []);
    }
  });

  it('has nothing of the ways to get credentials that Lambda never goes', () => {
    // Words of the providers for SSO, logins, processes, web identities, ini files and containers.
    const marks = [
      'sso_session',
      'login_session',
      'credential_process',
      'web_identity_token_file',
      'source_profile',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    ];
    for (const of of functions) expect(wordsIn(textOf(of), marks), of.name).toEqual([]);
  });

  it('signs with the credentials that Lambda gives in the environment, session token included', async () => {
    const calls: { readonly by: string; readonly token: string }[] = [];
    const server = createServer((request, response) => {
      const [, key, service] =
        /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
      calls.push({ by: `${key} at ${service}`, token: String(request.headers['x-amz-security-token']) });
      response.writeHead(403).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    try {
      for (const of of functions.filter(({ name }) => CALLING_AWS.includes(name))) {
        await invoke(unpack(of, join(folder, of.name)), INPUTS[of.name], endpoint);
        const [first] = calls.splice(0);
        expect(first, of.name).toEqual({
          by: expect.stringMatching(/^AKIDOFLAMBDA at (ec2|dynamodb|kms|sts)$/),
          token: 'a-session-token',
        });
      }
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('is not accompanied by that of X-Ray: active tracing needs none', () => {
    for (const of of functions) expect(wordsIn(textOf(of), ['aws-xray-sdk', 'AWSXRay']), of.name).toEqual([]);
  });
});

function wordsIn(text: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => text.includes(word));
}

/** Those that are whole texts of the code, however it quotes them. */
function namesIn(text: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => new RegExp(`[\`"']${name}[\`"']`).test(text));
}

const execution = {
  arn: 'arn:aws:states:eu-west-1:444455556666:execution:copier:e',
  name: 'snap-0a1b2c3d4e5f60718-eu-central-1-1',
  startTime: '2026-03-02T04:31:27.000Z',
  stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier',
};
const copy = { copyId: 'snap-0c', progressPercent: 0, adopted: false, action: 'wait', waitSeconds: 9, reason: 'x' };
const task = { execution, data: { ...request(), copy } };
/** Of an execution whose deadline is not over: else nothing would be called. */
const ofSource = {
  execution: { ...execution, startTime: new Date().toISOString() },
  data: request({ source: { ownerId: '111122223333', companion: { reencrypt: false } } }),
};
/** One that ended for want of a key, which is looked at for the alert. */
const withoutKey = {
  execution,
  data: {
    ...request({
      source: { encrypted: true },
      destination: { encryption: { kind: 'key', kmsKey: 'alias/dr-copies' } },
    }),
    copy: {
      ...copy,
      state: 'error',
      action: 'giveUp',
      failure: { name: 'CopyEndedInError', message: 'Given key ID is not accessible' },
    },
  },
};
const ended = {
  executionArn: execution.arn,
  stateMachineArn: execution.stateMachineArn,
  name: execution.name,
  status: 'FAILED',
  startDate: 1772425887000,
  input: JSON.stringify(request()),
  error: 'CopyFailed',
};

/** Something to do for each function that calls AWS. */
const INPUTS: Readonly<Record<string, unknown>> = {
  admitCopies: { execution: { id: 'e', startTime: execution.startTime }, wake: { region: 'eu-central-1' } },
  checkCopy: task,
  explainFailure: withoutKey,
  healLostEvents: {},
  lookAtSources: { ask: 'begunOn', account: '111122223333', region: 'eu-west-1', days: ['2026-03-02'] },
  onCopyEnded: { detail: ended },
  onSnapshotEvent: {
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    region: 'eu-west-1',
    time: execution.startTime,
    detail: { event: 'createSnapshot', result: 'succeeded', snapshot_id: 'snap-0a1b2c3d4e5f60718' },
  },
  prepareSource: ofSource,
  releaseSource: { look: 'everywhere' },
  removeFailedCopy: task,
  requestCopy: request(),
  returnToQueue: task,
  startCopy: task,
  sweep: {},
  tagCopy: task,
};

/** Calls the handler in a process of its own. That the function then fails is no matter. */
async function invoke(entry: string, input: unknown, endpoint: string): Promise<void> {
  const code = `
    const { handler } = await import(${JSON.stringify(pathToFileURL(entry).href)});
    await handler(${JSON.stringify(input)}, { functionName: 'f', awsRequestId: 'r' }).catch(() => {});
    process.exit();`;
  const env = {
    ...LAMBDA_ENVIRONMENT,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIDOFLAMBDA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'a-session-token',
    AWS_MAX_ATTEMPTS: '1',
  };
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { env });
}
