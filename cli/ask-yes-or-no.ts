import { createInterface } from 'node:readline/promises';

/** Anything but `y` or `yes` is a no, and so are Ctrl-C, Ctrl-D and the end of the input. */
export async function askYesOrNo(
  question: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
): Promise<boolean> {
  const reader = createInterface({ input, output });
  const left = new Promise<string>((resolve) => {
    reader.once('SIGINT', () => reader.close());
    reader.once('close', () => resolve(''));
  });
  const answer = await Promise.race([reader.question(`${question} [y/N] `).catch(() => ''), left]);
  if (answer === '') output.write('\n');
  reader.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
