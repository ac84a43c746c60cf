import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod/mini';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** Who calls AWS, from where, and what time it is there. */
export interface Caller {
  /** 12 digits. */
  readonly account: string;
  readonly arn: string;
  /** The Region that clients use if they are told no other. */
  readonly region: string;
  /** AWS's clock: right even if that of this machine is not. */
  readonly now: () => Date;
}

const answered = z.object({ headers: z.record(z.string(), z.string()) });

/**
 * Asks STS, which asks for no permission: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 *
 * @throws RegionMissingError if there is no Region in the environment and in the profile
 * @throws what the SDK throws if there are no credentials, and errors of core/errors.ts
 */
export async function whoCalls(): Promise<Caller> {
  const client = new STSClient({ requestHandler });
  const region = await regionOf(client);
  await client.config.credentials();
  let date: string | undefined;
  let at = performance.now();
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const headers = answered.safeParse(result.response).data?.headers ?? {};
      date = Object.entries(headers).find(([name]) => name.toLowerCase() === 'date')?.[1];
      at = performance.now();
      return result;
    },
    { step: 'deserialize' },
  );
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    const then = date === undefined ? Date.now() : Date.parse(date);
    return { account: Account, arn: Arn, region, now: () => new Date(then + performance.now() - at) };
  } catch (error) {
    throw inWordsOf('STS', 'GetCallerIdentity', error);
  }
}

/** There is no Region that a client could use. */
export class RegionMissingError extends Error {
  override readonly name = 'RegionMissingError';
}

async function regionOf(client: STSClient): Promise<string> {
  try {
    return await client.config.region();
  } catch (error) {
    throw new RegionMissingError('No Region is given', { cause: error });
  }
}
