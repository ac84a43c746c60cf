import { copyQuota } from '../../aws/service-quotas.ts';
import { isKnown } from '../../core/doctor/fact.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import { checkFreeSlots, checkSlots, pendingCopies } from '../../core/doctor/slots.ts';
import type { Examination } from './examination.ts';

/** Whether EC2 runs as many copies as the rules believe, and whether it could begin one now. */
export async function checkSlotsOfRegions(examination: Examination): Promise<readonly Finding[]> {
  const { destinationRegions, canAsk, look, pending, deployment } = examination;
  const findings = await Promise.all(
    destinationRegions.map(async (region) => {
      if (!(await canAsk(region))) return [];
      const here = examination.destinations.filter(({ destination }) => destination.region === region);
      const [quota, listing] = await Promise.all([
        look(['servicequotas:ListServiceQuotas', 'servicequotas:ListAWSDefaultServiceQuotas'], () => copyQuota(region)),
        pending(region),
      ]);
      const copies = isKnown(listing) ? { value: pendingCopies(listing.value, deployment.install.name) } : listing;
      return [...checkSlots(region, here, quota), checkFreeSlots(region, here, copies)];
    }),
  );
  return findings.flat();
}
