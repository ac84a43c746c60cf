import { countsOf } from '../../core/audit.ts';
import { destinationId } from '../../core/destination.ts';
import { wordsOf } from './finding-words.ts';
import { headline, type Report } from './report.ts';

/** The audit as docs/cli/audit.md promises it. */
export function auditAsJson(report: Report): unknown {
  const { audit, evidence, rules, troubles } = report;
  const { install, now, since, rpoSeconds } = evidence;
  const withStatus = (status: string) => audit.volumes.filter((volume) => volume.status === status).length;
  return {
    verdict: audit.isProtected ? 'protected' : 'unprotected',
    headline: headline(report),
    auditedAt: now.toISOString(),
    since: since.toISOString(),
    rpoSeconds,
    install: { name: install.name, account: install.account, region: install.region },
    rules: { from: rules.areDeployed ? 'deployed' : 'file', file: rules.file },
    unseenAccounts: audit.unseenAccounts,
    totals: {
      volumes: {
        total: audit.volumes.length,
        protected: withStatus('protected'),
        gaps: withStatus('gaps'),
        unprotected: withStatus('unprotected'),
      },
      copies: { total: audit.pairs.length, ...countsOf(audit.pairs) },
    },
    destinations: audit.destinations.map(({ oldest, verdicts, ...rest }) => ({
      ...rest,
      verdicts,
      oldest: oldest === undefined ? null : { volumeId: oldest.volumeId, dataTime: iso(oldest.dataTime) },
    })),
    volumes: audit.volumes.map(({ name, newestSnapshot, destinations, ...rest }) => ({
      ...rest,
      name: name ?? null,
      newestSnapshot: { snapshotId: newestSnapshot.snapshotId, time: iso(newestSnapshot.time) },
      destinations: destinations.map(({ destination, rpo, newestCopy, pairs }) => ({
        destination,
        rpo,
        newestCopy: newestCopy === undefined ? null : { ...newestCopy, dataTime: iso(newestCopy.dataTime) },
        ageSeconds: newestCopy === undefined ? null : Math.floor((now.getTime() - newestCopy.dataTime) / 1000),
        verdicts: countsOf(pairs),
      })),
    })),
    copies: audit.pairs.map(({ source, rule, destination, verdict, reason, goodCopies, otherCopyId }) => ({
      snapshotId: source.snapshotId,
      volumeId: source.volumeId,
      startTime: source.startTime,
      sizeGiB: source.sizeGiB,
      rule,
      ruleLine: rules.lineOf(rule) ?? null,
      destination: destinationId(destination),
      verdict,
      reason,
      copyIds: goodCopies.map(({ snapshotId }) => snapshotId),
      otherCopyId: otherCopyId ?? null,
      transfer: transferOf(report, goodCopies[0]?.snapshotId),
    })),
    orphans: audit.orphans.map(({ snapshotId, volumeId, dataTime, ...rest }) => ({
      ...rest,
      snapshotId: snapshotId ?? null,
      volumeId: volumeId ?? null,
      dataTime: dataTime === undefined ? null : iso(dataTime),
    })),
    findings: audit.findings.map((finding) => {
      const { title, advice, commands } = wordsOf(finding, report);
      return {
        severity: finding.severity,
        kind: finding.kind,
        destination: finding.destination ?? null,
        title,
        cause: finding.cause ?? null,
        advice,
        commands,
        items: finding.items.map(({ account, volumeId, volumeName, snapshotId, copyIds, dataTime, reason }) => ({
          account: account ?? null,
          volumeId: volumeId ?? null,
          volumeName: volumeName ?? null,
          snapshotId: snapshotId ?? null,
          copyIds,
          dataTime: dataTime === undefined ? null : iso(dataTime),
          reason: reason ?? null,
        })),
      };
    }),
    troubles,
  };
}

/** `first`, `incremental` or `full`, by EC2's rule; null if it is not known. */
export function transferOf({ audit }: Report, copyId: string | undefined): string | null {
  return audit.transfers.get(copyId ?? '')?.kind ?? null;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
