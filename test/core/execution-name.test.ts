import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executionName, nextAttemptName, parseExecutionName } from '../../core/execution-name.ts';

const SNAPSHOT = 'snap-0a1b2c3d4e5f60718';
const outpost = 'arn:aws:outposts:us-gov-west-1:444455556666:outpost/op-0123456789abcdef0';

describe('the name of an execution', () => {
  it.each([
    [{ region: 'eu-central-1' }, 'snap-0a1b2c3d4e5f60718-eu-central-1-1'],
    [{ region: 'us-west-2', localZone: 'us-west-2-lax-1a' }, 'snap-0a1b2c3d4e5f60718-us-west-2-lax-1a-1'],
    [{ region: 'us-gov-west-1', outpost }, 'snap-0a1b2c3d4e5f60718-us-gov-west-1-op-0123456789abcdef0-1'],
  ])('for %j is %s', (destination, name) => {
    expect(executionName(SNAPSHOT, destination, 1)).toBe(name);
  });

  it('is one that Step Functions takes, for every destination and attempt, and reads back', () => {
    const destinations = fc.constantFrom(
      { region: 'eu-central-1' },
      { region: 'us-west-2', localZone: 'us-west-2-lax-1a' },
      { region: 'us-gov-west-1', outpost },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^snap-[0-9a-f]{8,17}$/), destinations, fc.nat(999_999), (id, destination, nth) => {
        const name = executionName(id, destination, nth + 1);
        expect(name).toMatch(/^[0-9A-Za-z_-]{1,80}$/);
        expect(parseExecutionName(name)).toMatchObject({ snapshotId: id, attempt: nth + 1 });
      }),
    );
  });

  it.each(['snap/1', '', 'snap-'.repeat(20)])('is refused for "%s", with an example', (snapshotId) => {
    expect(() => executionName(snapshotId, { region: 'eu central' }, 1)).toThrow('for example snap-0123456789abcdef0');
  });

  it('is refused at 81 characters, not at 80', () => {
    expect(executionName('s'.repeat(65), { region: 'eu-central-1' }, 1)).toHaveLength(80);
    expect(() => executionName('s'.repeat(66), { region: 'eu-central-1' }, 1)).toThrow('at most 80');
  });

  it.each(['my-test', 'snap-0a1b2c3d-eu-central-1', 'snap-0a1b2c3d-eu-central-1-0', 'x-snap-0a1b2c3d-eu-central-1-1'])(
    'is not read into parts if it is "%s"',
    (name) => {
      expect(parseExecutionName(name)).toBeUndefined();
    },
  );

  it('reads back into snapshot, destination and attempt', () => {
    expect(parseExecutionName('snap-0a1b2c3d4e5f60718-us-west-2-lax-1a-12')).toEqual({
      snapshotId: 'snap-0a1b2c3d4e5f60718',
      destination: 'us-west-2-lax-1a',
      attempt: 12,
    });
  });
});

describe('the name for starting again', () => {
  it.each([
    ['snap-0a1b2c3d4e5f60718-eu-central-1-1', 'snap-0a1b2c3d4e5f60718-eu-central-1-2'],
    ['snap-0a1b2c3d4e5f60718-eu-central-1-9', 'snap-0a1b2c3d4e5f60718-eu-central-1-10'],
    ['by-hand', 'by-hand-2'],
    ['x'.repeat(80), `${'x'.repeat(78)}-2`],
  ])('after %s is %s', (name, next) => {
    expect(nextAttemptName(name)).toBe(next);
  });
});
