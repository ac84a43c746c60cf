import type { FunctionVersion } from './function-registry.ts';

/**
 * A function as the API describes it, without what the sandbox knows nothing of.
 * https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
 */
export function describedFunction({ config, version, arn }: FunctionVersion, deployedAt: number): object {
  const { description, handler, role, runtime } = config.shown;
  return {
    FunctionName: config.name,
    FunctionArn: arn,
    Runtime: runtime,
    Role: role,
    Handler: handler,
    Description: description,
    Timeout: config.timeoutSeconds,
    MemorySize: config.memoryMegabytes,
    LastModified: new Date(deployedAt).toISOString().replace('Z', '+0000'),
    Version: version,
    Environment: { Variables: config.environment },
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}
