import { stringify } from 'csv-stringify/sync';
import { destinationId } from '../../core/destination.ts';
import { transferOf } from './audit-json.ts';
import type { Report } from './report.ts';

/**
 * One row for each snapshot and destination, as docs/cli/audit.md promises it. A spreadsheet takes a text that begins
 * with `=` and the like for a formula, and names are what users wrote: such a text gets an apostrophe in front.
 */
export function auditAsCsv(report: Report): string {
  const { audit, rules } = report;
  const volumes = new Map(audit.volumes.map((volume) => [volume.volumeId, volume]));
  const rows = audit.pairs.map(({ source, rule, destination, verdict, reason, goodCopies, otherCopyId }) => {
    const place = destinationId(destination);
    const volume = volumes.get(source.volumeId);
    const there = volume?.destinations.find((each) => each.destination === place);
    return {
      snapshot_id: source.snapshotId,
      snapshot_region: source.region,
      snapshot_owner: source.ownerId,
      snapshot_taken: source.startTime,
      size_gib: source.sizeGiB,
      volume_id: source.volumeId,
      volume_name: volume?.name ?? '',
      volume_state: volume?.state ?? '',
      volume_status: volume?.status ?? '',
      rule,
      rule_line: rules.lineOf(rule) ?? '',
      destination: place,
      verdict,
      reason,
      copy_id: goodCopies[0]?.snapshotId ?? otherCopyId ?? '',
      copy_count: goodCopies.length,
      copy_completed: goodCopies[0]?.completionTime ?? '',
      copy_transfer: transferOf(report, goodCopies[0]?.snapshotId) ?? '',
      volume_rpo: there?.rpo ?? '',
      volume_newest_copy_id: there?.newestCopy?.copyId ?? '',
      volume_newest_copy_data: there?.newestCopy === undefined ? '' : new Date(there.newestCopy.dataTime).toISOString(),
    };
  });
  // The mark at the beginning has spreadsheets read it as UTF-8.
  return stringify(rows, {
    header: true,
    columns: COLUMNS,
    escape_formulas: true,
    bom: true,
    record_delimiter: 'windows',
  });
}

/** In this order for ever; new ones come last. */
const COLUMNS = [
  'snapshot_id',
  'snapshot_region',
  'snapshot_owner',
  'snapshot_taken',
  'size_gib',
  'volume_id',
  'volume_name',
  'volume_state',
  'volume_status',
  'rule',
  'rule_line',
  'destination',
  'verdict',
  'reason',
  'copy_id',
  'copy_count',
  'copy_completed',
  'copy_transfer',
  'volume_rpo',
  'volume_newest_copy_id',
  'volume_newest_copy_data',
];
