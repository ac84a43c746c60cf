import { loadSharedConfigFiles } from '@smithy/core/config';

/** Settings of the profiles in ~/.aws/config and ~/.aws/credentials, by their names. */
export type Profiles = ReadonlyMap<string, Readonly<Record<string, string | undefined>>>;

/** https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html */
export async function readProfiles(): Promise<Profiles> {
  const { configFile, credentialsFile } = await loadSharedConfigFiles();
  const names = new Set([...Object.keys(configFile), ...Object.keys(credentialsFile)]);
  return new Map([...names].map((name) => [name, { ...configFile[name], ...credentialsFile[name] }]));
}
