import * as z from 'zod';
import { tableProperties } from '../../sandbox/stack/resource-schemas.ts';
import { packagedService } from './packaged.ts';

const template = z.object({ Resources: z.object({ LedgerTable: z.object({ Properties: tableProperties }) }) });

/** Properties of the ledger's table as it is deployed. */
export async function ledgerTable(): Promise<z.output<typeof tableProperties>> {
  const packaged = await packagedService();
  return template.parse(packaged.template).Resources.LedgerTable.Properties;
}
