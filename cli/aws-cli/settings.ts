import { readFileSync } from 'node:fs';
import { setDefaultCACertificates } from 'node:tls';
import type { Profiles } from '../../aws/shared-config.ts';
import { CliProblem } from '../cli-problem.ts';
import { useProfile } from '../use-profile.ts';
import type { GlobalOptions, OwnOptions } from './arguments.ts';
import { AWS_CLI_FAILED, failed } from './aws-cli-problem.ts';
import type { OutputFormat } from './output.ts';

/** What options, environment and profile say together. */
export interface AwsSettings {
  /** Where the copy goes; undefined if nobody says. */
  readonly region?: string;
  readonly profile?: string;
  readonly output: OutputFormat;
  readonly caBundle?: string;
  /** What is not done as it was asked for, for people. */
  readonly remarks: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options win over the environment, and that over the profile:
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-quickstart.html#cli-configure-quickstart-precedence
 *
 * @throws CliProblem if the profile is not there, or something is asked for that there is not
 */
export function settingsOf(
  { globals, own }: { readonly globals: GlobalOptions; readonly own: OwnOptions },
  environment: Environment,
  profiles: Profiles,
): AwsSettings {
  const variable = (name: string) => (environment[name] === '' ? undefined : environment[name]);
  const profile = globals.profile ?? variable('AWS_DEFAULT_PROFILE') ?? variable('AWS_PROFILE');
  const configured = profiles.get(profile ?? 'default');
  if (profile !== undefined && configured === undefined) {
    throw failed(`The config profile (${profile}) could not be found`);
  }
  const region = globals.region ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION') ?? configured?.['region'];
  const caBundle = globals.caBundle ?? variable('AWS_CA_BUNDLE') ?? configured?.['ca_bundle'];
  if (!globals.signRequest) throw failed('--no-sign-request is not possible: EC2 answers signed calls only.');
  if (globals.output === 'table') throw failed('--output table is not possible: there are json and text.');
  const chosen = globals.output ?? (own.json ? 'json' : undefined);
  const usual = variable('AWS_DEFAULT_OUTPUT') ?? configured?.['output'] ?? 'json';
  if (chosen === undefined && !['json', 'text', 'table'].includes(usual)) throw failed(`Unknown output type: ${usual}`);
  const saysTable = chosen === undefined && usual === 'table';
  return {
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    output: chosen ?? (usual === 'text' ? 'text' : 'json'),
    ...(caBundle !== undefined && { caBundle }),
    remarks: [
      ...(saysTable ? ['There is no output as a table: this is JSON. --output json or text says so at once.'] : []),
      ...(globals.debug ? ['--debug shows nothing here: a request holds credentials.'] : []),
    ],
  };
}

/** @throws CliProblem if there is none, or it can be none */
export function regionIn({ region }: AwsSettings): string {
  if (region === undefined) {
    throw new CliProblem(
      'You must specify a region. You can also configure your region by running "aws configure".',
      AWS_CLI_FAILED,
    );
  }
  return checkedRegion(region);
}

/** @throws CliProblem if that cannot be a part of a host's name */
export function checkedRegion(region: string): string {
  if (/^(?!\d+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/.test(region)) return region;
  throw failed(`Provided region_name '${region}' doesn't match a supported format.`);
}

/** Has every client of the process use the profile, and trust whom the settings trust. */
export function applySettings({ profile, caBundle }: AwsSettings, { verifySsl, ...given }: GlobalOptions): void {
  useProfile(given.profile, profile);
  // Node says itself that this is insecure.
  if (!verifySsl) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  else if (caBundle !== undefined) setDefaultCACertificates([readBundle(caBundle)]);
}

function readBundle(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw failed(`Could not find a suitable TLS CA certificate bundle, invalid path: ${file}`);
  }
}
