import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { CopierError } from '../core/errors.ts';

/** One line per fact, as JSON. Never given a request as it goes over the wire: that holds a session token. */
export const logger: Logger = new Logger();

/** Metrics in CloudWatch's embedded format: written to the log, no API call. */
export const metrics: Metrics = new Metrics({ namespace: 'SnapshotCopier' });

/** The shell around every function: log context, metrics, and errors that read well. */
export function lambda<Answer>(work: (input: unknown) => Promise<Answer>) {
  return middy<unknown, Answer, Error, Context>()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(publishMetrics)
    .use(plainErrors)
    .handler((input) => work(input));
}

/** Most invocations have nothing to count, and Powertools' own middleware warns about each of those. */
const publishMetrics: MiddlewareObj<unknown, unknown> = {
  after: () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  },
};

/**
 * Lambda prints an error's stack and hands it to Step Functions as the trace. Trouble that we expect (a busy Region,
 * a key that is not accessible) says everything in its message, so it gets no stack.
 */
const plainErrors: MiddlewareObj<unknown, unknown> = {
  onError: ({ error }) => {
    if (error instanceof CopierError) {
      logger.warn(error.message, { errorName: error.name });
      error.stack = `${error.name}: ${error.message}`;
    }
  },
};
