import { describe, expect, it } from 'vitest';
import { auditAsCsv } from '../../cli/audit/audit-csv.ts';
import { printAudit } from '../../cli/audit/audit-text.ts';
import type { Report } from '../../cli/audit/report.ts';
import { drawTable } from '../../cli/table.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Evidence } from '../../core/audit/evidence.ts';
import { audit } from '../../core/audit.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copyOf, evidence, hoursAgo, requestFor, rule, source, VOLUME } from '../core/audit/evidence-examples.ts';
import { destination } from '../support/examples.ts';

function reportOf(over: Partial<Evidence>, options: Report['options'] = { ours: '', aws: '' }): Report {
  const known = evidence(over);
  return {
    audit: audit(known),
    evidence: known,
    rules: { file: 'copy-rules.yml', areDeployed: true, lineOf: () => 'copy-rules.yml:2' },
    troubles: [],
    options,
  };
}

/** The lines that it prints where stdout is no terminal. */
function printed(...args: Parameters<typeof reportOf>): readonly string[] {
  const lines: string[] = [];
  const print = (text: string): void => {
    lines.push(...text.split('\n'));
  };
  const table: Terminal['drawTable'] = (head, rows, align = []) => drawTable(head, rows, align, undefined);
  const terminal: Terminal = {
    print,
    tell: () => {},
    json: () => {},
    table: (...all) => print(table(...all)),
    drawTable: table,
    width: 120,
    height: Number.POSITIVE_INFINITY,
    isLive: false,
    progress: () => ({ show() {}, done() {} }),
    confirm: async () => false,
  };
  printAudit(terminal, reportOf(...args));
  return lines;
}

/** Two snapshots a day for as many days, none of which was copied but the newest. */
function uncopied(count: number): readonly Snapshot[] {
  return Array.from({ length: count }, (_, index) => source(index + 1, 12 * (index + 2)));
}

describe('the text of an audit', () => {
  it('never says that all is well while a source account could not be looked into', () => {
    const young = source(1, 5);
    const unseen = [{ account: '111122223333', region: 'eu-west-1', why: 'no such role' }];
    const [verdict, ...rest] = printed(
      { sources: [young], copies: [copyOf(young)], unseen },
      { ours: ' --stack x', aws: '' },
    );
    expect(verdict).toBe(
      'Nothing is known of 1 source account. EC2 has 1 of 1 copy that the rules ask for. Account 111122223333 could not be looked into.',
    );
    expect(rest.slice(-5)).toEqual([
      '',
      'PROBLEM: 1 source account could not be looked into',
      '    111122223333  no such role',
      '  Whether its snapshots have their copies is not known. This says what is wrong there, and what mends it:',
      '    snapshot-copier doctor --stack x',
    ]);
    expect(printed({ unseen })[0]).toBe(
      'Nothing is known of 1 source account. Account 111122223333 could not be looked into.',
    );
    const missing = printed({ sources: [source(2, 30)], unseen })[0];
    expect(missing).toMatch(/^The only volume is not protected\. .* Account 111122223333 could not be looked into\.$/);
  });

  it('says in two lines how things are if all is well', () => {
    const [young, old] = [source(1, 5), source(2, 29)];
    expect(printed({ sources: [young, old], copies: [copyOf(young), copyOf(old)] })).toEqual([
      'The only volume is protected. EC2 has 2 of 2 copies that the rules ask for.',
      'ebs-snapshot-copier-test, account 444455556666, eu-west-1, at 2026-03-10 12:00Z; RPO 24 h; snapshots of the last 30 d; rules: copy-rules.yml, as deployed',
      '',
      'DESTINATION   SNAPSHOTS  PROTECTED  UNDER WAY  LATE  MISSING  FAILED  WRONG KEY  DUPLICATE  ORPHANED  FULL  FURTHEST BEHIND',
      'eu-central-1          2          2          0     0        0       0          0          0         0     0  5 h, vol-0123456789abcdef0',
    ]);
  });

  it('gives a table, advice and a command for each finding, and no more of it than one can read', () => {
    const [young] = [source(99, 5)];
    const lines = printed({ sources: [young, ...uncopied(12)], copies: [copyOf(young)] });
    const from = lines.indexOf('PROBLEM: 12 snapshots have no copy at eu-central-1, and nobody works on them');
    expect(lines.slice(from + 1, from + 3)).toEqual([
      '  nobody asked for it',
      `    db-1  ${VOLUME}  ${source(1, 24).snapshotId}  2026-03-09 12:00Z`,
    ]);
    expect(lines.slice(from + 12, from + 16)).toEqual([
      '    … and 2 more: --json has all',
      '  Nothing makes these copies unless somebody asks for them.',
      '    snapshot-copier backfill --since 7d --destination eu-central-1',
    ]);
  });

  it('gives commands for the same install, few ids at a time, all at once only for what failed', () => {
    const options = { ours: ' --stack blue --profile ops', aws: ' --profile ops' };
    const sources = uncopied(12);
    const commands = (status: 'failed' | 'copied') =>
      printed(
        {
          sources,
          ledger: {
            requests: sources.map((each) => requestFor(each, { status, reason: 'no' })),
            unreadable: new Set(),
          },
        },
        options,
      ).filter((line) => line.startsWith('    snapshot-copier retry'));
    expect(commands('failed')).toEqual([
      '    snapshot-copier retry --all-failed --destination eu-central-1 --stack blue --profile ops',
    ]);
    expect(commands('copied').map((line) => line.split(' ').filter((word) => word.startsWith('snap-')).length)).toEqual(
      [10, 2],
    );
    const twice = source(1, 5);
    expect(
      printed(
        { sources: [twice], copies: [copyOf(twice), copyOf(twice, { snapshotId: 'snap-0e', startTime: hoursAgo(1) })] },
        options,
      ),
    ).toContain('    aws ec2 delete-snapshot --region eu-central-1 --snapshot-id snap-0e --profile ops');
  });

  it('names the Region, where a copy in a Local Zone has to be deleted', () => {
    const zone = [rule({ destinations: [destination({ localZone: 'eu-central-1-ham-1a' })] })];
    const twice = source(1, 5);
    const there = { localZone: 'eu-central-1-ham-1a' };
    const copies = [copyOf(twice, there), copyOf(twice, { ...there, snapshotId: 'snap-0e' })];
    expect(printed({ rules: zone, sources: [twice], copies })).toContain(
      '    aws ec2 delete-snapshot --region eu-central-1 --snapshot-id snap-0e',
    );
  });

  it('lets nothing that users wrote steer the terminal', () => {
    const name = '\u001b[2Jgone \u202Egnp';
    const volumes = new Map([[VOLUME, { exists: true, name }]]);
    const failed = source(1, 5);
    const requests = [requestFor(failed, { status: 'failed', reason: '\u001b]0;title\u0007' })];
    const text = printed({ sources: [failed], volumes, ledger: { requests, unreadable: new Set() } }).join('\n');
    expect(text).toContain('·[2Jgone ·gnp');
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
  });
});

describe('the table for spreadsheets', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1'])(
    'takes %j for a text and not for a formula',
    (name) => {
      const of = source(1, 5);
      const volumes = new Map([[VOLUME, { exists: true, name }]]);
      const csv = auditAsCsv(reportOf({ sources: [of], copies: [copyOf(of)], volumes }));
      expect(csv).toContain(`'${name}`);
    },
  );

  it('has the facts of a snapshot at a destination in one row', () => {
    const of = source(1, 5);
    const csv = auditAsCsv(reportOf({ sources: [of], copies: [copyOf(of)] }));
    expect(csv.split('\r\n')[1]).toBe(
      `${of.snapshotId},eu-west-1,444455556666,2026-03-10T07:00:00.000Z,100,${VOLUME},db-1,exists,protected,nightly,copy-rules.yml:2,eu-central-1,protected,snap-0c000000000000001 is a good copy of it,snap-0c000000000000001,1,2026-03-10T08:10:00.000Z,first,kept,snap-0c000000000000001,2026-03-10T07:00:00.000Z`,
    );
  });

  it('has a row for what is missing too', () => {
    const csv = auditAsCsv(reportOf({ sources: [source(1, 30)] }));
    expect(csv.split('\r\n')[1]).toMatch(/,missing,nobody asked for it,,0,,,broken,,$/);
  });
});
