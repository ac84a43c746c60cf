import { action, type Ec2Action } from '../action.ts';
import { Ec2Error, incorrectState, invalidCombination, invalidValue, notPermitted } from '../ec2-error.ts';
import { applyFilters, filters, knownFilter } from '../filters.ts';
import { lockState, runningLock } from '../lock.ts';
import { page, pageParameters } from '../pages.ts';
import { integer, listOf, text, timestamp } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import type { Lock, Snapshot } from '../snapshot.ts';
import type { Ec2World } from '../world.ts';
import { isoTime, items, type XmlTree } from '../xml.ts';
import { ordinalKey } from './describe-snapshots.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const lockParameters = {
  SnapshotId: text,
  LockMode: text,
  CoolOffPeriod: integer.optional(),
  LockDuration: integer.optional(),
  ExpirationDate: timestamp.optional(),
};

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockSnapshot.html
 * A pending snapshot can be locked: its lock begins when it completes, and is dropped if it fails.
 * What a lock forbids: https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-lock-concepts.html (codes unconfirmed)
 */
export const lockSnapshot: Ec2Action = action({
  name: 'LockSnapshot',
  parameters: lockParameters,
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    readMode(input.LockMode);
    if ((input.LockDuration === undefined) === (input.ExpirationDate === undefined)) {
      throw invalidCombination('Exactly one of LockDuration and ExpirationDate is needed');
    }
    checkRange('LockDuration', input.LockDuration, 1, 36_500);
    checkRange('CoolOffPeriod', input.CoolOffPeriod, 1, 72);
    if (input.CoolOffPeriod !== undefined && input.LockMode !== 'compliance') {
      throw invalidCombination('CoolOffPeriod is for compliance mode only');
    }
  },
  run: (world, caller, input) => {
    const snapshot = world.ownSnapshot(caller, input.SnapshotId);
    if (snapshot.outpostArn !== undefined) throw notPermitted('Snapshots on Outposts cannot be locked');
    if (snapshot.state !== 'completed' && snapshot.state !== 'pending') {
      throw incorrectState(`The snapshot ${input.SnapshotId} is in the '${snapshot.state}' state.`);
    }
    const { now } = world;
    if (input.ExpirationDate !== undefined && input.ExpirationDate < now + DAY_MS) {
      throw invalidValue('The lock expiration date must be at least one day in the future');
    }
    const coolOffEndsAt = input.CoolOffPeriod === undefined ? undefined : now + input.CoolOffPeriod * HOUR_MS;
    const fresh: Lock = {
      mode: readMode(input.LockMode),
      createdAt: now,
      durationDays: input.LockDuration ?? Math.ceil(((input.ExpirationDate ?? now) - now) / DAY_MS),
      startsAt: undefined,
      expiresAt: input.ExpirationDate,
      coolOffHours: input.CoolOffPeriod,
      coolOffEndsAt,
    };
    const lock = snapshot.state === 'completed' ? runningLock(fresh, now) : fresh;
    checkRelock(world, snapshot.lock, lock);
    snapshot.lock = lock;
    if (snapshot.state === 'completed') world.after(0, () => world.events.lockSnapshot(snapshot, now));
    return lockXml(world, snapshot, lock);
  },
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnlockSnapshot.html */
export const unlockSnapshot: Ec2Action = action({
  name: 'UnlockSnapshot',
  parameters: { SnapshotId: text },
  check: (input) => checkSnapshotId(input.SnapshotId),
  run: (world, caller, { SnapshotId }) => {
    const snapshot = world.ownSnapshot(caller, SnapshotId);
    if (snapshot.lock === undefined)
      throw new Ec2Error('SnapshotLock.NotFound', `The snapshot ${SnapshotId} is not locked`);
    if (lockState(snapshot.lock, world.now) === 'compliance') {
      throw notPermitted(`The snapshot ${SnapshotId} is locked in compliance mode`);
    }
    snapshot.lock = undefined;
    return { snapshotId: SnapshotId };
  },
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLockedSnapshots.html */
export const describeLockedSnapshots: Ec2Action = action({
  name: 'DescribeLockedSnapshots',
  parameters: { SnapshotId: listOf(text), Filter: filters, ...pageParameters },
  check: (input) => {
    for (const snapshotId of input.SnapshotId) checkSnapshotId(snapshotId);
  },
  run: (world, caller, input) => {
    for (const snapshotId of input.SnapshotId) world.ownSnapshot(caller, snapshotId);
    const locked = [...world.snapshots.ownedBy(caller)].flatMap((snapshot) =>
      snapshot.lock !== undefined && (input.SnapshotId.length === 0 || input.SnapshotId.includes(snapshot.snapshotId))
        ? [{ snapshot, lock: snapshot.lock, ordinal: snapshot.ordinal }]
        : [],
    );
    const matching = applyFilters(
      locked,
      input.Filter,
      knownFilter(new Set(['lock-state']), { tags: false }),
      (_name, { lock }) => [lockState(lock, world.now)],
    );
    const { items: shown, nextToken } = page(matching, ordinalKey, input);
    return {
      snapshotSet: items(
        shown.map(({ snapshot, lock }) => ({ ownerId: snapshot.account, ...lockXml(world, snapshot, lock) })),
      ),
      nextToken,
    };
  },
});

/** In compliance mode, after the cool-off period, a lock can be made longer only. */
function checkRelock(world: Ec2World, before: Lock | undefined, lock: Lock): void {
  if (before === undefined || lockState(before, world.now) !== 'compliance') return;
  if (
    lock.mode !== 'compliance' ||
    (lock.expiresAt ?? 0) < (before.expiresAt ?? 0) ||
    lock.coolOffHours !== undefined
  ) {
    throw notPermitted('A lock in compliance mode can only be extended');
  }
}

function lockXml(world: Ec2World, { snapshotId }: Snapshot, lock: Lock): XmlTree {
  return {
    snapshotId,
    lockState: lockState(lock, world.now),
    lockDuration: lock.durationDays,
    coolOffPeriod: lock.coolOffHours,
    coolOffPeriodExpiresOn: timeOrNothing(lock.coolOffEndsAt),
    lockCreatedOn: isoTime(lock.createdAt),
    lockDurationStartTime: timeOrNothing(lock.startsAt),
    lockExpiresOn: timeOrNothing(lock.expiresAt),
  };
}

function timeOrNothing(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : isoTime(ms);
}

function readMode(mode: string): Lock['mode'] {
  if (mode === 'governance' || mode === 'compliance') return mode;
  throw invalidValue(`Value (${mode}) for parameter LockMode is invalid.`);
}

function checkRange(name: string, value: number | undefined, from: number, to: number): void {
  if (value === undefined || (value >= from && value <= to)) return;
  throw invalidValue(`Value (${value}) for parameter ${name} is invalid. It must be ${from} to ${to}.`);
}
