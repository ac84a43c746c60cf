import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
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
import { packagedService } from '../support/packaged.ts';

let functions: readonly PackagedFunction[];
let folder: string;
beforeAll(async () => {
  functions = readPackage((await packagedService()).dir);
  folder = mkdtempSync(join(tmpdir(), 'bundles-')); // has no node_modules, nor has a folder above it
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The functions that call AWS; the others hold no SDK. */
const CALLING_EC2 = ['checkCopy', 'onSnapshotEvent', 'removeFailedCopy', 'startCopy', 'tagCopy'];
const CALLING_AWS = [...CALLING_EC2, 'onCopyEnded'];

const modulesOf = ({ files }: PackagedFunction) => [...files].filter(([path]) => path.endsWith('.mjs'));
const textOf = (of: PackagedFunction, which: Iterable<string> = of.files.keys()) =>
  [...which].map((path) => of.files.get(path) ?? '').join('\n');

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
    const pinned = versions['@aws-sdk/client-ec2'] ?? '';
    expect(pinned).toMatch(/^\d+\.\d+\.\d+$/);
    for (const of of functions) {
      const has = textOf(of).includes(`\`${pinned}\``) || textOf(of).includes(`"${pinned}"`);
      expect(has, of.name).toBe(CALLING_AWS.includes(of.name));
    }
  });

  it('knows the EC2 actions that are used, and none of the hundreds of others', () => {
    const used = ['DescribeSnapshots', 'CopySnapshot', 'CreateTags', 'DeleteSnapshot'];
    const unused = ['RunInstances', 'CreateVolume', 'DescribeInstances', 'CreateSnapshots', 'ModifySnapshotAttribute'];
    for (const of of functions.filter(({ name }) => CALLING_EC2.includes(name))) {
      expect(wordsIn(textOf(of), [...used, ...unused]), of.name).toEqual(used);
    }
  });

  it('leaves ways to get credentials that Lambda never goes to where they are not loaded', () => {
    // Words of the SSO, login, process and web identity providers.
    const marks = ['sso_session', 'login_session', 'credential_process', 'web_identity_token_file'];
    for (const of of functions.filter(({ name }) => CALLING_AWS.includes(name))) {
      expect(wordsIn(textOf(of), marks), of.name).toEqual(marks);
      expect(wordsIn(textOf(of, eagerModules(of.files)), marks), of.name).toEqual([]);
    }
  });

  it('is not accompanied by that of X-Ray: active tracing needs none', () => {
    for (const of of functions) expect(wordsIn(textOf(of), ['aws-xray-sdk', 'AWSXRay']), of.name).toEqual([]);
  });
});

function wordsIn(text: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => text.includes(word));
}
