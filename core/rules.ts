import type { Destination } from './destination.ts';

/** One rule of `copy-rules.yml`, checked and complete (defaults filled in). */
export interface CopyRule {
  readonly name: string;
  readonly select: Selection;
  readonly destinations: readonly Destination[];
  /** Do everything but copy, and report what would happen. */
  readonly dryRun: boolean;
}

/** All that is given must match; nothing given selects every snapshot. */
export interface Criteria {
  /** Tag key to any of these values; `true` = the key is there. */
  readonly tags?: Readonly<Record<string, true | readonly string[]>>;
  /** Account ids of 12 digits, or `self`. */
  readonly owners?: readonly string[];
  /** A regular expression (JavaScript, `u` flag) that the description must match somewhere. */
  readonly description?: string;
  readonly volumes?: readonly string[];
  /** Regions of the source snapshot. */
  readonly regions?: readonly string[];
}

export interface Selection extends Criteria {
  /** Selected by the above, but not if all that is given here matches. */
  readonly except?: Criteria;
}
