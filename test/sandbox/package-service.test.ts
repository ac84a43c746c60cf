import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { packageService } from '../../sandbox/package-service.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'package-service-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function packagedFor(region: string): Promise<string> {
  const rulesFile = join(folder, `${region}.yml`);
  writeFileSync(rulesFile, `rules:\n  - name: to-${region}\n    destinations:\n      - region: ${region}\n`);
  const packageDir = join(folder, region);
  await packageService({ rulesFile, packageDir });
  return packageDir;
}

describe('packaging for a sandbox', () => {
  it('may happen several times at once, each with its own rules, and leaves the folders of a deployment alone', async () => {
    const own = ['dist', '.serverless'].map((name) => join(repository, name));
    const seen = () => own.map((path) => (existsSync(path) ? statSync(path).mtimeMs : 'none'));
    const before = seen();
    const regions = ['eu-central-1', 'us-east-1'];
    const dirs = await Promise.all(regions.map(packagedFor));
    for (const [index, dir] of dirs.entries()) {
      const zip = unzipSync(readFileSync(join(dir, 'onSnapshotEvent.zip')));
      const [rules = ''] = Object.keys(zip).filter((name) => name.endsWith('copy-rules.json'));
      expect(Buffer.from(zip[rules] ?? []).toString()).toContain(`to-${regions[index]}`);
      expect(readFileSync(join(dir, 'cloudformation-template-update-stack.json'), 'utf8')).toContain(regions[index]);
    }
    expect(seen()).toEqual(before);
    const left = readdirSync(join(repository, '.sandbox')).filter((name) => name.startsWith(`service-${process.pid}-`));
    expect(left).toEqual([]);
  });
});
