import type { Step } from './alert-layout.ts';
import { shellWord } from './shell-word.ts';
import type { ActingInstall } from './source-account.ts';

/** What a companion that is not there yet has to be told; `deploy` overwrites the Regions of one that is. */
export function firstParameters({ name, account, region }: ActingInstall): Readonly<Record<string, string>> {
  return { TargetAccount: account, EventBus: name, Regions: region };
}

/** Goes with `firstParameters`. */
export const KEEP_REGIONS =
  'If a companion is there already with more Regions, name them all, with commas between them.';

/**
 * The step that brings the companion of a source account up to date. `deploy` leaves parameters that are not named as they
 * are: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/
 */
export function updateCompanion(
  { account, region }: { readonly account: string; readonly region: string },
  why: string,
  parameters: Readonly<Record<string, string>>,
): Step {
  const overrides = Object.entries(parameters).map(([name, value]) => shellWord(`${name}=${value}`));
  return {
    say: `${why} As an administrator of account ${account}, in a checkout of this product, once for each Region of the companion (with a StackSet: update that instead; the stack is called as its template says, if nobody chose another name):`,
    run: [
      `aws cloudformation deploy --region ${region} --stack-name snapshot-copier-source`,
      '--template-file companions/source-account.yml --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset',
      `--parameter-overrides ${overrides.join(' ')}`,
    ],
  };
}
