import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { writeAlert } from '../../core/alert.ts';
import { FAILURE_REASONS } from '../../core/failure.ts';
import { EXAMPLES, INSTALL } from './alert-examples.ts';

const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');

describe('docs/alerts.md', () => {
  const alert = writeAlert(EXAMPLES.KeyNotAccessible, INSTALL);

  it('shows an alert as it is', () => {
    expect(page).toContain(`> ${alert.subject}\n`);
    expect(/```text\n(.*?)```/s.exec(page)?.[1]).toBe(`${alert.message}\n`);
  });

  it('lists every reason, once', () => {
    const listed = [...page.matchAll(/^\| `(\w+)` \| .+ \| .+ \|$/gm)].map(([, reason]) => reason);
    expect(listed).toEqual(FAILURE_REASONS);
  });

  it('has a filter policy that speaks of attributes and reasons that exist', () => {
    const policy = z
      .strictObject({
        rule: z.array(z.string()),
        reason: z.tuple([z.strictObject({ 'anything-but': z.array(z.enum(FAILURE_REASONS)) })]),
      })
      .parse(JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? ''));
    expect(policy.rule).toEqual([alert.attributes.rule]);
  });

  it('lists every attribute', () => {
    for (const name of Object.keys(alert.attributes)) expect(page).toContain(`\n| \`${name}\` | `);
  });
});
