import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FIELDS } from '../../core/rules/fields.ts';
import { checkRules } from '../../core/rules.ts';
import { readRulesDocument, readRulesFile } from '../../packaging/rules-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'rules-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'copy-rules.yml');
const written = (text: string) => {
  writeFileSync(file, text);
  return file;
};

describe('a rules file', () => {
  it('gives its rules, and itself as it stands there', () => {
    const text = 'rules:\n  - name: a\n    destinations: [{ region: eu-central-1, deadline: 3d }]\n';
    expect(readRulesFile(written(text))[0]?.destinations[0]?.deadlineSeconds).toBe(259_200);
    expect(readRulesDocument(file)).toEqual({
      rules: [{ name: 'a', destinations: [{ region: 'eu-central-1', deadline: '3d' }] }],
    });
  });

  it('may repeat itself with anchors and merge keys', () => {
    const rules = readRulesFile(
      written(`rules:
  - name: a
    destinations:
      - &frankfurt
        region: eu-central-1
        slots: 5
  - name: b
    destinations:
      - <<: *frankfurt
        deadline: 1h
      - region: us-east-1
`),
    );
    expect(rules[1]?.destinations[0]).toMatchObject({ region: 'eu-central-1', slots: 5, deadlineSeconds: 3600 });
  });

  it('is refused with every problem, where it stands, in the order of the file, and without a stack', () => {
    const text = `rules:
  - name: a
    colour: blue
    destinations:
      - &frankfurt
        region: eu-central-1
        slots: 0
        encryption: { kmsKey: arn:aws:kms:us-east-1:111122223333:alias/dr }
  - destinations:
      - *frankfurt
`;
    const expected = `${file} is wrong. 6 problems:

  rules[0].colour (line 3)
    problem  is no known key; known here: name, dryRun, reencrypt, select, destinations
    found    "colour"
    example  { name: nightly, destinations: [{ region: eu-central-1 }] }

  rules[0].destinations[0].slots (line 7)
    problem  must be from 1 to 1000
    found    0
    example  18

  rules[1].destinations[0].slots (line 7)
    problem  must be from 1 to 1000
    found    0
    example  18

  rules[0].destinations[0].encryption.kmsKey (line 8)
    problem  is a key of us-east-1; EC2 takes only keys of the destination's Region, whose ARNs begin with arn:aws:kms:eu-central-1:
    found    "arn:aws:kms:us-east-1:111122223333:alias/dr"
    example  arn:aws:kms:eu-central-1:111122223333:alias/dr

  rules[1].destinations[0].encryption.kmsKey (line 8)
    problem  is a key of us-east-1; EC2 takes only keys of the destination's Region, whose ARNs begin with arn:aws:kms:eu-central-1:
    found    "arn:aws:kms:us-east-1:111122223333:alias/dr"
    example  arn:aws:kms:eu-central-1:111122223333:alias/dr

  rules[1].name (line 9)
    problem  is missing; it must be 1 to 64 letters, digits, _ or -
    found    nothing
    example  nightly-to-frankfurt`;
    const error = problemOf(text);
    expect(error.message).toBe(expected);
    expect(error.stack).toBe(expected);
  });

  it.each([
    ['the same key twice', 'rules: []\nrules: []\n', 'Map keys must be unique at line 2, column 1'],
    ['an unknown tag', 'rules: !all\n', 'Unresolved tag: !all at line 1, column 8'],
    ['a bad indent', 'rules:\n\t- name: a\n', 'Tabs are not allowed as indentation at line 2, column 1'],
    ['two documents', 'rules: []\n---\nrules: []\n', 'multiple documents'],
    ['an alias of nothing', 'rules: *none\n', 'An alias (*name) cannot be resolved: Unresolved alias'],
    ['an alias of itself', 'rules: &all [*all]\n', 'An alias (*name) cannot be resolved: '],
  ])('that has %s is refused by its line', (_, text, message) => {
    const error = problemOf(text);
    expect(error.message).toContain(`${file} is not right YAML.\n\n`);
    expect(error.message).toContain(message);
  });

  it('that is empty or not there is refused in words', () => {
    expect(problemOf('# nothing yet\n').message).toContain('the whole file (line 1)\n    problem  must be a mapping');
    const missing = join(folder, 'none.yml');
    expect(() => readRulesFile(missing)).toThrow(`Cannot read the rules file ${missing} (ENOENT`);
  });
});

function problemOf(text: string): Error {
  try {
    readRulesFile(written(text));
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('The file was taken.');
}

const repository = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

describe('the shipped example', () => {
  const text = readFileSync(repository('copy-rules.yml'), 'utf8');

  it('is right as it is: snapshots with a tag, to one place, with nothing that has to exist before', () => {
    expect(readRulesFile(repository('copy-rules.yml'))).toEqual([
      expect.objectContaining({
        name: 'tagged-backups',
        select: { tags: { Backup: true } },
        dryRun: false,
        destinations: [expect.objectContaining({ region: 'eu-central-1', encryption: { kind: 'as-source' } })],
      }),
    ]);
  });

  it('is right with every option that it shows, and shows every field that there is', () => {
    const withOptions = text.replaceAll(/^( *)#(?! |$)/gm, '$1');
    const document: unknown = parse(withOptions);
    expect(checkRules(document).problems).toEqual([]);
    const shown = new Set(keysIn(document));
    const fields = [...FIELDS.keys()].map((place) => place.replace(/^.*\./, '')).filter((key) => /^\w+$/.test(key));
    expect(fields.filter((key) => !shown.has(key))).toEqual([]);
  });
});

describe('docs/rules.md', () => {
  const text = readFileSync(repository('docs/rules.md'), 'utf8');
  const examples = [...text.matchAll(/^```yaml ?(.*)\n([\s\S]*?)^```/gm)].map(([, kind = '', yaml = '']) => ({
    kind,
    yaml,
  }));

  it('has examples that are right', () => {
    expect(examples.length).toBeGreaterThan(5);
    for (const { kind, yaml } of examples) {
      const value: unknown = parse(yaml);
      const document = {
        '': value,
        select: { rules: [{ name: 'a', select: value, destinations: [{ region: 'eu-central-1' }] }] },
        destination: { rules: [{ name: 'a', destinations: [value] }] },
      }[kind];
      expect([yaml, checkRules(document).problems]).toEqual([yaml, []]);
    }
  });

  it('explains every field', () => {
    const fields = [...FIELDS.keys()].map((place) => place.replace(/^.*\./, '')).filter((key) => /^\w+$/.test(key));
    expect(fields.filter((key) => !text.includes(`\`${key}\``) && key !== 'rules')).toEqual([]);
  });
});

function keysIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}
