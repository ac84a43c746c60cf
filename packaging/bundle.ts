import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { functionFiles } from './functions.ts';
import { readRulesDocument } from './rules-file.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

/**
 * Writes dist/<function>/index.mjs, its chunks and source maps, for each function, and the rules beside the one that
 * asks them.
 *
 * @param serviceDir where serverless.yml is, and dist/ shall be.
 *
 * rolldown, because the EC2 client's generated schemas defeat esbuild's tree shaking, and with code splitting, because
 * in a single file the credential providers that Lambda never uses are parsed at each cold start: `npm run bench`.
 */
export async function bundleFunctions(rulesFile: string, serviceDir: string): Promise<void> {
  const rules = JSON.stringify(readRulesDocument(rulesFile));
  // One after the other: all at once takes no less time, and twice the memory.
  for (const name of functionFiles()) await bundleFunction(name, join(serviceDir, 'dist', name));
  await writeFile(join(serviceDir, 'dist/on-snapshot-event/copy-rules.json'), rules);
}

/**
 * What a function loads at each start, together; and apart from it what the SDK keeps for other ways to get credentials
 * (files, SSO, processes …). Left to itself, rolldown makes some thirty chunks, which compress worse by a sixth.
 */
const CHUNKS = [
  { name: 'init', tags: ['$initial' as const], priority: 2 },
  { name: 'credentials', test: /credential-provider|nested-clients|token-providers/, priority: 1 },
];

async function bundleFunction(name: string, dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const bundle = await rolldown({
    cwd: repository,
    input: { index: `functions/${name}.ts` },
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
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
