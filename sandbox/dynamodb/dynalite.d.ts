declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** How long tables are CREATING, DELETING and UPDATING, in milliseconds. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  /** A server of the DynamoDB protocol, in memory. It takes account and Region of ARNs from the environment. */
  export default function dynalite(options?: DynaliteOptions): Server;
}
