const STATIC_CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

/**
 * Has every client of the process use a profile, as the AWS command line chooses it: one that is named wins over
 * credentials in the environment, and one that is in the environment does not. The SDK, left with both, warns that it
 * may choose otherwise one day.
 *
 * @param named with --profile
 * @param usual without it
 */
export function useProfile(named: string | undefined, usual: string | undefined = process.env['AWS_PROFILE']): void {
  if (named !== undefined) {
    for (const name of STATIC_CREDENTIALS) delete process.env[name];
    process.env['AWS_PROFILE'] = named;
  } else if (process.env['AWS_ACCESS_KEY_ID'] === undefined) {
    if (usual !== undefined) process.env['AWS_PROFILE'] = usual;
  } else {
    delete process.env['AWS_PROFILE'];
  }
}
