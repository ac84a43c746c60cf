import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageService } from '../../sandbox/package-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'wrong-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

function packaged(rules: string, stage?: string): Promise<string> {
  const rulesFile = join(folder, 'copy-rules.yml');
  writeFileSync(rulesFile, rules);
  const options = { rulesFile, packageDir: join(folder, 'package'), ...(stage !== undefined && { stage }) };
  return packageService(options).then(
    () => 'packaged',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

describe('packaging stops', () => {
  it('at a wrong rules file, and lists every problem once with its path, what was found and an example', async () => {
    const said = await packaged(
      'rules:\n  - name: nightly\n    destinations:\n      - region: frankfurt\n        deadline: soon\n',
    );
    for (const text of ['rules[0].destinations[0].region', '"frankfurt"', 'eu-central-1', 'line 4', '"soon"', '48h']) {
      expect(said.split(text), text).toHaveLength(2);
    }
  });

  it('at a stage whose name would break the policy of the stuck-events queue', async () => {
    const rules = 'rules:\n  - name: nightly\n    destinations:\n      - region: eu-central-1\n';
    expect(await packaged(rules, 'a-stage-with-a-very-long-name')).toContain(
      '--stage is "a-stage-with-a-very-long-name"',
    );
  });
});
