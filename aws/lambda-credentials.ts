import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * What the bundles have in place of the SDK's chain of ways to get credentials. Lambda always gives them in the
 * environment, so files, SSO, other processes and the container's endpoint would only make each package a third larger:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export const defaultProvider: typeof fromEnv = fromEnv;
