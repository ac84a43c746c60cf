import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { checkRules } from '../../core/rules.ts';
import { companionRoleArn, INTERMEDIATE, SOURCE_TAG, shareableKeyAlias } from '../../core/source-account.ts';
import { readCloudFormationYaml } from '../../sandbox/cloudformation-yaml.ts';
import { parseTemplate } from '../support/cfn-schema.ts';
import { statementsIn } from '../support/packaged-policies.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/source-accounts.md');
const file = read('companions/source-account.yml');
const { Rules: _, ...template } = z.looseObject({}).parse(readCloudFormationYaml(file));
const { Parameters } = parseTemplate(template);

/** The cells of all rows that begin with a name in code. */
const rows = page
  .split('\n')
  .filter((line) => /^\| `\w+` \|/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')));
const codes = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('docs/source-accounts.md', () => {
  it("has a row for each statement of the companion's role, with what it allows", () => {
    const shown = rows
      .filter(([, may]) => /`\w+:\w+`/.test(may ?? ''))
      .map(([name, may]) => [...codes(name), codes(may)]);
    const there = statementsIn(template).flatMap(({ of, Sid, Action }) => (of === 'CopierRole' ? [[Sid, Action]] : []));
    expect(there.length).toBeGreaterThan(10);
    expect(shown).toEqual(there);
  });

  it('names the tags that the role may write', () => {
    const [mark] = statementsIn(template).filter(({ Sid }) => Sid === 'MarkSnapshots');
    const keys = z.array(z.string()).parse(mark?.Condition?.['ForAllValues:StringLike']?.['aws:TagKeys']);
    const [row] = rows.filter(([name]) => name === '`MarkSnapshots`');
    expect(codes(row?.[2])).toEqual(keys.map((key) => key.replace('*', '')));
  });

  it('explains every parameter, with its default', () => {
    const shown = rows.filter(([name]) => Object.hasOwn(Parameters, codes(name)[0] ?? ''));
    expect(shown.map(([name]) => codes(name)[0])).toEqual(Object.keys(Parameters));
    for (const [name, usual] of shown) {
      const Default = z
        .string()
        .optional()
        .parse(Parameters[codes(name)[0] ?? '']?.['Default']);
      const wanted = Default === undefined ? /^required$/ : Default === '' ? /^empty/ : new RegExp(`^\`${Default}\`$`);
      expect([name, usual]).toEqual([name, expect.stringMatching(wanted)]);
    }
  });

  it('has rules that are right', () => {
    const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, yaml = '']) => yaml);
    expect(examples.length).toBeGreaterThan(3);
    for (const yaml of examples) expect([yaml, checkRules(parse(yaml)).problems]).toEqual([yaml, []]);
  });

  it('has commands with the parameters that there are, and so has the template itself', () => {
    for (const text of [page, file]) {
      const given = [
        ...[...text.matchAll(/--parameter-overrides (.*)/g)].flatMap(([, all = '']) => [...all.matchAll(/(\w+)=/g)]),
        ...text.matchAll(/ParameterKey=(\w+)/g),
      ].map(([, name = '']) => name);
      expect(new Set(given)).toEqual(new Set(['TargetAccount', 'EventBus', 'Regions']));
      expect(text).not.toContain('CAPABILITY_IAM');
    }
  });

  it('calls roles, keys, tags and descriptions as the service does', () => {
    const install = { name: 'ebs-snapshot-copier-prod', account: '444455556666', region: 'eu-west-1' };
    expect(page).toContain(companionRoleArn(install, '111122223333'));
    expect(page).toContain(shareableKeyAlias(install));
    expect(page).toContain(`tag:${SOURCE_TAG.intermediateFor},Values=ebs-snapshot-copier-prod-for-444455556666`);
    expect(page).toContain(`\`${INTERMEDIATE.trimEnd()}\``);
  });
});
