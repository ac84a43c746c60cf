/** The account and Region that the service is deployed to. */
export interface Home {
  readonly account: string;
  readonly region: string;
}

/** Where the service lives, if nothing else is said. */
export const HOME_ACCOUNT = '000000000000';

/** ARN of something in the home account and Region. fauxqs knows the partition `aws` only. */
export function homeArn({ account, region }: Home, service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${account}:${resource}`;
}
