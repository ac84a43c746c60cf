import { describe, expect, it } from 'vitest';
import { decideAboutSource } from '../../core/source-readiness.ts';
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
