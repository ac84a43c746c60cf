import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORK_DIR } from '../../sandbox/work-dir.ts';
import { SCENARIOS } from './scenarios.ts';
import { type Deployed, type Played, play } from './scene.ts';
import { type DeployedStatement, type Templates, without } from './statements.ts';

const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';

/**
 * Deploys without a statement, and plays scenarios until something goes wrong. Undefined: nothing did.
 * @param candidates names of scenarios
 */
export async function playWithout(
  statement: DeployedStatement,
  candidates: readonly string[],
  { deployed, templates }: { readonly deployed: Deployed; readonly templates: Templates },
): Promise<Played['trouble']> {
  const folder = join(WORK_DIR, `package-${process.pid}-without`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const mutant = deployedWithout(statement, folder, deployed, templates);
  for (const scenario of SCENARIOS.filter(({ name }) => candidates.includes(name))) {
    const { trouble } = await play(scenario, mutant);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

function deployedWithout(
  { template, path }: DeployedStatement,
  folder: string,
  deployed: Deployed,
  templates: Templates,
): Deployed {
  const file = join(folder, template === 'service' ? TEMPLATE_FILE : `${template}.json`);
  // JSON is YAML, too.
  writeFileSync(file, JSON.stringify(without(templates[template], path)));
  switch (template) {
    case 'source-account':
      return { ...deployed, sourceAccount: file };
    case 'destination-region':
      return { ...deployed, destinationRegion: file };
    case 'service':
      for (const name of readdirSync(deployed.packageDir)) {
        if (name !== TEMPLATE_FILE) symlinkSync(join(deployed.packageDir, name), join(folder, name));
      }
      return { ...deployed, packageDir: folder };
  }
}
