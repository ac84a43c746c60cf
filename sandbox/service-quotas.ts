import * as z from 'zod';
import type { Caller } from './accounts.ts';
import type { Ec2Service } from './ec2/ec2-service.ts';
import type { Answer } from './http/answer.ts';
import { answerJson, type JsonAction, JsonApiError, type JsonCall, readInput } from './http/json-api.ts';

/**
 * Names, values and whether they can be raised: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
 * No source gives the code of this quota; AWS's is `L-` and eight hexadecimal digits, and this one is made up.
 */
const COPIES = { QuotaCode: 'L-SANDBOX1', QuotaName: 'Concurrent snapshot copies per destination Region' };
/** What a new account has. */
const DEFAULT_COPIES = 20;

const serviceCode = { ServiceCode: z.string().min(1).max(63) };
const one = z.strictObject({ ...serviceCode, QuotaCode: z.string().min(1).max(128) });
const listed = z.strictObject({
  ...serviceCode,
  MaxResults: z.int().min(1).max(100).optional(),
  NextToken: z.string().optional(),
});

/**
 * The one quota that matters here: how many copies EC2 runs into a Region at once.
 * https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_Operations.html
 */
export class ServiceQuotasApi {
  readonly #actions: ReadonlyMap<string, JsonAction>;

  constructor({ ec2 }: { readonly ec2: Pick<Ec2Service, 'slotsPerRegion'> }) {
    const applied = (caller: Caller) => quotaOf(caller, ec2.slotsPerRegion);
    const byDefault = (caller: Caller) => quotaOf(caller, DEFAULT_COPIES);
    this.#actions = new Map<string, JsonAction>([
      ['GetServiceQuota', (caller, input) => get(input, applied(caller))],
      ['GetAWSDefaultServiceQuota', (caller, input) => get(input, byDefault(caller))],
      ['ListServiceQuotas', (caller, input) => list(input, applied(caller))],
      ['ListAWSDefaultServiceQuotas', (caller, input) => list(input, byDefault(caller))],
    ]);
  }

  /** Expected trouble is an answer. */
  handle(call: JsonCall): Answer {
    return answerJson(this.#actions, call);
  }
}

function get(input: unknown, quota: Record<string, unknown>): Record<string, unknown> {
  const { ServiceCode, QuotaCode } = readInput(one, input, 'IllegalArgumentException');
  checkService(ServiceCode);
  if (QuotaCode === COPIES.QuotaCode) return { Quota: quota };
  throw noSuchResource();
}

function list(input: unknown, quota: Record<string, unknown>): Record<string, unknown> {
  const { ServiceCode, NextToken } = readInput(listed, input, 'IllegalArgumentException');
  checkService(ServiceCode);
  if (NextToken !== undefined) throw new JsonApiError('InvalidPaginationTokenException', 'Invalid token was used.');
  return { Quotas: [quota] };
}

function checkService(serviceCode: string): void {
  if (serviceCode !== 'ebs') throw noSuchResource();
}

/** https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html */
function noSuchResource(): JsonApiError {
  return new JsonApiError(
    'NoSuchResourceException',
    'The request failed because the specified service or quota does not exist.',
  );
}

/** https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ServiceQuota.html */
function quotaOf({ account, region }: Caller, value: number): Record<string, unknown> {
  return {
    ServiceCode: 'ebs',
    ServiceName: 'Amazon Elastic Block Store (Amazon EBS)',
    QuotaArn: `arn:aws:servicequotas:${region}:${account}:ebs/${COPIES.QuotaCode}`,
    ...COPIES,
    Value: value,
    Unit: 'None',
    Adjustable: false,
    GlobalQuota: false,
    QuotaAppliedAtLevel: 'ACCOUNT',
  };
}
