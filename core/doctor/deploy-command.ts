import { shellWord } from '../shell-word.ts';
import type { Site } from './site.ts';

/** How an install was deployed, or is to be. */
export interface Deployment {
  readonly install: Site;
  /** What its rules file is called. */
  readonly rulesFile: string;
  /** Of its stack; none before the first deployment. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The service in serverless.yml; the name of an install is this and its stage. */
const SERVICE = 'ebs-snapshot-copier';
const USUAL_RULES_FILE = 'copy-rules.yml';

/** The defaults of the parameters in serverless.yml; what is left out at a deployment goes back to them. */
export const USUAL_PARAMETERS: Readonly<Record<string, string>> = {
  AlertEmail: '',
  NoRecentCopyAlarm: 'on',
  Monitoring: 'on',
  KeepRequestsDays: '90',
  SweepMinutes: '5',
  LookbackHours: '24',
};

/** The command that deploys the install again, as it is but for `changes`; in the service's own folder. */
export function deployCommand(
  { install, rulesFile, parameters }: Deployment,
  changes: { readonly region?: string; readonly parameters?: Readonly<Record<string, string>> } = {},
): readonly string[] {
  const stage = install.name.startsWith(`${SERVICE}-`) ? install.name.slice(SERVICE.length + 1) : install.name;
  const wanted = Object.entries({ ...Object.fromEntries(parameters), ...changes.parameters })
    .filter(([name, value]) => Object.hasOwn(USUAL_PARAMETERS, name) && USUAL_PARAMETERS[name] !== value)
    .map(([name, value]) => `--param=${shellWord(`${name.slice(0, 1).toLowerCase()}${name.slice(1)}=${value}`)}`);
  const rules = rulesFile === USUAL_RULES_FILE ? '' : `COPY_RULES=${shellWord(rulesFile)} `;
  return [
    `${rules}npx serverless deploy --region ${changes.region ?? install.region} --stage ${shellWord(stage)}`,
    ...wanted,
  ];
}
