import type { Destination, Encryption } from './destination.ts';
import { RulesError } from './errors.ts';
import { crossCheck } from './rules/cross-checks.ts';
import { LIMITS, USUAL_DESCRIPTION } from './rules/limits.ts';
import { printProblems, type RuleProblem } from './rules/problems.ts';
import type { DestinationAsWritten, RuleAsWritten } from './rules/schema.ts';
import { checkShape } from './rules/shape.ts';

/** One rule of `copy-rules.yml`, checked and complete (defaults filled in). */
export interface CopyRule {
  readonly name: string;
  readonly select: Selection;
  readonly destinations: readonly Destination[];
  /** Do everything but copy, and report what would happen. */
  readonly dryRun: boolean;
  /**
   * Copy what is under `aws/ebs` in a source account, and so cannot be shared, under a shareable key there first. Only
   * snapshots of `SourceAccounts` can be helped so.
   */
  readonly reencrypt?: true;
}

/** The accounts that have companions/source-account.yml: their snapshots are seen with their tags, and shared when needed. */
export interface SourceAccounts {
  /** 12 digits each. */
  readonly accounts: readonly string[];
  /** Whose accounts may send events; without it the listed accounts may. */
  readonly organization?: string;
  /** What the companions' roles want to hear; without it the name of the install. */
  readonly externalId?: string;
}

export const NO_SOURCE_ACCOUNTS: SourceAccounts = { accounts: [] };

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

interface Selection extends Criteria {
  /** Selected by the above, but not if all that is given here matches. */
  readonly except?: Criteria;
}

/**
 * The rules in a document that was read from YAML or JSON.
 *
 * @throws RulesError that lists every problem.
 */
export function parseRules(document: unknown): readonly CopyRule[] {
  return parseRulesFile(document).rules;
}

/** The same, with the source accounts. */
export function parseRulesFile(document: unknown): {
  readonly rules: readonly CopyRule[];
  readonly sourceAccounts: SourceAccounts;
} {
  const { problems, ...right } = checkRules(document);
  if (problems.length > 0) throw new RulesError(`The copy rules are wrong. ${printProblems(problems)}`);
  return right;
}

/** The rules, or else every problem at once; never both, never neither. Takes anything and never throws. */
export function checkRules(document: unknown): {
  readonly rules: readonly CopyRule[];
  readonly sourceAccounts: SourceAccounts;
  readonly problems: readonly RuleProblem[];
} {
  const { file, problems: ofShape } = checkShape(document);
  const problems = [...ofShape, ...crossCheck(document)];
  if (problems.length > 0 || file === undefined) return { rules: [], sourceAccounts: NO_SOURCE_ACCOUNTS, problems };
  return { rules: file.rules.map(toRule), sourceAccounts: file.sourceAccounts ?? NO_SOURCE_ACCOUNTS, problems };
}

function toRule({ name, select = {}, destinations, dryRun = false, reencrypt = false }: RuleAsWritten): CopyRule {
  return {
    name,
    select,
    destinations: destinations.map(toDestination),
    dryRun,
    ...(reencrypt && { reencrypt }),
  };
}

function toDestination(written: DestinationAsWritten): Destination {
  const { completionDuration, deadline, encryption = 'as-source', tags = {}, ...given } = written;
  return {
    description: USUAL_DESCRIPTION,
    slots: LIMITS.slots.usual,
    ...given,
    encryption: toEncryption(encryption),
    tags: { copy: 'all', add: {}, ...tags },
    deadlineSeconds: deadline ?? LIMITS.deadlineSeconds.usual,
    ...(completionDuration !== undefined && { completionDurationMinutes: completionDuration / 60 }),
  };
}

function toEncryption(written: NonNullable<DestinationAsWritten['encryption']>): Encryption {
  return typeof written === 'string' ? { kind: written } : { kind: 'key', kmsKey: written.kmsKey };
}
