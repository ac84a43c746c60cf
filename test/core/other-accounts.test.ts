import { expect, it } from 'vitest';
import { otherAccounts } from '../../core/other-accounts.ts';

it('looks into every listed account but its own, which a file for several installs may list', () => {
  expect(otherAccounts(['111122223333', '444455556666', '222233334444'], '444455556666')).toEqual([
    '111122223333',
    '222233334444',
  ]);
});
