import { describe, expect, it } from 'vitest';
import type { Row } from '../../../sandbox/demo/observer.ts';
import type { Expected } from '../../../sandbox/demo/scenario.ts';
import { type Evidence, problemsOf } from '../../../sandbox/demo/verdict.ts';

const about = { snapshotId: 'snap-01', what: 'web', destination: 'eu-central-1' } as const;
const copyId = 'snap-0c';

function copied(change: Partial<Extract<Expected, { end: 'copied' }>> = {}): Row {
  const tags = new Map([['snapshot-copier:state', 'copied']]);
  const copy = {
    copyId,
    sourceSnapshotId: 'snap-01',
    state: 'completed',
    progressPercent: 100,
    kmsKeyId: undefined,
    tags,
  };
  return {
    expected: { ...about, end: 'copied', tags: {}, ...change },
    status: 'SUCCEEDED',
    copies: [{ ...copy, startTime: undefined, completionTime: undefined }],
    alerts: [],
  };
}

function failed(message: string): Row {
  const alert = { subject: 'failed', message, sourceSnapshot: 'snap-01', destinationRegion: 'eu-central-1' };
  return {
    expected: { ...about, end: 'alert', reason: 'SourceNotShareable', wayOut: ['reencrypt: true'] },
    status: 'FAILED',
    copies: [],
    alerts: [{ ...alert, reason: 'SourceNotShareable' }],
  };
}

function evidence(mark?: string): Evidence {
  return {
    keyArn: () => undefined,
    sourceTags: () => new Map(mark === undefined ? [] : [['snapshot-copier:copied-to:eu-central-1', mark]]),
    requests: () => 2,
  };
}

describe('the verdict about a copy', () => {
  it('wants its id on the source, or nothing there if nobody may write on it', () => {
    expect(problemsOf([copied()], [], evidence(copyId))).toEqual([]);
    expect(problemsOf([copied()], [], evidence())).toEqual([
      'snap-01 to eu-central-1 (web): its source is marked with no copy',
    ]);
    expect(problemsOf([copied({ isMarked: false })], [], evidence())).toEqual([]);
    expect(problemsOf([copied({ isMarked: false })], [], evidence(copyId))).toEqual([
      `snap-01 to eu-central-1 (web): its source is marked with ${copyId}`,
    ]);
  });

  it('counts events only if it is told how many there were', () => {
    expect(problemsOf([copied({ events: 2 })], [], evidence(copyId))).toEqual([]);
    expect(problemsOf([copied({ events: 1 })], [], evidence(copyId))).toEqual([
      'snap-01 to eu-central-1 (web): its event came 2 times and not 1',
    ]);
  });

  it('wants the way out in the alert of a failure', () => {
    const good = failed('Say reencrypt: true.');
    expect(problemsOf([good], good.alerts, evidence())).toEqual([]);
    const bad = failed('Bad luck.');
    expect(problemsOf([bad], bad.alerts, evidence())).toEqual([
      'snap-01 to eu-central-1 (web): its alert does not say reencrypt: true',
    ]);
  });
});
