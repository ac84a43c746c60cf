import { describe, expect, it } from 'vitest';
import { hasExpired, itemOf, type LedgerRequest, requestKey } from '../../core/ledger-request.ts';
import { requested } from '../../core/request-transitions.ts';
import { destination, request } from '../support/examples.ts';

const SOURCE = { snapshotId: 'snap-0a1b2c3d4e5f60718' };

describe('where a request is in the ledger', () => {
  it.each([
    [destination(), 'eu-central-1', 'eu-central-1#snap-0a1b2c3d4e5f60718'],
    [destination({ localZone: 'eu-central-1-ham-1a' }), 'eu-central-1', 'eu-central-1-ham-1a#snap-0a1b2c3d4e5f60718'],
    [
      destination({ outpost: 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0' }),
      'eu-central-1',
      'eu-central-1-op-0123456789abcdef0#snap-0a1b2c3d4e5f60718',
    ],
  ])('all destinations in a Region share it, and each is a request of its own (%#)', (to, region, item) => {
    const key = requestKey(SOURCE, to);
    expect(key).toMatchObject({ region, snapshotId: 'snap-0a1b2c3d4e5f60718' });
    expect(itemOf(key)).toBe(item);
  });
});

describe('the time of a request', () => {
  const end = Date.parse('2026-05-31T05:00:00Z');
  const over = (expiresAt: number | undefined, ms: number) => {
    const waiting = requested(request(), 'selected', new Date(0))(undefined);
    if (waiting === undefined) throw new Error('a new request waits');
    const ended: LedgerRequest = { ...waiting, ...(expiresAt !== undefined && { expiresAt }) };
    return hasExpired(ended, new Date(ms));
  };

  it('is over from the second on that it has', () => {
    expect(over(end / 1000, end - 1)).toBe(false);
    expect(over(end / 1000, end)).toBe(true);
  });

  it('is never over before it has an end', () => {
    expect(over(undefined, Date.parse('2100-01-01T00:00:00Z'))).toBe(false);
  });
});
