import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRulesOfTemplate, rulesMetadata } from '../../packaging/rules-of-template.ts';
import { packageService } from '../../sandbox/package-service.ts';
import { packagedService, TEST_RULES } from '../support/packaged.ts';
import { planted } from '../support/planted.ts';

/** Everything that somebody between the file and its reader could take for something else. */
const ODD_RULES =
  `# Regeln für Köln \u{1F44D}\u{1F3FD}: $\{self:custom.install}, {{resolve:ssm:/a}}, {{{x}}}, "a", 'b', C:\\new\\u0041

rules:
  - name: nachts
    select:
      description: "^Größe \\"x\\" \\\\d+$"
      tags: { Straße: ["Äußere Ringstraße", "\u{1F433}"] }
    destinations:
      - region: eu-central-1\t# behind a tab, with a no-break space \u00A0, a line separator \u2028, a delete \u007F
        tags: { add: { Größe: "3 µm" } }

`.replaceAll('\n', '\r\n');

const folder = mkdtempSync(join(tmpdir(), 'rules-of-template-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a template packaged with another rules file', () => {
  const rulesFile = join(folder, 'andere-regeln.yml');
  const packageDir = join(folder, 'package');
  let json: string;
  beforeAll(async () => {
    writeFileSync(rulesFile, ODD_RULES);
    await packageService({ rulesFile, packageDir });
    json = readFileSync(join(packageDir, 'cloudformation-template-update-stack.json'), 'utf8');
  }, 120_000);

  it('gives it back to the letter, with its rules and its lines', () => {
    const read = readRulesOfTemplate(json);
    expect(readRulesOfTemplate(JSON.parse(json))?.text).toBe(ODD_RULES);
    expect(read?.text).toBe(ODD_RULES);
    expect(read?.rules[0]?.select.tags).toEqual({ Straße: ['Äußere Ringstraße', '\u{1F433}'] });
    expect(read?.lineOf(['rules', 0, 'name'])).toBe(4);
    expect(read?.lineOf(['rules', 0, 'destinations', 0, 'tags', 'add'])).toBe(10);
  });

  it('names it, and not where it lay on the machine that packaged it', () => {
    expect(readRulesOfTemplate(json)?.file).toBe('andere-regeln.yml');
    expect(json).not.toContain(folder);
  });

  it('holds nothing of it that CloudFormation would show as a question mark', () => {
    const { Metadata } = JSON.parse(json);
    expect(JSON.stringify(Metadata)).toMatch(/^[ -~]+$/);
  });
});

describe('the packaged template', () => {
  it('carries its rules, and stays far below the 1 MB that CloudFormation takes', async () => {
    const { dir, template } = await packagedService();
    expect(readRulesOfTemplate(template)?.text).toBe(readFileSync(TEST_RULES, 'utf8'));
    expect(readFileSync(join(dir, 'cloudformation-template-update-stack.json')).length).toBeLessThan(300_000);
  }, 120_000);

  it('of an older version carries none', async () => {
    const { template } = await packagedService();
    expect(readRulesOfTemplate(planted(template, 'Metadata', undefined))).toBeUndefined();
    expect(readRulesOfTemplate('Resources: {}')).toBeUndefined();
  }, 120_000);

  it('of a version with other rules is refused in words', () => {
    const Metadata = rulesMetadata({ file: 'copy-rules.yml', text: 'rules:\n  - label: new\n' });
    expect(() => readRulesOfTemplate({ Metadata })).toThrow('rules[0].label (line 2)');
  });
});

describe('the name of a rules file in a template', () => {
  it.each([
    ['copy-rules.yml', 'copy-rules.yml'],
    ['../rules/größe.yml', '../rules/größe.yml'],
    [join(process.cwd(), 'rules', 'prod.yml'), join('rules', 'prod.yml')],
    [join(process.cwd(), '..', 'prod.yml'), 'prod.yml'],
  ])('that was given as %s is %s', (file, name) => {
    const text = 'rules: [{ name: a, destinations: [{ region: eu-central-1 }] }]';
    expect(readRulesOfTemplate({ Metadata: rulesMetadata({ file, text }) })?.file).toBe(name);
  });
});

it('a text that does not fit into a template is refused when it is packaged', () => {
  const text = `# ${'ü'.repeat(90_000)}`;
  expect(() => rulesMetadata({ file: 'copy-rules.yml', text })).toThrow(
    'copy-rules.yml is too long: in the CloudFormation template, which carries its text, it takes 540004 characters of 500000.',
  );
});
