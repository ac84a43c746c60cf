import { expect, it } from 'vitest';
import { stepsWith } from '../../../sandbox/demo/details.ts';

const ALERT = `It was not copied.

WHAT TO DO
  1. Look at the key.
  2. Then open it:
       aws kms put-key-policy
       { "Sid": "Use" }
  3. Wait.

START IT AGAIN
  Sesame, open it.`;

it('finds the steps of an alert that say how to get out of it', () => {
  expect(stepsWith(ALERT, ['"Sid": "Use"', 'Wait'])).toEqual([
    '  2. Then open it:\n       aws kms put-key-policy\n       { "Sid": "Use" }',
    '  3. Wait.',
  ]);
  expect(stepsWith(ALERT, ['Sesame'])).toEqual([]);
});
