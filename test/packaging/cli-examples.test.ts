import { describe, expect, it } from 'vitest';
import { pagesWithExamples, pageWithExamples } from '../../packaging/cli-examples.ts';
import { packagedService, SHIPPED_RULES } from '../support/packaged.ts';

describe('the examples in docs/cli/ are what the commands print (if not: npm run docs)', () => {
  it.each(pagesWithExamples())('%s', async (name) => {
    const { dir } = await packagedService('prod', SHIPPED_RULES);
    const { now, wanted } = await pageWithExamples(name, dir);
    expect(now).toBe(wanted);
  });

  it('every command has a page with one', () => {
    const commands = ['copy-snapshot', 'plan', 'backfill', 'status', 'retry', 'audit', 'doctor', 'rules'];
    expect(pagesWithExamples()).toEqual(commands.map((command) => `${command}.md`).toSorted());
  });
});
