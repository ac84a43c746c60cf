/** Time as the sandbox's own parts see it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` after `ms` milliseconds of sandbox time. The answer cancels it. */
  after(ms: number, task: () => void): () => void;
}
