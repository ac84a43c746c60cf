import { LIMITS } from './limits.ts';

/** What a right value of one field is, and how it is written. */
export interface Field {
  /** Ends the sentence "must be …". */
  readonly expected: string;
  readonly example: string;
  /** YAML reads an unquoted `no1` as text but `12` as a number: the same value, written as text. */
  readonly quoted?: (found: number | boolean) => string;
}

const quoted = (found: number | boolean) => JSON.stringify(String(found));
/** A number has lost the leading zeros of an account id. */
const quotedAccount = (found: number | boolean) => JSON.stringify(String(found).padStart(12, '0'));

const criteria = (at: string): readonly (readonly [string, Field])[] => [
  [`${at}.tags`, { expected: 'a mapping of tag keys to wanted values', example: '{ Backup: [nightly, weekly] }' }],
  [`${at}.tags.*`, { expected: 'a list of values, any of which will do, or true', example: '[nightly, weekly]' }],
  [`${at}.tags.*[]`, { expected: 'text', example: '"nightly"', quoted }],
  [`${at}.owners`, { expected: 'a list of account ids and self', example: '[self, "111122223333"]' }],
  [`${at}.owners[]`, { expected: 'self, or 12 digits in quotes', example: '"111122223333"', quoted: quotedAccount }],
  [`${at}.description`, { expected: 'a regular expression', example: '"^Created by "' }],
  [`${at}.volumes`, { expected: 'a list of volume ids', example: '[vol-0123456789abcdef0]' }],
  [`${at}.volumes[]`, { expected: 'a volume id', example: 'vol-0123456789abcdef0' }],
  [`${at}.regions`, { expected: 'a list of Regions', example: '[eu-west-1]' }],
  [`${at}.regions[]`, { expected: 'the id of a Region', example: 'eu-west-1' }],
];

const WHOLE_FILE: Field = {
  expected: 'a mapping with the key rules',
  example: '{ rules: [{ name: nightly, destinations: [{ region: eu-central-1 }] }] }',
};

const destination = 'rules[].destinations[]';

/** Every field of `copy-rules.yml`. `[]` is any item of a list, `*` any key of a mapping. */
export const FIELDS: ReadonlyMap<string, Field> = new Map([
  ['', WHOLE_FILE],
  [
    'sourceAccounts',
    { expected: 'a mapping with the accounts that have the companion', example: '{ accounts: ["111122223333"] }' },
  ],
  ['sourceAccounts.accounts', { expected: 'a list of account ids', example: '["111122223333"]' }],
  ['sourceAccounts.accounts[]', { expected: '12 digits in quotes', example: '"111122223333"', quoted: quotedAccount }],
  ['sourceAccounts.organization', { expected: 'the id of an organisation', example: 'o-a1b2c3d4e5' }],
  ['sourceAccounts.externalId', { expected: 'text of 2 to 1224 characters', example: 'our-copier-7f3a', quoted }],
  ['rules', { expected: 'a list of rules', example: '[{ name: nightly, destinations: [{ region: eu-central-1 }] }]' }],
  ['rules[]', { expected: 'a rule', example: '{ name: nightly, destinations: [{ region: eu-central-1 }] }' }],
  [
    'rules[].name',
    { expected: `1 to ${LIMITS.ruleName} letters, digits, _ or -`, example: 'nightly-to-frankfurt', quoted },
  ],
  ['rules[].dryRun', { expected: 'true or false', example: 'true' }],
  ['rules[].reencrypt', { expected: 'true or false', example: 'true' }],
  [
    'rules[].select',
    { expected: 'a mapping of criteria; {} is every snapshot', example: '{ tags: { Backup: true } }' },
  ],
  ...criteria('rules[].select'),
  ['rules[].select.except', { expected: 'a mapping of criteria', example: '{ tags: { Copy: ["no"] } }' }],
  ...criteria('rules[].select.except'),
  ['rules[].destinations', { expected: 'a list of destinations', example: '[{ region: eu-central-1 }]' }],
  [destination, { expected: 'a destination', example: '{ region: eu-central-1 }' }],
  [`${destination}.region`, { expected: 'the id of a Region', example: 'eu-central-1' }],
  [
    `${destination}.outpost`,
    {
      expected: 'the ARN of an Outpost',
      example: 'arn:aws:outposts:eu-central-1:111122223333:outpost/op-0123456789abcdef0',
    },
  ],
  [`${destination}.localZone`, { expected: 'the name of a Local Zone', example: 'us-west-2-lax-1a' }],
  [
    `${destination}.encryption`,
    { expected: 'as-source, account-default, or a mapping with kmsKey', example: '{ kmsKey: alias/dr-copies }' },
  ],
  [
    `${destination}.encryption.kmsKey`,
    { expected: 'a KMS key: its id, alias/name, key ARN or alias ARN', example: 'alias/dr-copies' },
  ],
  [`${destination}.description`, { expected: 'text', example: '"copy of {snapshotId}"', quoted }],
  [`${destination}.tags`, { expected: 'a mapping with copy and add', example: '{ copy: all, add: { Tier: dr } }' }],
  [`${destination}.tags.copy`, { expected: 'all, none, or a list of tag keys', example: '[Name, Team]' }],
  [`${destination}.tags.copy[]`, { expected: 'a tag key', example: 'Name', quoted }],
  [`${destination}.tags.add`, { expected: 'a mapping of tag keys to values', example: '{ Tier: dr }' }],
  [`${destination}.tags.add.*`, { expected: 'text', example: '"dr"', quoted }],
  [`${destination}.slots`, { expected: `a whole number from 1 to ${LIMITS.slots.most}`, example: '18' }],
  [`${destination}.deadline`, { expected: 'a duration from 15m to 14d', example: '48h' }],
  [`${destination}.completionDuration`, { expected: 'a duration from 15m to 48h in steps of 15m', example: '4h' }],
]);

/** The place of a path in the table, and its entry there; of a path that no field has, that of the field around it. */
export function fieldAt(segments: readonly PropertyKey[]): { readonly place: string; readonly field: Field } {
  return segments.reduce<{ place: string; field: Field }>(
    (parent, segment) => {
      const place = placeIn(parent.place, segment);
      return { place, field: FIELDS.get(place) ?? parent.field };
    },
    { place: '', field: WHOLE_FILE },
  );
}

function placeIn(parent: string, segment: PropertyKey): string {
  if (typeof segment === 'number') return `${parent}[]`;
  if (FIELDS.has(`${parent}.*`)) return `${parent}.*`;
  return parent === '' ? String(segment) : `${parent}.${String(segment)}`;
}

/** The keys that a mapping at this place of the table may have. */
export function knownKeys(place: string): readonly string[] {
  const prefix = place === '' ? '' : `${place}.`;
  return [...FIELDS.keys()]
    .filter((key) => key !== '' && key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .filter((key) => /^\w+$/.test(key));
}
