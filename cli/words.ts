/** How the command line says times and sizes, everywhere the same. */

const MINUTE = 60_000;

/** `2026-11-22 17:05Z`: to the minute, in UTC. */
export function inMinutes(time: Date | string): string {
  const iso = (typeof time === 'string' ? new Date(time) : time).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z`;
}

/** `40 s`, `12 min`, `3 h 12 min`, `4 d 6 h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.max(0, Math.round(milliseconds / 1000))} s`;
  const minutes = Math.floor(milliseconds / MINUTE);
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  if (hours === 0) return `${minutes} min`;
  if (days === 0) return joined(`${hours} h`, minutes % 60, 'min');
  return joined(`${days} d`, hours % 24, 'h');
}

/** `1,024 GiB`. */
export function gib(size: number): string {
  return `${new Intl.NumberFormat('en', { maximumFractionDigits: size < 10 ? 1 : 0 }).format(size)} GiB`;
}

/** `1 snapshot`, `2 snapshots`, `1,000 copies`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${new Intl.NumberFormat('en').format(number)} ${number === 1 ? one : many}`;
}

function joined(large: string, small: number, unit: string): string {
  return small === 0 ? large : `${large} ${small} ${unit}`;
}
