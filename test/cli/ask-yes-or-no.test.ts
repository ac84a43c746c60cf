import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { askYesOrNo } from '../../cli/ask-yes-or-no.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** As a terminal that sends its keys one by one. */
function typing(keys: string): Promise<boolean> {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const answer = askYesOrNo('Go on?', { input, output });
  input.write(keys);
  return answer;
}

it.each(['y\r', 'Yes\r', ' y \r'])('%j is a yes', async (keys) => {
  expect(await typing(keys)).toBe(true);
});

it.each(['\r', 'n\r', 'yesterday\r', CTRL_C, `y${CTRL_C}`, CTRL_D])('%j is a no', async (keys) => {
  expect(await typing(keys)).toBe(false);
});

it('nobody at all is a no', async () => {
  const input = new PassThrough();
  const answer = askYesOrNo('Go on?', { input, output: new PassThrough() });
  input.end();
  expect(await answer).toBe(false);
});
