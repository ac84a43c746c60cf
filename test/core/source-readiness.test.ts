import { describe, expect, it } from 'vitest';
import { decideAboutSource, decideWithoutSource } from '../../core/source-readiness.ts';
import { snapshot } from '../support/examples.ts';

const event = new Date('2026-03-02T04:11:27Z');
/** Lambda delivers an event at once, after a minute, and after two more. */
const [first, second, third] = [1, 61, 181].map((seconds) => new Date(event.getTime() + seconds * 1000));

describe('a source snapshot that an event has named', () => {
  it('is selected when this account sees it', () => {
    expect(decideAboutSource(snapshot(), event, first ?? event)).toEqual({ action: 'select', source: snapshot() });
  });

  it('gets three looks in three minutes while it is not visible, then somebody is told', () => {
    const actions = [first, second, third].map((now) => decideAboutSource(undefined, event, now ?? event).action);
    expect(actions).toEqual(['askAgain', 'askAgain', 'tellNotVisible']);
  });

  it('gets the same patience while EC2 still shows it as pending, then selection skips it with the reason', () => {
    const pending = snapshot({ state: 'pending' });
    const actions = [first, second, third].map((now) => decideAboutSource(pending, event, now ?? event).action);
    expect(actions).toEqual(['askAgain', 'askAgain', 'select']);
  });
});

describe('a source of this account that was there when it was selected', () => {
  const looking = new Date('2026-03-02T04:11:27Z');
  const at = (seconds: number) => new Date(looking.getTime() + seconds * 1000);
  /** What is decided so many seconds after the first look, about a source that was begun so many seconds before it. */
  const action = (after: number, age: number) => decideWithoutSource(at(-age), looking, at(after)).action;

  it('is looked for again for five minutes while it is new, which EC2 may leave it out of its answers', () => {
    expect([action(0, 0), action(299.999, 0)]).toEqual(['askAgain', 'askAgain']);
    expect([action(0, 599), action(299.999, 599)]).toEqual(['askAgain', 'askAgain']);
  });

  it('is looked for again for a minute if it is older than a quarter of an hour: EC2 has shown it before', () => {
    expect([action(0, 900), action(59.999, 900), action(60, 900)]).toEqual(['askAgain', 'askAgain', 'skip']);
    // It grows old meanwhile.
    expect([action(99, 800), action(100, 800)]).toEqual(['askAgain', 'skip']);
  });

  it('is gone after that, and its copy is skipped', () => {
    expect(decideWithoutSource(looking, looking, at(300))).toEqual({
      action: 'skip',
      reason: 'source gone: it was deleted before its copy began',
    });
  });
});
