import * as z from 'zod';
import type { Call } from '../types.ts';
import { type ApiRequest, inputOf, ownArn } from './request.ts';

const one = z.object({ ServiceCode: z.string(), QuotaCode: z.string() });

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_servicequotas.html */
export function servicequotasCalls(request: ApiRequest): readonly Call[] {
  const action = `servicequotas:${request.action}`;
  switch (request.action) {
    case 'GetServiceQuota': {
      const { ServiceCode, QuotaCode } = inputOf(one, request);
      return [{ action, resource: ownArn(request, 'servicequotas', `${ServiceCode}/${QuotaCode}`), context: {} }];
    }
    case 'GetAWSDefaultServiceQuota':
    case 'ListServiceQuotas':
    case 'ListAWSDefaultServiceQuotas':
      return [{ action, resource: '*', context: {} }];
    default:
      throw new Error(`the sandbox cannot say what permission ${action} needs`);
  }
}
