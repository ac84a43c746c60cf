import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ListServiceQuotasCommand,
  ListServicesCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { describe, expect, it } from 'vitest';
import { fixtureSandbox } from './fixture-package.ts';

async function quotasWith(slots?: number): Promise<ServiceQuotasClient> {
  const { endpoint } = await fixtureSandbox({ resources: {} }, slots === undefined ? {} : { slots });
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
  return new ServiceQuotasClient({ endpoint, region: 'eu-central-1', maxAttempts: 1, credentials });
}

const copies = { QuotaName: 'Concurrent snapshot copies per destination Region', Adjustable: false };

describe('Service Quotas', () => {
  it('says how many copies EC2 runs into a Region at once, here and in a new account', async () => {
    const api = await quotasWith(7);
    const { Quotas } = await api.send(new ListServiceQuotasCommand({ ServiceCode: 'ebs' }));
    expect(Quotas).toMatchObject([{ ...copies, ServiceCode: 'ebs', Value: 7 }]);
    const named = { ServiceCode: 'ebs', QuotaCode: Quotas?.[0]?.QuotaCode };
    expect((await api.send(new GetServiceQuotaCommand(named))).Quota).toMatchObject({ ...copies, Value: 7 });
    expect((await api.send(new GetAWSDefaultServiceQuotaCommand(named))).Quota).toMatchObject({ ...copies, Value: 20 });
  });

  it('says 20 if the sandbox was told nothing else', async () => {
    const api = await quotasWith();
    const { Quotas } = await api.send(new ListServiceQuotasCommand({ ServiceCode: 'ebs' }));
    expect(Quotas?.map(({ Value }) => Value)).toEqual([20]);
  });

  it('knows no other service and quota, and no other action', async () => {
    const api = await quotasWith();
    const none = { name: 'NoSuchResourceException' };
    await expect(api.send(new ListServiceQuotasCommand({ ServiceCode: 'ec2' }))).rejects.toMatchObject(none);
    const other = new GetServiceQuotaCommand({ ServiceCode: 'ebs', QuotaCode: 'L-309BACF6' });
    await expect(api.send(other)).rejects.toMatchObject(none);
    await expect(api.send(new ListServicesCommand({}))).rejects.toThrow('ListServices is not in the sandbox');
  });
});
