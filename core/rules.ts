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
  const { rules, problems } = checkRules(document);
  if (problems.length > 0) throw new RulesError(`The copy rules are wrong. ${printProblems(problems)}`);
  return rules;
}

/** The rules, or else every problem at once; never both, never neither. Takes anything and never throws. */
export function checkRules(document: unknown): {
  readonly rules: readonly CopyRule[];
  readonly problems: readonly RuleProblem[];
} {
  const { file, problems: ofShape } = checkShape(document);
  const problems = [...ofShape, ...crossCheck(document)];
  return { rules: problems.length === 0 && file !== undefined ? file.rules.map(toRule) : [], problems };
}

function toRule({ name, select = {}, destinations, dryRun = false }: RuleAsWritten): CopyRule {
  return { name, select, destinations: destinations.map(toDestination), dryRun };
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
