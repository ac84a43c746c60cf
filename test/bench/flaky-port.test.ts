import { expect, it } from 'vitest';
import { flaky } from '../../bench/flaky-port.ts';
import { seededRandom } from '../../sandbox/ids.ts';

class Counter {
  value = 0;
  async add(by: number): Promise<number> {
    this.value += by;
    return this.value;
  }
  async refuse(): Promise<never> {
    this.value += 1;
    throw new RangeError('no');
  }
}

/** `chances` below a third of the share throttle, below two thirds meet trouble, below the share lose the answer. */
const counterWith = (chances: readonly number[], attempts: number) => {
  const left = [...chances];
  const counter = new Counter();
  return { counter, port: flaky(counter, { share: 0.3, attempts, random: () => left.shift() ?? 0.99 }) };
};

it.each([
  ['throttled: not done', 0.05, 'ThrottledError', 0],
  ['in trouble: not done', 0.15, 'ServiceTroubleError', 0],
  ['answer lost: done', 0.25, 'ServiceTroubleError', 1],
])('%s', async (_what, chance, name, value) => {
  const { counter, port } = counterWith([chance], 1);
  await expect(port.add(1)).rejects.toMatchObject({ name });
  expect(counter.value).toBe(value);
  expect(await port.add(5)).toBe(value + 5);
});

it('calls again as often as the SDK does, also what was done unheard', async () => {
  const { counter, port } = counterWith([0.05, 0.25], 3);
  expect(await port.add(1)).toBe(2);
  expect(counter.value).toBe(2);
  const patient = counterWith([0.05, 0.15, 0.05], 3);
  await expect(patient.port.add(1)).rejects.toMatchObject({ name: 'ThrottledError' });
  expect(patient.counter.value).toBe(0);
});

it('does not call again after an error of the port itself', async () => {
  const { counter, port } = counterWith([], 3);
  await expect(port.refuse()).rejects.toThrow(RangeError);
  expect(counter.value).toBe(1);
});

it('fails for its share of the calls', async () => {
  const counter = new Counter();
  const port = flaky(counter, { share: 0.3, attempts: 1, random: seededRandom(1) });
  let failed = 0;
  for (let i = 0; i < 1000; i++) await port.add(1).catch(() => (failed += 1));
  expect(failed).toBeGreaterThan(250);
  expect(failed).toBeLessThan(350);
});
