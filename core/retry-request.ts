import type { CopyRequest, CopySource } from './copy-request.ts';
import { type Destination, destinationId, type Encryption } from './destination.ts';
import { printDuration } from './duration.ts';
import { BY_HAND } from './hand-request.ts';
import type { CopyRule } from './rules.ts';

/** A request that is to be asked for again. */
export interface RetryRequest {
  readonly request: CopyRequest;
  /** How its settings differ from those of the last attempt, one by one, in words. */
  readonly changes: readonly string[];
  /** Why the settings are those of then, where those of today were wanted. */
  readonly keptBecause?: string;
}

/**
 * The request as it is asked for again: what is known of the source as it was, and the settings that its rule has for the
 * destination today, for whoever mended a key there means that one. A rule that is gone, or copies there no more, leaves
 * the settings as they were; so does one that somebody made by hand.
 */
export function retryRequest(before: CopyRequest, rules: readonly CopyRule[]): RetryRequest {
  if (before.rule === BY_HAND) return { request: before, changes: [] };
  const where = destinationId(before.destination);
  const rule = rules.find(({ name }) => name === before.rule);
  const destination = rule?.destinations.find((each) => destinationId(each) === where);
  if (rule === undefined) return kept(before, `there is no rule ${before.rule} any more`);
  if (destination === undefined) return kept(before, `rule ${before.rule} does not copy to ${where} any more`);
  if (rule.dryRun) return kept(before, `rule ${before.rule} is a dry run by now`);
  const { source, changes: ofSource } = sourceToday(before.source, rule);
  const changes = [...changesBetween(before.destination, destination), ...ofSource];
  return changes.length === 0 ? { request: before, changes } : { request: { ...before, source, destination }, changes };
}

/** What the rule says of the source, too, may be what somebody mended. */
function sourceToday(
  source: CopySource,
  rule: CopyRule,
): { readonly source: CopySource; readonly changes: readonly string[] } {
  const { companion } = source;
  const reencrypt = rule.reencrypt === true;
  if (companion === undefined || companion.reencrypt === reencrypt) return { source, changes: [] };
  return {
    source: { ...source, companion: { reencrypt } },
    changes: [`reencrypt: ${companion.reencrypt}, now ${reencrypt}`],
  };
}

function kept(request: CopyRequest, keptBecause: string): RetryRequest {
  return { request, changes: [], keptBecause };
}

function changesBetween(before: Destination, today: Destination): readonly string[] {
  const [was, is] = [settingsOf(before), settingsOf(today)];
  return is.flatMap(([name, now], index) => {
    const then = was[index]?.[1];
    return then === now ? [] : [`${name}: ${then}, now ${now}`];
  });
}

/** Each setting that a rule has for a destination, in words that are equal if the settings are. */
function settingsOf({
  encryption,
  description,
  tags,
  slots,
  deadlineSeconds,
  completionDurationMinutes: minutes,
}: Destination): readonly (readonly [name: string, words: string])[] {
  return [
    ['encryption', encryptionInWords(encryption)],
    ['description', `'${description}'`],
    ['tags that are copied', typeof tags.copy === 'string' ? tags.copy : tags.copy.join(', ') || 'none'],
    ['tags that are added', tagsInWords(tags.add)],
    ['slots', String(slots)],
    ['deadline', printDuration(deadlineSeconds)],
    ['completionDuration', minutes === undefined ? 'none' : printDuration(minutes * 60)],
  ];
}

function encryptionInWords(encryption: Encryption): string {
  return encryption.kind === 'key' ? encryption.kmsKey : encryption.kind;
}

function tagsInWords(tags: Readonly<Record<string, string>>): string {
  const all = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return all.map(([key, value]) => `${key}=${value}`).join(', ') || 'none';
}
