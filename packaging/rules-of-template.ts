import { basename, isAbsolute, relative } from 'node:path';
import * as z from 'zod';
import { plainError } from './plain-error.ts';
import { type RulesText, readRulesText } from './rules-text.ts';

/**
 * The template carries the text of its rules, so that whoever may read the stack sees what is deployed:
 * `Metadata.SnapshotCopier`. CloudFormation keeps what is in there as it is:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html
 * An update cannot change Metadata alone, says that page: osls gives the functions' artifacts other names with every
 * deployment, so that a changed comment arrives as well.
 */
const template = z.object({
  Metadata: z.object({ SnapshotCopier: z.object({ RulesFile: z.string(), RulesText: z.string() }) }),
});

/**
 * CloudFormation takes templates of 1 MB: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 * Without the text that of a usual install has 0.2 MB.
 */
const LONGEST = 500_000;

/**
 * The section `Metadata` of the packaged template.
 *
 * @throws Error, for people to read as it is, if the text is too long for a template
 */
export function rulesMetadata({ file, text }: Pick<RulesText, 'file' | 'text'>): z.infer<typeof template>['Metadata'] {
  const RulesText = encode(text);
  if (RulesText.length > LONGEST) {
    throw plainError(
      `${file} is too long: in the CloudFormation template, which carries its text, it takes ${RulesText.length} characters of ${LONGEST}. Shorten comments, or share what repeats itself with anchors.`,
    );
  }
  return { SnapshotCopier: { RulesFile: encode(nameOf(file)), RulesText } };
}

/**
 * The rules that a template was packaged with.
 *
 * @param given the template, or its text as GetTemplate tells it
 * @returns undefined if the template carries none: it is of an older version, or not of this service
 * @throws Error as `readRulesText`, if they are of a version whose rules this one does not understand
 */
export function readRulesOfTemplate(given: unknown): RulesText | undefined {
  const read = template.safeParse(typeof given === 'string' ? parsedJson(given) : given);
  if (!read.success) return undefined;
  const { RulesFile, RulesText } = read.data.Metadata.SnapshotCopier;
  return readRulesText(decode(RulesFile), decode(RulesText));
}

/** osls deploys JSON; a template in YAML is none of ours. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * JSON in ASCII alone: GetTemplate shows any other character as a question mark
 * (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220). Dollars and doubled braces are
 * written as escapes too, because osls reads `${…}` and CloudFormation `{{resolve:…}}` wherever they stand.
 */
function encode(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^ -~]|\$|\{(?=\{)/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function decode(json: string): string {
  return z.string().parse(JSON.parse(json));
}

/** Relative to the service, or the name alone: where a file lies on somebody's machine is nobody's business. */
function nameOf(file: string): string {
  if (!isAbsolute(file)) return file;
  const within = relative(process.cwd(), file);
  return within.startsWith('..') || isAbsolute(within) ? basename(file) : within;
}
