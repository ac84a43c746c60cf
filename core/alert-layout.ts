/** One thing to do: what, and then a command that works as pasted into bash, or a text to paste where `say` says. */
export interface Step {
  readonly say: string;
  /** The lines of one command, without the backslashes between them. */
  readonly run?: readonly string[];
  readonly paste?: string;
}

export const HEALTH: Step = {
  say: 'See whether AWS knows of trouble: https://health.aws.amazon.com/health/status',
};

/** Mail programs and terminals show this much without breaking lines. */
const WIDTH = 100;
const INDENT = '  ';

/** A heading and what stands below it. Empty bodies are left out. */
export function section(heading: string, ...bodies: readonly string[]): string {
  return [heading.toUpperCase(), ...bodies.filter((body) => body !== '').map((body) => indent(body, INDENT))].join(
    '\n',
  );
}

/** Names and values in two columns. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)} ${value}`])).join('\n');
}

/** Text, broken between words; what the text itself breaks stays broken. */
export function prose(text: string, width: number = WIDTH - INDENT.length): string {
  return text
    .split('\n')
    .flatMap((line) => wrap(line, width))
    .join('\n');
}

/** The steps, numbered. */
export function steps(list: readonly Step[]): string {
  return list
    .map((step, index) => {
      const number = `${index + 1}. `;
      const hanging = ' '.repeat(number.length);
      const body = prose(step.say, WIDTH - INDENT.length - number.length);
      const lines = [`${number}${indent(body, hanging).trimStart()}`];
      if (step.run !== undefined) lines.push(indent(command(step.run), `${hanging}  `));
      if (step.paste !== undefined) lines.push(indent(step.paste, `${hanging}  `));
      return lines.join('\n');
    })
    .join('\n');
}

/** One command of bash over several lines. */
export function command(lines: readonly string[]): string {
  return lines.join(' \\\n  ');
}

function indent(text: string, by: string): string {
  return text.replaceAll(/^(?=.)/gm, by);
}

function wrap(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
