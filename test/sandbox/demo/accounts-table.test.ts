import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeForeignRow, drawAccounts, happening } from '../../../sandbox/demo/accounts-table.ts';
import { foreignRow, HOME, owned } from './foreign-rows.ts';

const shared = { sharedWith: [HOME] };
const now = new Date('2026-03-02T09:02:30Z');

describe('what happens to a snapshot of another account', () => {
  it.each([
    ['is being taken', foreignRow({ source: { state: 'pending' } })],
    ['waits', foreignRow({})],
    ['seen', foreignRow({ status: 'RUNNING' })],
    ['shared', foreignRow({ status: 'RUNNING', source: shared })],
    ['shared by its owner', foreignRow({ share: 'theirs', status: 'RUNNING', source: shared })],
    ['copying ████░░░░░░  42 %', foreignRow({ status: 'RUNNING', source: shared, copied: 42 })],
    ['copied', foreignRow({ status: 'SUCCEEDED', source: shared, copied: 100 })],
    ['copied, share taken back', foreignRow({ status: 'SUCCEEDED', copied: 100 })],
    ['copied, their share kept', foreignRow({ share: 'theirs', status: 'SUCCEEDED', source: shared, copied: 100 })],
    ['failed, never shared', foreignRow({ share: 'none', status: 'FAILED' })],
    ['failed, share taken back', foreignRow({ status: 'FAILED' })],
  ])('%s', (words, row) => {
    expect(happening(row)).toBe(words);
  });

  it('is told of an intermediate copy as it is made, shared and given back', () => {
    const story = { share: 'intermediate', status: 'RUNNING' } as const;
    const pending = owned('snap-01', { state: 'pending', progressPercent: 40 });
    expect(happening(foreignRow(story))).toBe('seen');
    expect(happening(foreignRow({ ...story, intermediates: [pending] }))).toBe('re-encrypted there 40 %');
    expect(happening(foreignRow({ ...story, intermediates: [owned('snap-01')] }))).toBe('re-encrypted there');
    expect(happening(foreignRow({ ...story, intermediates: [owned('snap-01', shared)] }))).toBe('shared');
    const copied = { ...story, status: 'SUCCEEDED', copied: 100, intermediates: [owned('snap-01')] } as const;
    expect(happening(foreignRow(copied))).toBe('copied, share taken back');
  });

  it('is one line of a log, the same while nothing but progress changes', () => {
    const lines = [5, 60].map((copied) => describeForeignRow(foreignRow({ status: 'RUNNING', copied })).line);
    const line = '111122223333 snap-0a0a0a0a0a0a0a0a0 -> eu-central-1 web         copying';
    expect(lines).toEqual([line, line]);
    expect(describeForeignRow(foreignRow({ share: 'none', status: 'FAILED' })).line).toMatch(
      / failed, never shared SourceNotShareable$/,
    );
  });
});

describe('the table of other accounts', () => {
  const rows = [
    foreignRow({ status: 'RUNNING', copied: 42 }),
    foreignRow({ status: 'SUCCEEDED', copied: 100 }),
    foreignRow({ what: 'set, 1 of 2', share: 'none', status: 'FAILED' }),
  ];
  const drawn = (columns: number) => stripVTControlCharacters(drawAccounts(rows, now, columns)).split('\n');

  it.each([80, 104, 110, 133, 140, 143, 200])('fits %i columns', (columns) => {
    for (const line of drawn(columns)) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('says why something failed, however narrow it is', () => {
    for (const columns of [80, 110, 140]) expect(drawn(columns).join('\n')).toContain('SourceNotShareable');
  });

  it('does not jump when more happens', () => {
    const widths = [foreignRow({}), foreignRow({ status: 'RUNNING', copied: 42 })].map(
      (row) => stripVTControlCharacters(drawAccounts([row], now, 80)).split('\n')[0]?.length,
    );
    expect(widths[0]).toBe(widths[1]);
  });
});
