/** Copies take minutes at the least, so a look sooner than this finds nothing new. */
const SHORTEST_WAIT_SECONDS = 30;
/** Whoever waits for a copy of many hours still hears of its end within half an hour. */
const LONGEST_WAIT_SECONDS = 30 * 60;
/** A copy that ends right after a look has taken at least the time elapsed, so it is noticed at most this late. */
const SHARE_OF_ELAPSED = 0.15;

/**
 * How long to wait before the next look at a copy that has been under way for `elapsedSeconds`.
 * The wait grows with the time elapsed, because EC2's progress percentage promises nothing about the time left
 * (it may rest at 99 % for long): https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 *
 * @param secondsToDeadline never wait beyond the deadline: it is checked at the look.
 * @returns whole seconds, at least 1.
 */
export function waitSeconds(elapsedSeconds: number, secondsToDeadline: number): number {
  const byElapsed = Math.floor(SHARE_OF_ELAPSED * elapsedSeconds);
  const wait = Math.min(Math.max(byElapsed, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS);
  return Math.max(1, Math.min(wait, Math.ceil(secondsToDeadline)));
}
