import { shellWord } from '../../core/shell-word.ts';

/** The options with which another command speaks to the install that copies: --region is the destination here, not there. */
export function sameInstall(stack: string | undefined): string {
  const { AWS_REGION: region = '', AWS_PROFILE: profile } = process.env;
  const given = (name: string, value: string | undefined) =>
    value === undefined ? '' : ` --${name} ${shellWord(value)}`;
  return `${given('region', region)}${given('stack', stack)}${given('profile', profile)}`;
}
