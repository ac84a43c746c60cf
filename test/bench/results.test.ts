import { describe, expect, it } from 'vitest';
import {
  type BenchResults,
  type BurstRow,
  parseResults,
  printResults,
  resultsAsMarkdown,
} from '../../bench/results.ts';

const service: BurstRow = {
  n: 1000,
  variant: 'events',
  makespanHours: 15,
  idealHours: 14.9,
  makespanRatio: 1.0067,
  slotsBusyShare: 0.9981,
  lost: 0,
  duplicated: 0,
  sameVolumeAtOnce: 1,
  outOfOrder: 0,
  copySnapshotCalls: 1005,
  admissionDescribes: 1200,
  waitTransitions: 0,
  lambdaInvocations: 2200,
  ledgerReads: 9000,
  ledgerWrites: 4000,
  expressSeconds: 54_000,
  dollarsPer1000: 0.031,
  wallSeconds: 12.3,
  peakMiB: 410,
};

const retries: BurstRow = {
  n: 1000,
  variant: 'plain-retries',
  makespanHours: 15.5,
  idealHours: 14.9,
  makespanRatio: 1.04,
  slotsBusyShare: 1,
  lost: 0,
  duplicated: 0,
  sameVolumeAtOnce: 2,
  outOfOrder: 970,
  startsApartP99Hours: 12.1,
  copySnapshotCalls: 160_000,
  refusedCalls: 147_000,
  throttledCalls: 12_000,
  admissionDescribes: 0,
  waitTransitions: 159_000,
  lambdaInvocations: 160_000,
  dollarsPer1000: 4.112,
  wallSeconds: 0.06,
};

const before: BenchResults = { node: 'v24.0.0', platform: 'linux-x64', bundles: [], copies: [] };

/** The rows below a heading, as cells. */
function tableUnder(markdown: string, heading: string): readonly (readonly string[])[] {
  const [, after = ''] = markdown.split(heading);
  const [, table = ''] = after.split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('bench/results.json', () => {
  it('is read as it was before there were bursts', () => {
    expect(parseResults(JSON.stringify(before))).toEqual(before);
    expect(resultsAsMarkdown(before)).toBe('');
  });

  it('is read back as it was written', () => {
    const results: BenchResults = {
      ...before,
      bursts: [service, retries],
      lineage: [
        { way: 'in-order', snapshots: 24, volumeGiB: 200, changePerSnapshot: 0.03, gibMoved: 338, fullCopies: 1 },
      ],
    };
    expect(parseResults(JSON.stringify(results))).toEqual(results);
  });

  it('is refused with a row that lacks a figure', () => {
    const { lost, ...without } = service;
    expect(lost).toBe(0);
    expect(() => parseResults(JSON.stringify({ ...before, bursts: [without] }))).toThrow('lost');
  });
});

describe('the tables of the bursts', () => {
  const markdown = resultsAsMarkdown({ ...before, bursts: [service, retries] });

  it('say how each burst went, in order of the rows', () => {
    expect(tableUnder(markdown, 'Bursts into one destination')).toEqual([
      ['1,000', 'this service, events forwarded', '15 h', '14.9 h', '1.007', '99.8 %', '0', '0', '1', '0', '–'],
      ['1,000', 'plain retries', '15.5 h', '14.9 h', '1.040', '100.0 %', '0', '0', '2', '970', '12.1 h'],
    ]);
  });

  it('say what it took per copy', () => {
    expect(tableUnder(markdown, 'What admission took')).toEqual([
      ['1,000', 'this service, events forwarded', '1.01', '1.2', '2.2', '9', '4', '0', '$0.031', '12.3 s, 410 MiB'],
      ['1,000', 'plain retries', '160 (147, 12)', '0', '160', '–', '–', '159', '$4.11', '0.06 s'],
    ]);
  });

  it('are the same on a terminal', () => {
    const printed = printResults({ ...before, bursts: [service, retries] });
    for (const cell of ['plain retries', '160 (147, 12)', '99.8 %', '$0.031']) expect(printed).toContain(cell);
  });
});

describe('what 100,000 snapshots would take', () => {
  const tenTimes = (row: BurstRow, over: Partial<BurstRow>): BurstRow => ({ ...row, n: 10_000, ...over });
  const bursts = [
    { ...service, n: 100, makespanHours: 5, copySnapshotCalls: 3 },
    { ...retries, n: 100 },
    service,
    retries,
    tenTimes(service, {
      makespanHours: 150,
      copySnapshotCalls: 10_050,
      admissionDescribes: 12_000,
      lambdaInvocations: 22_000,
      ledgerReads: 180_000,
      ledgerWrites: 40_000,
    }),
    tenTimes(retries, {
      makespanHours: 155,
      copySnapshotCalls: 16_000_000,
      lambdaInvocations: 16_000_000,
      dollarsPer1000: 41.12,
    }),
  ];

  it('goes on as it grew between the two largest bursts, and says how', () => {
    const [events] = tableUnder(resultsAsMarkdown({ ...before, bursts }), 'Extrapolated to 100,000 snapshots');
    expect(events).toEqual([
      'this service, events forwarded',
      '62.5 d (n^1.00)',
      '1.01 (n^1.00)',
      '1.2 (n^1.00)',
      '2.2 (n^1.00)',
      '36 (n^1.30)',
      '4 (n^1.00)',
      '$0.031 (n^1.00)',
    ]);
  });

  it('says of plain retries that the history of an execution does not last so long', () => {
    const [, plain] = tableUnder(resultsAsMarkdown({ ...before, bursts }), 'Extrapolated to 100,000 snapshots');
    expect(plain?.slice(0, 4)).toEqual([
      'plain retries; but an execution dies after 8,332 tries',
      '64.6 d (n^1.00)',
      '16,000 (n^2.00)',
      '0',
    ]);
    expect(plain?.at(-1)).toBe('$411 (n^2.00)');
  });

  it('is not said from a single size', () => {
    expect(resultsAsMarkdown({ ...before, bursts: [service, retries] })).not.toContain('Extrapolated');
  });
});

describe('the table of the lineage', () => {
  it('has every way beside the ideal', () => {
    const of = { snapshots: 24, volumeGiB: 200, changePerSnapshot: 0.03 };
    const markdown = resultsAsMarkdown({
      ...before,
      lineage: [
        { way: 'in-order', ...of, gibMoved: 338, fullCopies: 1 },
        { way: 'this-service', ...of, gibMoved: 340, fullCopies: 1 },
        { way: 'at-once', ...of, gibMoved: 4054, fullCopies: 20 },
      ],
    });
    expect(markdown).toContain('24 hourly snapshots of one volume of 200 GiB, 3.0 % of which change each hour');
    expect(tableUnder(markdown, 'GiB moved for')).toEqual([
      ['ideal: one at a time, oldest first', '338', '1.00 ×', '1 of 24'],
      ['this service', '340', '1.01 ×', '1 of 24'],
      ['all at once, with retries', '4,054', '11.99 ×', '20 of 24'],
    ]);
  });
});
