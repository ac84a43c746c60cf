import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';

const serviceFile = z.object({
  provider: z.object({ timeout: z.int() }),
  functions: z.record(z.string(), z.object({ handler: z.string(), timeout: z.int().optional() })),
});

/** What serverless.yml says of one Lambda function. */
export interface FunctionInService {
  /** Path of its source, for example `functions/start-copy.ts`. */
  readonly file: string;
  readonly timeoutSeconds: number;
}

/** The functions of serverless.yml by their logical names. */
export function readFunctions(): ReadonlyMap<string, FunctionInService> {
  const text = readFileSync(new URL('../serverless.yml', import.meta.url), 'utf8');
  const { provider, functions } = serviceFile.parse(parse(text));
  return new Map(
    Object.entries(functions).map(([name, { handler, timeout = provider.timeout }]) => [
      name,
      { file: handler.replace(/^dist\/([^/]+)\/index\.handler$/, 'functions/$1.ts'), timeoutSeconds: timeout },
    ]),
  );
}
