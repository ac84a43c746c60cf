const CELLS = 10;

/**
 * A bar and the number, for example `████░░░░░░  42 %`.
 *
 * @param cells 0 = the number alone
 */
export function progressBar(percent: number, cells = CELLS): string {
  const full = Math.round((percent / 100) * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)} ${String(percent).padStart(3)} %`.trimStart();
}
