import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { functionFiles } from './functions.ts';
import { readRulesDocument } from './rules-file.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** The functions that ask the rules. */
const ASK_RULES = [
  'on-snapshot-event',
  'admit-copies',
  'explain-failure',
  'sweep',
  'heal-lost-events',
  'request-copy',
  'release-source',
  'look-at-sources',
];

/**
 * Writes dist/<function>/index.mjs, its chunks and source maps, for each function, and the rules beside those that
 * ask them.
 *
 * @param serviceDir where serverless.yml is, and dist/ shall be.
 *
 * rolldown, because the EC2 client's generated schemas defeat esbuild's tree shaking, and with code splitting, because
 * in a single file clients that are seldom needed are parsed at each cold start: `npm run bench`.
 */
export async function bundleFunctions(rulesFile: string, serviceDir: string): Promise<void> {
  const rules = JSON.stringify(readRulesDocument(rulesFile));
  // One after the other: all at once takes no less time, and twice the memory.
  for (const name of functionFiles()) await bundleFunction(name, join(serviceDir, 'dist', name));
  for (const name of ASK_RULES) await writeFile(join(serviceDir, 'dist', name, 'copy-rules.json'), rules);
}

/** What a function loads at each start, together: left to itself, rolldown makes many small chunks, which compress worse. */
const CHUNKS = [{ name: 'init', tags: ['$initial' as const] }];

async function bundleFunction(name: string, dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const bundle = await rolldown({
    cwd: repository,
    input: { index: `functions/${name}.ts` },
    platform: 'node',
    resolve: {
      mainFields: ['module', 'main'],
      alias: { '@aws-sdk/credential-provider-node': join(repository, 'aws/lambda-credentials.ts') },
    },
    transform: { target: 'node24' },
    onLog(level, log, handler) {
      handler(level === 'warn' ? 'error' : level, log);
    },
  });
  await bundle.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    codeSplitting: { groups: CHUNKS },
    minify: true,
    sourcemap: 'hidden', // the maps stay in dist/
    sourcemapExcludeSources: true,
    comments: { legal: false },
  });
  await bundle.close();
}
