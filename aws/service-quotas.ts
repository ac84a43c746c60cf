import {
  paginateListAWSDefaultServiceQuotas,
  paginateListServiceQuotas,
  type ServiceQuota,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import type { CopyQuota } from '../core/doctor/slots.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** It has no code that AWS documents. https://docs.aws.amazon.com/general/latest/gr/ebs-service.html */
const NAME = /^concurrent snapshot copies\b/i;

/**
 * How many copies EC2 runs into a Region at once; undefined if Service Quotas does not list it. Of some quotas it knows
 * AWS's default only: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
 *
 * @throws errors of core/errors.ts
 */
export async function copyQuota(region: string): Promise<CopyQuota | undefined> {
  const client = new ServiceQuotasClient({ region, requestHandler });
  const which = { ServiceCode: 'ebs' };
  try {
    const applied = await valueIn(paginateListServiceQuotas({ client }, which));
    if (applied !== undefined) return { limit: applied, isApplied: true };
    const usual = await valueIn(paginateListAWSDefaultServiceQuotas({ client }, which));
    return usual === undefined ? undefined : { limit: usual, isApplied: false };
  } catch (error) {
    throw inWordsOf('Service Quotas', `ListServiceQuotas of ebs in ${region}`, error);
  }
}

async function valueIn(pages: AsyncIterable<{ readonly Quotas?: readonly ServiceQuota[] | undefined }>) {
  for await (const { Quotas = [] } of pages) {
    const found = Quotas.find(({ QuotaName = '' }) => NAME.test(QuotaName));
    if (found?.Value !== undefined) return found.Value;
  }
  return undefined;
}
