const SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** Seconds in a duration such as `15m`, `4h` or `2d`; undefined if the text is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit === 'm' ? SECONDS.m : unit === 'h' ? SECONDS.h : SECONDS.d);
}

/** The shortest exact way to write a number of seconds, for example `2d`, `90m` or `45s`. */
export function printDuration(seconds: number): string {
  if (seconds === 0) return '0m';
  if (seconds % SECONDS.d === 0) return `${seconds / SECONDS.d}d`;
  if (seconds % SECONDS.h === 0) return `${seconds / SECONDS.h}h`;
  if (seconds % SECONDS.m === 0) return `${seconds / SECONDS.m}m`;
  return `${seconds}s`;
}
