import type { ForeignCopy } from '../../../sandbox/demo/accounts-scenario.ts';
import type { ForeignRow } from '../../../sandbox/demo/accounts-table.ts';
import type { HeardAlert } from '../../../sandbox/demo/observer.ts';
import type { SeenCopy } from '../../../sandbox/demo/seen-copies.ts';
import type { OwnedSnapshot } from '../../../sandbox/demo/source-observer.ts';

export const HOME = '000000000000';
const PAYROLL = '111122223333';

export function owned(snapshotId: string, change: Partial<OwnedSnapshot> = {}): OwnedSnapshot {
  return { snapshotId, state: 'completed', progressPercent: 100, tags: new Map(), sharedWith: [], ...change };
}

const copy: SeenCopy = {
  copyId: 'snap-0c0c0c0c0c0c0c0c0',
  sourceSnapshotId: 'snap-0a0a0a0a0a0a0a0a0',
  state: 'completed',
  progressPercent: 100,
  startTime: new Date('2026-03-02T09:01:00Z'),
  completionTime: new Date('2026-03-02T09:03:00Z'),
  kmsKeyId: undefined,
  tags: new Map(),
};

const alert: HeardAlert = {
  subject: 'EBS copy failed',
  message: 'say `reencrypt: true`',
  sourceSnapshot: 'snap-0a0a0a0a0a0a0a0a0',
  destinationRegion: 'eu-central-1',
  reason: 'SourceNotShareable',
};

interface Story {
  readonly share?: ForeignCopy['share'];
  readonly what?: string;
  readonly snapshotId?: string;
  /** Step Functions' word; absent = there is no execution yet. */
  readonly status?: 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  /** How far its copy is; absent = there is none. */
  readonly copied?: number;
  readonly source?: Partial<OwnedSnapshot>;
  readonly intermediates?: readonly OwnedSnapshot[];
}

/** One expected copy of a snapshot of another account. */
export function foreignRow({
  share = 'ours',
  what = 'web',
  snapshotId = 'snap-0a0a0a0a0a0a0a0a0',
  status,
  copied,
  source = {},
  intermediates = [],
}: Story): ForeignRow {
  const basics = { snapshotId, what, destination: 'eu-central-1', owner: PAYROLL, share } as const;
  return {
    expected:
      status === 'FAILED'
        ? { ...basics, end: 'alert', reason: 'SourceNotShareable', sourceKey: 'alias/aws/ebs' }
        : { ...basics, end: 'copied', tags: {} },
    home: HOME,
    status,
    ...(status !== undefined && { started: new Date('2026-03-02T09:00:00Z') }),
    ...(status !== undefined && status !== 'RUNNING' && { stopped: new Date('2026-03-02T09:04:05Z') }),
    copies: copied === undefined ? [] : [{ ...copy, progressPercent: copied }],
    alerts: status === 'FAILED' ? [alert] : [],
    there: { source: owned(snapshotId, source), intermediates },
  };
}
