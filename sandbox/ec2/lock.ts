import type { Lock } from './snapshot.ts';

const DAY_MS = 86_400_000;

/** The lock of a completed snapshot: its time counts from now. */
export function runningLock(lock: Lock, now: number): Lock {
  return { ...lock, startsAt: now, expiresAt: lock.expiresAt ?? now + lock.durationDays * DAY_MS };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockedSnapshotsInfo.html */
export function lockState(lock: Lock, now: number): 'compliance' | 'governance' | 'compliance-cooloff' | 'expired' {
  if (lock.expiresAt !== undefined && now >= lock.expiresAt) return 'expired';
  if (lock.mode === 'governance') return 'governance';
  return lock.coolOffEndsAt !== undefined && now < lock.coolOffEndsAt ? 'compliance-cooloff' : 'compliance';
}

/** Whether the lock keeps the snapshot from being deleted. */
export function isLocked(lock: Lock | undefined, now: number): boolean {
  return lock !== undefined && lockState(lock, now) !== 'expired';
}
