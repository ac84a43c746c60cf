/** How a demo ended. */
export interface Outcome {
  /** Whatever was not as it had to be. */
  readonly problems: readonly string[];
  /** What was measured. */
  readonly summary: readonly string[];
  /** How it ended, if there are no problems. */
  readonly ending: string;
}
