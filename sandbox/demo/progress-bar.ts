const CELLS = 10;

/** @param cells 0 = the number alone */
export function progressBar(percent: number, cells = CELLS): string {
  const full = Math.round((percent / 100) * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)} ${String(percent).padStart(3)} %`.trimStart();
}
