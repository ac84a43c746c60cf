import { describe, expect, it } from 'vitest';
import { announcedBy, decideSourceStep, decideVisibility, writeAnnouncement } from '../../core/prepare-source.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { snapshot } from '../support/examples.ts';

const now = new Date('2026-03-02T04:30:00Z');
const deadline = new Date('2026-03-04T04:30:00Z');
const ME = 'snap-1-eu-central-1-1';

function step(
  announced: string | undefined,
  intermediates: Parameters<typeof decideSourceStep>[0]['intermediates'] = [],
  begun?: Parameters<typeof decideSourceStep>[1]['begun'],
) {
  const seen = { source: snapshot(), keyManager: 'AWS' as const, intermediates };
  const by = { reencrypt: true, execution: ME, announced, begun, missingSince: undefined, taken: ago(3600) };
  return decideSourceStep(seen, by, now, deadline);
}

const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

describe('a source', () => {
  function look(source: Snapshot | undefined, missing: number | undefined, taken: number) {
    const missingSince = missing === undefined ? undefined : ago(missing).toISOString();
    const by = { reencrypt: false, execution: ME, announced: undefined, begun: undefined, missingSince };
    const seen = { source, keyManager: undefined, intermediates: [] };
    return decideSourceStep(seen, { ...by, taken: ago(taken) }, now, deadline);
  }

  it.each([
    ['for the first time, is looked for again', undefined, 86_400, 'askAgain'],
    ['for a minute, is gone', 60, 86_400, 'skip'],
    ['for less, is looked for again', 59, 86_400, 'askAgain'],
    ['for almost five minutes, and that is new, is looked for again', 299, 899, 'askAgain'],
    ['for five minutes, and that is new, is gone', 300, 899, 'skip'],
  ])('that EC2 does not show %s', (_what, missing, taken, action) => {
    expect(look(undefined, missing, taken)).toMatchObject({ action });
  });

  it('that EC2 does not show is missing since the first look that did not find it', () => {
    expect(look(undefined, undefined, 3600)).toMatchObject({ waitSeconds: 15, missingSince: now.toISOString() });
    expect(look(undefined, 30, 3600)).toMatchObject({ waitSeconds: 15, missingSince: ago(30).toISOString() });
  });

  it('that EC2 shows as pending, though an event told that it is complete, is no reason to give up', () => {
    expect(look(snapshot({ state: 'pending' }), undefined, 600)).toEqual({
      action: 'askAgain',
      waitSeconds: 90,
      reason: 'EC2 still shows the source as pending',
    });
  });
});

describe('who makes the intermediate copy', () => {
  it.each([
    ['nobody said so', undefined, 'announce'],
    ['what was said cannot be read', 'by hand', 'announce'],
    ['this execution said so a second ago', writeAnnouncement(ME, ago(1)), 'wait'],
    ['59 seconds ago', writeAnnouncement(ME, ago(59)), 'wait'],
    ['60 seconds ago', writeAnnouncement(ME, ago(60)), 'copyUnderShareableKey'],
    ['half an hour ago, when others have taken it over', writeAnnouncement(ME, ago(1800)), 'announce'],
    ['another one said so', writeAnnouncement('other', ago(1799)), 'wait'],
    ['another one said so half an hour ago', writeAnnouncement('other', ago(1800)), 'announce'],
  ])('if %s', (_what, announced, action) => {
    expect(step(announced).action).toBe(action);
  });

  it('waits no longer than until the time of its own announcement is over', () => {
    expect(step(writeAnnouncement(ME, ago(20)))).toMatchObject({ waitSeconds: 40 });
  });

  it('is nobody while EC2 may not show the one that this execution has begun, for five minutes', () => {
    const begun = (seconds: number) => ({ copyId: 'snap-new', at: ago(seconds).toISOString() });
    const announced = writeAnnouncement(ME, ago(400));
    expect(step(announced, [], begun(299))).toMatchObject({ action: 'wait', waitSeconds: 15 });
    expect(step(announced, [], begun(300))).toMatchObject({ action: 'copyUnderShareableKey' });
  });

  it('is known by the announcement', () => {
    expect(announcedBy(writeAnnouncement(ME, now))).toBe(ME);
    expect(announcedBy(undefined)).toBeUndefined();
  });
});

describe('of several intermediate copies', () => {
  const older = snapshot({ snapshotId: 'snap-old', startTime: '2026-03-02T04:00:00Z' });
  const younger = snapshot({ snapshotId: 'snap-new', startTime: '2026-03-02T04:20:00Z' });
  const pending = { state: 'pending', progressPercent: 40 } as const;

  it.each([
    ['the oldest complete one', [younger, older], 'snap-old'],
    ['the one with the smaller id, of two of one age', [{ ...older, snapshotId: 'snap-z' }, older], 'snap-old'],
    ['the same one in any order', [older, { ...older, snapshotId: 'snap-z' }], 'snap-old'],
    ['a complete one rather than an older pending one', [{ ...older, ...pending }, younger], 'snap-new'],
  ])('%s is shared', (_which, intermediates, snapshotId) => {
    expect(step(undefined, intermediates)).toMatchObject({ action: 'share', snapshot: { snapshotId } });
  });

  it('a pending one is waited for, the longer the older it is', () => {
    expect(step(undefined, [{ ...younger, ...pending }])).toMatchObject({
      action: 'wait',
      waitSeconds: 90,
      reason: 'its intermediate copy snap-new is pending (40 %)',
    });
    expect(step(undefined, [{ ...older, ...pending }])).toMatchObject({ waitSeconds: 270 });
  });

  it('one that ended in error is given up only where there is no other', () => {
    const failed = { ...older, state: 'error' } as const;
    expect(step(undefined, [failed, younger])).toMatchObject({ action: 'share' });
    expect(step(undefined, [failed])).toMatchObject({ action: 'giveUpIntermediate', reason: 'EC2 gave no reason' });
  });

  it('one that was marked as failed counts for nothing', () => {
    const marked = { ...older, tags: { 'snapshot-copier:state': 'failed' } };
    expect(step(undefined, [marked])).toMatchObject({ action: 'announce' });
  });
});

it('a share is hidden after a quarter of an hour, and not before', () => {
  const seen = (seconds: number) => decideVisibility('snap-1', false, ago(seconds), now).action;
  expect([seen(0), seen(899), seen(900)]).toEqual(['wait', 'wait', 'hidden']);
  expect(decideVisibility('snap-1', true, ago(900), now)).toMatchObject({ action: 'ready', copyFrom: 'snap-1' });
});
