import { describe, expect, it } from 'vitest';
import { waitSeconds } from '../../core/wait-schedule.ts';

const MINUTE = 60;
const HOUR = 3600;
const NEVER = 14 * 24 * HOUR;

/** Looks at a copy until it is seen to be complete, as the state machine does; each look takes a second of its own. */
function follow(copyTakesSeconds: number): { looks: number; noticedLateSeconds: number } {
  let now = 0;
  let looks = 0;
  do {
    now += waitSeconds(now, NEVER) + 1;
    looks += 1;
  } while (now < copyTakesSeconds);
  return { looks, noticedLateSeconds: now - copyTakesSeconds };
}

describe('the wait between looks', () => {
  it.each([
    [10 * MINUTE, 16],
    [1 * HOUR, 30],
    [24 * HOUR, 80],
  ])('needs, for a copy of %i s, at most %i looks', (duration, most) => {
    expect(follow(duration).looks).toBeLessThanOrEqual(most);
  });

  it('notices every end within 15 % of the duration, or 30 s for short copies, or 30 min for long ones', () => {
    const aSecondOfTheLookItself = 1;
    for (let duration = 1; duration <= 48 * HOUR; duration += duration < 2 * HOUR ? 1 : 97) {
      const allowed = Math.min(Math.max(0.15 * duration, 30), 30 * MINUTE) + aSecondOfTheLookItself;
      const { noticedLateSeconds } = follow(duration);
      if (noticedLateSeconds > allowed) expect.fail(`${duration} s: noticed ${noticedLateSeconds} s late`);
    }
  });

  it('never goes beyond the deadline', () => {
    expect(waitSeconds(10 * HOUR, 90)).toBe(90);
    expect(waitSeconds(10 * HOUR, 0.2)).toBe(1);
    // A look just before the deadline would only have to be made again.
    expect(waitSeconds(10 * HOUR, 90.2)).toBe(91);
  });

  it('is a positive whole number even for a clock that runs behind', () => {
    expect(waitSeconds(-500, NEVER)).toBe(30);
    expect(waitSeconds(333.3, NEVER)).toBe(49);
  });
});
