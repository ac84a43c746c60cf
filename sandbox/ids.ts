/** Gives numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** The same seed gives the same numbers (mulberry32), so that a run of the sandbox can be repeated with the same ids. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As many lower-case hexadecimal digits as asked for. */
export function hexDigits(random: Random, length: number): string {
  let digits = '';
  while (digits.length < length) {
    digits += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return digits.slice(0, length);
}

/** Of the form of a version 4 UUID. */
export function uuid(random: Random): string {
  const digits = hexDigits(random, 32);
  const variant = '89ab'.charAt(Math.floor(random() * 4));
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-');
}
