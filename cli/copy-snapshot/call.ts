import type { CopySnapshotInput } from '../../core/hand-request.ts';
import type { GlobalOptions, OwnOptions } from '../aws-cli/arguments.ts';
import type { Terminal } from '../terminal.ts';

/** What is asked for, checked, and where the answer goes. */
export interface CopySnapshotCall {
  readonly input: CopySnapshotInput;
  /** The destination. */
  readonly region: string;
  readonly globals: GlobalOptions;
  readonly own: OwnOptions;
  readonly terminal: Terminal;
  /** Prints what EC2's answer would be, as the options say. */
  readonly print: (answer: unknown) => void;
}
