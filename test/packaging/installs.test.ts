import { beforeAll, describe, expect, it } from 'vitest';
import { parseTemplate } from '../support/cfn-schema.ts';
import { ACROSS_ACCOUNTS_RULES, packagedService } from '../support/packaged.ts';

let first: readonly Name[];
let second: readonly Name[];
beforeAll(async () => {
  first = namesIn((await packagedService('test', ACROSS_ACCOUNTS_RULES)).template);
  second = namesIn((await packagedService('b', ACROSS_ACCOUNTS_RULES)).template);
}, 240_000);

interface Name {
  readonly at: string;
  readonly name: string;
}

/** Properties whose names end like those of names, but that name other things or nothing unique. */
const NO_NAMES = ['MetricName', 'DisplayName'];

/** Everything that must be unique in an account and Region: names of resources and of exported outputs. */
function namesIn(document: unknown): readonly Name[] {
  const { Resources, Outputs } = parseTemplate(document);
  return [
    ...Object.entries(Resources).flatMap(([id, { Properties }]) =>
      Object.entries(Properties).flatMap(([key, value]) =>
        key.endsWith('Name') && !NO_NAMES.includes(key) && typeof value === 'string'
          ? [{ at: `${id}.${key}`, name: value }]
          : [],
      ),
    ),
    ...Object.entries(Outputs).flatMap(([id, { Export }]) =>
      Export === undefined ? [] : [{ at: `output ${id}`, name: JSON.stringify(Export.Name) }],
    ),
  ];
}

describe('two installs (stages) in one account and Region', () => {
  it('have no name in common', () => {
    expect(first.length).toBeGreaterThan(20);
    expect(second).toHaveLength(first.length);
    const taken = new Set(first.map(({ name }) => name));
    expect(second.filter(({ name }) => taken.has(name))).toEqual([]);
  });

  it('differ in the stage alone: every fixed name has it', () => {
    for (const { at, name } of first) expect(name, at).toContain('ebs-snapshot-copier-test');
    for (const { at, name } of second) expect(name, at).toContain('ebs-snapshot-copier-b');
  });

  it('may have stages of 20 letters; in longer names of rules osls hides the stage, which the queue policy looks for', () => {
    // AWS takes 64 characters for functions and rules; osls shortens rules' names by hashing their ends.
    const short = first.filter(({ at }) => /\.(?:Function)?Name$/.test(at));
    expect(short.length).toBeGreaterThan(10);
    for (const { at, name } of short) expect(name.length - 'test'.length + 20, at).toBeLessThanOrEqual(64);
  });
});
