import type { Install } from '../install.ts';

/** The install that is examined; before the first deployment the one that is meant, which has no role yet. */
export interface Site extends Omit<Install, 'roleArn'> {
  readonly roleArn: string | undefined;
}
