import type { Step } from '../alert-layout.ts';

/**
 * `hint`: nothing is wrong, but it could be better, or is worth knowing. `warning`: it works, and somebody should look.
 * `problem`: copies will fail, be late or go unnoticed. `unchecked`: nobody could look, so nothing is known.
 */
export type Status = 'ok' | 'hint' | 'warning' | 'problem' | 'unchecked';

/** What a check is about. */
export type Subject =
  | 'install'
  | 'regions'
  | 'keys'
  | 'source accounts'
  | 'source keys'
  | 'events'
  | 'alerts'
  | 'slots'
  | 'permission to copy';

/** What one check found. */
export interface Finding {
  /** The kind of check; these names are a promise to scripts. */
  readonly check: string;
  /** What was checked. */
  readonly about: string;
  /** The rules that it concerns; absent if it concerns all. */
  readonly rules?: readonly string[];
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** One sentence; absent if all is well. */
  readonly why?: string;
  /** What to do, in this order. Empty if there is nothing to do. */
  readonly mend: readonly Step[];
}

/** How many findings have which status. */
export function totalsOf(findings: readonly Finding[]): Readonly<Record<Status, number>> {
  const totals = { ok: 0, hint: 0, warning: 0, problem: 0, unchecked: 0 };
  for (const { status } of findings) totals[status] += 1;
  return totals;
}

/** A finding that needs no further words. */
export function fine(of: Pick<Finding, 'check' | 'about' | 'rules' | 'found'>): Finding {
  return { ...of, status: 'ok', mend: [] };
}
