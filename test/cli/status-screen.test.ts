import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { drawScreen, type Frame } from '../../cli/status/screen.ts';
import type { Section } from '../../cli/status/sections.ts';

const table = (name: string, rows: number, over: Partial<Section> = {}): Section => ({
  title: name,
  tone: 'waiting',
  head: [name, 'WHY'],
  align: [],
  rows: Array.from({ length: rows }, (_, index) => [
    `${name} ${index + 1}`,
    'because of something that takes long to say',
  ]),
  below: [],
  ...over,
});

const FRAME: Frame = { title: 'a copier, 12:00:00Z', notes: [], foot: ['what it rests on'] };

function lines(sections: readonly Section[], width: number, height: number, frame = FRAME): readonly string[] {
  return stripVTControlCharacters(drawScreen(sections, frame, width, height)).split('\n');
}

const totals = (rows: number) => table('TOTAL', rows, { tone: 'plain' });

describe('a live status', () => {
  it.each([
    [80, 24],
    [140, 50],
    [60, 12],
    [20, 6],
    [300, 100],
  ])('never is wider or higher than a terminal of %i times %i, whatever there is to show', (width, height) => {
    const sections = [
      totals(9),
      table('RUNNING', 30),
      table('WAITING', 4000),
      table('FAILED', 40, { below: ['again'] }),
    ];
    const notes = ['something is wrong, and to say what takes more words than any line has room for '.repeat(5)];
    const shown = lines(sections, width, height, { ...FRAME, notes });
    expect(shown.length).toBeLessThan(height);
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('shows all there is if there is room', () => {
    const shown = lines([totals(1), table('RUNNING', 2), table('FAILED', 1, { below: ['again'] })], 80, 24);
    expect(shown).toEqual([
      'a copier, 12:00:00Z',
      'TOTAL    WHY',
      'TOTAL 1  because of something that takes long to say',
      '',
      'RUNNING    WHY',
      'RUNNING 1  because of something that takes long to say',
      'RUNNING 2  because of something that takes long to say',
      '',
      'FAILED    WHY',
      'FAILED 1  because of something that takes long to say',
      'again',
      'what it rests on',
    ]);
  });

  it('shows the heads of long tables, and says how many more there are', () => {
    const shown = lines([totals(2), table('RUNNING', 20), table('WAITING', 4000), table('FAILED', 4)], 80, 24);
    expect(
      shown.filter((line) => /^(RUNNING|WAITING|FAILED|TOTAL) \d/.test(line)).map((line) => line.split('  ')[0]),
    ).toEqual([
      'TOTAL 1',
      'TOTAL 2',
      'RUNNING 1',
      'RUNNING 2',
      'RUNNING 3',
      'RUNNING 4',
      'RUNNING 5',
      'WAITING 1',
      'WAITING 2',
      'FAILED 1',
      'FAILED 2',
    ]);
    expect(shown.filter((line) => line.startsWith('…'))).toEqual(['… and 15 more', '… and 3,998 more', '… and 2 more']);
    expect(shown).toHaveLength(23);
  });

  it('cuts what is too wide', () => {
    expect(lines([totals(1)], 20, 24)[2]).toBe('TOTAL 1  because of…');
  });

  it('breaks what is said below, within reason', () => {
    const foot = ['one two three four five six seven eight nine ten'];
    expect(lines([], 20, 24, { ...FRAME, foot })).toEqual([
      'a copier, 12:00:00Z',
      'one two three four',
      'five six seven eigh…',
    ]);
  });
});
