import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCloudFormationYaml } from '../../sandbox/cloudformation-yaml.ts';
import { packagedService } from '../support/packaged.ts';
import type { Deployed } from './scene.ts';
import type { Templates } from './statements.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Has every kind of statement derived. */
export const RULES: string = join(repository, 'test/permissions/copy-rules.yml');

/** The service, packaged with `RULES`, and the companions. */
export async function readDeployed(): Promise<{ readonly deployed: Deployed; readonly templates: Templates }> {
  const { dir, template } = await packagedService('test', RULES);
  const sourceAccount = join(repository, 'companions/source-account.yml');
  const destinationRegion = join(repository, 'companions/destination-region.yml');
  return {
    deployed: { packageDir: dir, sourceAccount, destinationRegion },
    templates: {
      service: template,
      'source-account': readCloudFormationYaml(readFileSync(sourceAccount, 'utf8')),
      'destination-region': readCloudFormationYaml(readFileSync(destinationRegion, 'utf8')),
    },
  };
}
