const LONGEST = 99;

/**
 * The subject of a message on SNS: printable ASCII, fewer than 100 characters, no line break.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 *
 * @param full begins with a letter or number, as SNS wants it.
 * @param short for a full one that is too long; cut if it is too long as well.
 */
export function subjectOf(full: string, short: string): string {
  const [first, second] = [printable(full), printable(short)];
  if (first.length <= LONGEST) return first;
  return second.length <= LONGEST ? second : `${second.slice(0, LONGEST - 3)}...`;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}
