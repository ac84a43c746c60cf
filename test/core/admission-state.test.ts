import { describe, expect, it } from 'vitest';
import { attemptOf, stillKnown, withFailed } from '../../core/admission-state.ts';
import { attempt, running } from './admission-examples.ts';

describe('the ended copies that admission remembers', () => {
  it('are those whose requests still run', () => {
    expect(stillKnown([attempt('snap-0a'), attempt('snap-0b')], [running('snap-0b')])).toEqual([
      { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-0b', attempt: 1 },
    ]);
  });

  it('are remembered once each, however often they were heard of', () => {
    expect(stillKnown([attempt('snap-0a'), attempt('snap-0a')], [running('snap-0a')])).toHaveLength(1);
  });

  it('are forgotten when the request has another execution', () => {
    expect(stillKnown([attempt('snap-0a')], [running('snap-0a', { attempt: 2 })])).toEqual([]);
  });
});

it('one execution of a request is told from the next, and from one for another destination', () => {
  const texts = [
    attempt('snap-0a'),
    attempt('snap-0a', { attempt: 2 }),
    attempt('snap-0a', { destination: 'eu-central-1-op-0123456789abcdef0' }),
  ].map(attemptOf);
  expect(texts).toEqual([
    'eu-central-1#snap-0a#1',
    'eu-central-1#snap-0a#2',
    'eu-central-1-op-0123456789abcdef0#snap-0a#1',
  ]);
});

describe('failed executions that admission remembers', () => {
  const before = { starting: [], ended: [] };

  it('are noted once each', () => {
    const once = withFailed(before, attempt('snap-0a'));
    expect(once).toEqual({ ...before, failed: [attempt('snap-0a')] });
    expect(withFailed({ ...before, failed: [attempt('snap-0a')] }, attempt('snap-0a'))).toBeUndefined();
  });

  it('are several, and of one request too', () => {
    const known = { ...before, failed: [attempt('snap-0a')] };
    expect(withFailed(known, attempt('snap-0a', { attempt: 2 }))?.failed).toHaveLength(2);
  });
});
