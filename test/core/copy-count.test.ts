import { describe, expect, it } from 'vitest';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { countCopies, NOT_COUNTED, secondsUntilCount } from '../../core/copy-count.ts';
import type { RunningRequest } from '../../core/ledger-request.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copy, copyTags, INSTALL, snapshot } from '../support/examples.ts';
import { running } from './admission-examples.ts';

const NOW = new Date('2026-03-02T04:30:00Z');
const OUTPOST = 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0';

/** The copy of snap-0a1b2c3d4e5f60718 that `running` waits for. */
const pendingCopy = copy({ state: 'pending' });
const itsRequest = running('snap-0a1b2c3d4e5f60718');
/** Of another tool. */
const foreign = copy({ snapshotId: 'snap-0f0f0f0f', state: 'pending', tags: {} });

const count = (pending: readonly Snapshot[], requests: readonly RunningRequest[]) =>
  countCopies(pending, requests, INSTALL, NOW);

describe('pending copies', () => {
  it('of requests that run are no others, known by their tags or by the id that EC2 gave', () => {
    const unmarked = copy({ snapshotId: 'snap-0cc1', state: 'pending', tags: {} });
    const known = running('snap-0b', { copyId: 'snap-0cc1' });
    expect(count([pendingCopy, unmarked], [itsRequest, known])).toEqual({
      count: { at: '2026-03-02T04:30:00.000Z', others: 0, volumes: [] },
      ended: [],
    });
  });

  it('of other tools take slots', () => {
    expect(count([foreign, pendingCopy], [itsRequest]).count).toMatchObject({ others: 1, volumes: [] });
  });

  it('that are no copies take no slot: EC2 limits copies alone', () => {
    const ofVolume = snapshot({ region: 'eu-central-1', state: 'pending' });
    expect(count([ofVolume], []).count.others).toBe(0);
  });

  it('are known as copies by our tags even if EC2 gave them a volume id that looks real', () => {
    expect(count([copy({ state: 'pending', volumeId: 'vol-0123456789abcdef0' })], []).count.others).toBe(1);
  });

  it('of another install keep their volumes from us', () => {
    const tags = copyTags({ [COPIER_TAG.managed]: 'ebs-snapshot-copier-other' });
    expect(count([copy({ state: 'pending', tags })], [itsRequest]).count).toMatchObject({
      others: 1,
      volumes: [{ volumeId: 'vol-0123456789abcdef0', destination: 'eu-central-1' }],
    });
  });

  it('that nobody waits for any more still take a slot, and keep their volume', () => {
    expect(count([pendingCopy], []).count).toMatchObject({
      others: 1,
      volumes: [{ volumeId: 'vol-0123456789abcdef0', destination: 'eu-central-1' }],
    });
  });

  it.each([
    ['an Outpost', { outpostArn: OUTPOST }, 'eu-central-1-op-0123456789abcdef0'],
    ['a Local Zone', { localZone: 'eu-central-1-ham-1a' }, 'eu-central-1-ham-1a'],
  ])('at %s are of the request for that place, not for the Region around it', (_where, place, destination) => {
    const there = copy({ state: 'pending', ...place });
    expect(count([there], [itsRequest]).count).toMatchObject({ others: 1, volumes: [{ destination }] });
    expect(count([there], [{ ...itsRequest, destination }]).count.others).toBe(0);
  });

  it('with tags of ours that name no source are others', () => {
    const tags = { [COPIER_TAG.managed]: INSTALL };
    expect(count([copy({ state: 'pending', tags })], [itsRequest]).count).toMatchObject({ others: 1, volumes: [] });
  });
});

describe('two pending copies of one request', () => {
  const givenUp = copy({ snapshotId: 'snap-0c01', state: 'pending', tags: copyTags({ [COPIER_TAG.state]: 'failed' }) });
  const current = copy({ snapshotId: 'snap-0c02', state: 'pending' });
  const double = copy({ snapshotId: 'snap-0c03', state: 'pending' });

  it.each([
    ['the one of an execution before, which was given up, and the current one', [givenUp, current], undefined],
    ['the same, when the ledger knows the current one', [givenUp, current], 'snap-0c02'],
    ['one too many, because an answer was lost', [current, double], undefined],
    ['the same, when the ledger knows the later one', [current, double], 'snap-0c03'],
  ])('take two slots: %s', (_what, pending, copyId) => {
    const request = { ...itsRequest, ...(copyId !== undefined && { copyId }) };
    expect(count(pending, [request]).count.others).toBe(1);
  });

  it('do not hide that the one it waits for has ended', () => {
    const request = { ...itsRequest, copyId: 'snap-0c02', copyBegunAt: '2026-03-02T04:00:00.000Z' };
    expect(count([givenUp], [request]).ended).toHaveLength(1);
    expect(count([double], [request]).ended).toHaveLength(1);
  });
});

describe('the copy of a request that EC2 does not list as pending', () => {
  const begun = (copyBegunAt: string) => running('snap-0b', { copyId: 'snap-0cc1', copyBegunAt });

  it('has ended, if it began five minutes ago or earlier', () => {
    expect(count([], [begun('2026-03-02T04:25:00.000Z')]).ended).toEqual([
      { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-0b', attempt: 1 },
    ]);
  });

  it('still has its slot within five minutes of its start: EC2 may list it late', () => {
    expect(count([], [begun('2026-03-02T04:25:00.001Z')]).ended).toEqual([]);
  });

  it('still has its slot before EC2 has accepted it', () => {
    expect(count([], [running('snap-0b'), running('snap-0c', { copyId: 'snap-0cc1' })]).ended).toEqual([]);
  });
});

describe('the next count', () => {
  const at = (time: string, slotsMatter = true) => secondsUntilCount({ ...NOT_COUNTED, at: time }, slotsMatter, NOW);

  it('is due before the first', () => {
    expect(secondsUntilCount(undefined, false, NOW)).toBe(0);
    expect(secondsUntilCount(NOT_COUNTED, false, NOW)).toBe(0);
  });

  it('is due 40 seconds after each, if a request waits for a slot', () => {
    expect(at('2026-03-02T04:30:00.000Z')).toBe(40);
    expect(at('2026-03-02T04:29:35.500Z')).toBe(15.5);
    expect(at('2026-03-02T04:29:20.000Z')).toBe(0);
  });

  it('is due 90 seconds after each, if they all wait for copies of their own volumes', () => {
    expect(at('2026-03-02T04:29:20.000Z', false)).toBe(50);
    expect(at('2026-03-02T04:28:30.000Z', false)).toBe(0);
  });

  it('is due after one that a clock ahead of ours has made', () => {
    expect(at('2026-03-02T04:30:00.001Z')).toBe(0);
  });
});
