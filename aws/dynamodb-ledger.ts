import type { Ledger } from './ledger.ts';
import type { LedgerOptions } from './ledger-on-table.ts';

/** The ledger in LedgerTable of serverless.yml. */
export function dynamoDbLedger(tableName: string, options: LedgerOptions = {}): Ledger {
  let loaded: Ledger | undefined;
  /** Loaded for the first request: most events are of snapshots that no rule selects. */
  async function ledger(): Promise<Ledger> {
    const [{ dynamoDbTable }, { ledgerOnTable }] = await Promise.all([
      import('./dynamodb-table.ts'),
      import('./ledger-on-table.ts'),
    ]);
    loaded ??= ledgerOnTable(dynamoDbTable(tableName), options);
    return loaded;
  }

  return {
    request: async (key) => (await ledger()).request(key),
    change: async (key, transition) => (await ledger()).change(key, transition),
    waiting: async (region, page) => (await ledger()).waiting(region, page),
    running: async (region) => (await ledger()).running(region),
    admission: async (region) => (await ledger()).admission(region),
    changeAdmission: async (region, revision, next) => (await ledger()).changeAdmission(region, revision, next),
  };
}
