import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';

const CFN_LINT = 'cfn-lint';

const findings = z.array(z.object({ Level: z.string(), Message: z.string(), Rule: z.object({ Id: z.string() }) }));

/** The version that is installed, if any; else says loudly that the checks of `what` are left out. */
export function installedCfnLint(what: string): string | undefined {
  try {
    return execFileSync(CFN_LINT, ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    console.warn(`\n*** cfn-lint is not installed (pip install cfn-lint): its check of ${what} is SKIPPED ***\n`);
    return undefined;
  }
}

/** What cfn-lint finds in a template, as it would be deployed to these Regions: `Error E1010: …`. */
export async function cfnLint(file: string, regions: readonly string[]): Promise<readonly string[]> {
  const args = ['-t', file, '--format', 'json', '--regions', ...regions];
  // It exits with an error when it has findings, and its output says which.
  const { stdout } = await promisify(execFile)(CFN_LINT, args).catch((failure: unknown) =>
    z.object({ stdout: z.string() }).parse(failure),
  );
  return findings.parse(JSON.parse(stdout)).map(({ Level, Rule, Message }) => `${Level} ${Rule.Id}: ${Message}`);
}
