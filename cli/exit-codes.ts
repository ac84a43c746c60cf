/** What the command's end says to a script. */
export const EXIT = {
  fine: 0,
  /** The command did its work and found something that somebody has to look at, or could not do it. */
  problem: 1,
  /** It was called in a way that makes no sense; nothing was done. */
  usage: 2,
} as const;

/** `copy-snapshot` has those of the AWS command line beside these. */
export type ExitCode = number;
