import { afterEach, describe, expect, it } from 'vitest';
import {
  installVirtualClock,
  LimitReachedError,
  type TimeMode,
  type VirtualClock,
} from '../../sandbox/virtual-clock.ts';

const NINE = new Date('2026-01-05T09:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let clock: VirtualClock | undefined;

function install(time: TimeMode = { mode: 'jumping' }): VirtualClock {
  clock = installVirtualClock({ start: NINE, time });
  return clock;
}

/** As a library does it: with the process's own setTimeout. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function clockTime(): string {
  return new Date().toISOString().slice(11, 23);
}

afterEach(() => clock?.uninstall());

describe('a jumping clock', () => {
  it('stands still until somebody asks for time', async () => {
    const { afterReal } = install();
    await new Promise<void>((resolve) => {
      afterReal(30, resolve);
    });
    expect(clockTime()).toBe('09:00:00.000');
  });

  it('passes through every timer at its own moment, also those that follow from others', async () => {
    const { advance } = install();
    const seen: string[] = [];
    const steps = async () => {
      for (let step = 0; step < 3; step += 1) {
        await sleep(20 * MINUTE);
        seen.push(clockTime());
      }
    };
    void steps();
    await advance(HOUR);
    expect(seen).toEqual(['09:20:00.000', '09:40:00.000', '10:00:00.000']);
    expect(clockTime()).toBe('10:00:00.000');
  });

  it('does what is set for the last moment at that moment', async () => {
    const { advance } = install();
    let done = false;
    setTimeout(() => {
      void Promise.resolve().then(() => {
        setTimeout(() => {
          done = true;
        }, 0);
      });
    }, HOUR);
    await advance(HOUR);
    expect(done).toBe(true);
    expect(clockTime()).toBe('10:00:00.000');
  });

  it('waits for work that is under way, however long that really takes', async () => {
    const { advance, during, afterReal } = install();
    const seen: string[] = [];
    setTimeout(() => {
      const work = new Promise<void>((resolve) => {
        afterReal(40, resolve);
      });
      void during(work).then(() => seen.push(`worked until ${clockTime()}`));
    }, MINUTE);
    setTimeout(() => seen.push(`next at ${clockTime()}`), MINUTE + 1);
    await advance(HOUR);
    expect(seen).toEqual(['worked until 09:01:00.000', 'next at 09:01:00.001']);
  });

  it('stops as soon as what is waited for has happened', async () => {
    const { advanceUntil } = install();
    let happened = false;
    void sleep(7 * MINUTE).then(() => {
      happened = true;
    });
    await advanceUntil(() => happened, HOUR);
    expect(clockTime()).toBe('09:07:00.000');
  });

  it('says so when what is waited for does not happen in time', async () => {
    const { advanceUntil } = install();
    await expect(advanceUntil(() => false, HOUR)).rejects.toThrow(LimitReachedError);
    expect(clockTime()).toBe('10:00:00.000');
  });

  it('goes further than the longest timer of Node', async () => {
    const { advance, now, ...clock } = install();
    let firedAt: number | undefined;
    clock.after(30 * 24 * HOUR, () => {
      firedAt = now();
    });
    await advance(40 * 24 * HOUR);
    expect(new Date(firedAt ?? 0).toISOString()).toBe('2026-02-04T09:00:00.000Z');
    expect(new Date().toISOString()).toBe('2026-02-14T09:00:00.000Z');
  });

  it("has timers that are longer than Node's, and can cancel them at any time", async () => {
    const { advance } = install();
    const fired: string[] = [];
    setTimeout((text: string) => fired.push(`${text} ${new Date().toISOString()}`), 60 * 24 * HOUR, 'long');
    const cancelled = setTimeout(() => fired.push('cancelled'), 60 * 24 * HOUR);
    const never = setTimeout(() => fired.push('never'), Number.POSITIVE_INFINITY);
    await advance(40 * 24 * HOUR);
    clearTimeout(cancelled);
    await advance(60 * 24 * HOUR);
    clearTimeout(never);
    expect(fired).toEqual(['long 2026-03-06T09:00:00.000Z']);
  });

  it('does not fire a timer that was cancelled', async () => {
    const { advance, ...clock } = install();
    let fired = false;
    const cancel = clock.after(MINUTE, () => {
      fired = true;
    });
    cancel();
    await advance(HOUR);
    expect(fired).toBe(false);
  });
});

describe('a paced clock', () => {
  const HUNDRED_TIMES: TimeMode = { mode: 'paced', speed: 100 };

  it('runs by itself, as much faster as asked', async () => {
    const { afterReal, now } = install(HUNDRED_TIMES);
    const began = performance.now();
    await new Promise<void>((resolve) => {
      afterReal(100, resolve);
    });
    const passed = now() - NINE.getTime();
    const real = performance.now() - began;
    expect(passed).toBeGreaterThan(real * 20);
    expect(passed).toBeLessThanOrEqual(real * 100 + 100);
  });

  it('runs slower or faster when it is told to', async () => {
    const { afterReal, setSpeed, now } = install({ mode: 'paced', speed: 10_000 });
    setSpeed(1);
    const [before, began] = [now(), performance.now()];
    await new Promise<void>((resolve) => {
      afterReal(60, resolve);
    });
    expect(now() - before).toBeLessThanOrEqual(performance.now() - began + 10);
  });

  it('runs at real speed while work is under way', async () => {
    const { afterReal, begin, now } = install(HUNDRED_TIMES);
    const end = begin();
    const began = performance.now();
    await new Promise<void>((resolve) => {
      afterReal(60, resolve);
    });
    const real = performance.now() - began;
    expect(now() - NINE.getTime()).toBeLessThanOrEqual(real + 1);
    end();
  });

  it('does not run on over work that a timer has just begun', async () => {
    const { begin, advanceUntil, afterReal } = install({ mode: 'paced', speed: 10_000 });
    let late = false;
    let end = () => {};
    // Both are due within one step of the driver.
    setTimeout(() => {
      end = begin();
    }, 1_000);
    setTimeout(() => {
      late = true;
    }, 5_000);
    await new Promise<void>((resolve) => {
      afterReal(100, resolve);
    });
    expect(late).toBe(false);
    end();
    await advanceUntil(() => late, HOUR);
  });
});

describe('installing', () => {
  it('gives the process its own time back', async () => {
    const before = { setTimeout: globalThis.setTimeout, Date: globalThis.Date };
    const { uninstall, advance } = install();
    await advance(HOUR);
    uninstall();
    expect(globalThis.setTimeout).toBe(before.setTimeout);
    expect(globalThis.Date).toBe(before.Date);
    expect(Math.abs(Date.now() - NINE.getTime())).toBeGreaterThan(24 * HOUR);
  });

  it('is refused while another clock is installed', () => {
    install();
    expect(() => installVirtualClock({ start: NINE, time: { mode: 'jumping' } })).toThrow(
      /one sandbox runs in a process/,
    );
  });

  it('leaves Node itself alone', async () => {
    install();
    const turns: string[] = [];
    process.nextTick(() => turns.push('nextTick'));
    await new Promise((resolve) => setImmediate(resolve));
    turns.push('setImmediate');
    expect(turns).toEqual(['nextTick', 'setImmediate']);
  });
});
