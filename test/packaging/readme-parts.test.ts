import { beforeAll, describe, expect, it } from 'vitest';
import { readPackage } from '../../bench/bundles.ts';
import { drawStateMachine } from '../../packaging/draw-state-machine.ts';
import { generatedFiles, withBlock } from '../../packaging/readme-parts.ts';
import { readFunctions } from '../../packaging/service-file.ts';
import { parseStateMachine, readDefinition } from '../../packaging/state-machine.ts';
import { NEVER_RETRIED, statesTable } from '../../packaging/states-table.ts';
import { packagedService } from '../support/packaged.ts';
import { planted } from '../support/planted.ts';

const definition = readDefinition('copy-snapshot');
const machine = parseStateMachine(definition);
const functions = readFunctions();

describe('what is generated into the repository is current (if not: npm run docs)', () => {
  it('the drawing of the state machine, and the tables in README.md', async () => {
    for (const { path, now, wanted } of await generatedFiles()) expect(now === wanted, path).toBe(true);
  });
});

describe('the drawing', () => {
  it('has every state, with its comment, and the file behind it', async () => {
    const text = textIn(await drawStateMachine(machine, functions));
    for (const [name, { Comment = '' }] of Object.entries(machine.States)) {
      expect(text).toContain(` ${name} ${Comment}`.trimEnd());
    }
    const files = ['prepare-source', 'start-copy', 'check-copy', 'tag-copy', 'return-to-queue', 'remove-failed-copy'];
    for (const file of [...files, 'explain-failure']) expect(text).toContain(`functions/${file}.ts`);
    expect(text).toContain(' CopySlotsTakenError ');
    expect(text).toContain(' with companion ');
    expect(text).toContain(' without ');
    expect(text).toContain('sns:publish');
  });

  it('is the same each time, and another for another definition', async () => {
    const drawn = await drawStateMachine(machine, functions);
    expect(await drawStateMachine(machine, functions)).toBe(drawn);
    const other = parseStateMachine(planted(definition, 'States.WhatNext.Choices.1.Next', 'DryRunReported'));
    expect(await drawStateMachine(other, functions)).not.toBe(drawn);
  });

  it.each([
    ['CheckCopy', 'States.CheckCopy.Catch.0.Next', 'TagCopy'],
    ['CheckCopy', 'States.CheckCopy.Catch.0.ErrorEquals', ['ThrottledError']],
    ['ReturnToQueue', 'States.ReturnToQueue.Catch', undefined],
    ['StartCopy', 'States.ReturnToQueue.Next', 'CopyFailed'],
    ['PrepareSource', 'States.PrepareSource.Catch.0.Next', 'SourceGone'],
  ])(
    'is refused where it would lie: its frame says that every error of %s leads to the failure path',
    async (state, path, value) => {
      const other = parseStateMachine(planted(definition, path, value));
      await expect(drawStateMachine(other, functions)).rejects.toThrow(new RegExp(`^${state} has no Catch`));
    },
  );

  it.each([
    ['WhoseSource', 'States.WhoseSource.Default', 'WaitForSource'],
    ['IsSourceReady', 'States.IsSourceReady.Default', 'ExplainFailure'],
  ])('is refused if %s leads to where it has no arrow', async (state, path, value) => {
    const other = parseStateMachine(planted(definition, path, value));
    await expect(drawStateMachine(other, functions)).rejects.toThrow(`${state} leads to ${value}, which has no place`);
  });

  function textIn(svg: string): string {
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text);
    const plain = texts.join(' ').replaceAll(/&#(\d+);/g, (_, number: string) => String.fromCodePoint(Number(number)));
    return ` ${plain} `.replaceAll(/[\s\u00a0]+/g, ' ');
  }
});

describe('the table of states', () => {
  const rows = new Map(
    statesTable(machine, functions)
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | '))
      .map(([name = '', ...cells]) => [name.replaceAll(/[|` ]/g, ''), cells]),
  );

  it('has a row for each state, in the order of the file', () => {
    expect([...rows.keys()]).toEqual(Object.keys(machine.States));
  });

  it('says how often and for how long something is tried again', () => {
    const [, , tried] = rows.get('PrepareSource') ?? [];
    expect(rows.get('StartCopy')?.[2]).toBe('as `PrepareSource`');
    expect(tried).not.toContain('CopySlotsTakenError');
    expect(tried).toContain('`CopyOutcomeUnknownError`: 20 times in 3 hours<br>');
    expect(tried).toContain("Lambda's own trouble: 20 times in 3 hours<br>");
    expect(tried).toContain('`NotYetVisibleError`: 30 times in 14 minutes<br>');
    expect(tried).toContain('`ThrottledError`, throttling by Lambda: 40 times in 88 minutes<br>');
    expect(rows.get('ExplainFailure')?.[2]).toBe('as `RemoveFailedCopy`');
    const [, , told] = rows.get('TellDeadLetterTopic') ?? [];
    expect(told).toBe('any error: 12 times in 18 minutes');
  });
});

describe('the errors that are never tried again', () => {
  let bundles: ReadonlyMap<string, string>;
  beforeAll(async () => {
    const packaged = readPackage((await packagedService()).dir);
    bundles = new Map(packaged.map(({ name, files }) => [name, [...files.values()].join('\n')]));
  }, 120_000);

  it("are those in the functions' bundles, where tree shaking leaves only classes that are used", () => {
    const permanent = [...new Set(Object.values(NEVER_RETRIED).flat()), 'RulesError'];
    // ExplainFailure reads RequestRefusedError in what others threw, and writes the alert without what it cannot find out
    // of rules and keys; a source that TagCopy may not mark is no failure.
    const onlyRead = {
      explainFailure: ['RequestRefusedError', 'RulesError', 'SourceAccountRefusedError'],
      tagCopy: ['SourceAccountRefusedError'],
    };
    for (const [name, thrown] of Object.entries(NEVER_RETRIED)) {
      const found = permanent.filter((error) => bundles.get(name)?.includes(`\`${error}\``));
      const expected = [...thrown, ...(Object.entries(onlyRead).find(([of]) => of === name)?.[1] ?? [])];
      expect(found.toSorted(), name).toEqual(expected.toSorted());
    }
  });
});

describe('a generated block', () => {
  const text = 'a\n<!-- generated:one -->\nold\n<!-- /generated -->\nb\n<!-- generated:two -->\n<!-- /generated -->\n';

  it('is renewed between its markers, and nothing else changes', () => {
    expect(withBlock(text, 'one', 'new\nlines')).toBe(
      'a\n<!-- generated:one -->\nnew\nlines\n<!-- /generated -->\nb\n<!-- generated:two -->\n<!-- /generated -->\n',
    );
    expect(withBlock(text, 'two', 'x')).toBe(
      'a\n<!-- generated:one -->\nold\n<!-- /generated -->\nb\n<!-- generated:two -->\nx\n<!-- /generated -->\n',
    );
  });

  it('must be there once, with an end', () => {
    expect(() => withBlock(text, 'three', 'x')).toThrow(/one block <!-- generated:three -->/);
    expect(() => withBlock(text + text, 'one', 'x')).toThrow(/one block/);
    expect(() => withBlock('<!-- generated:one -->\n', 'one', 'x')).toThrow(/no end/);
  });
});
