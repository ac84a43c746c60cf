import { Worker } from 'node:worker_threads';
import type { VirtualClock } from '../virtual-clock.ts';
import type { EnvironmentSettings, FromEnvironment, FunctionError, Invoke } from './messages.ts';

/** How one run of a handler ended. `lost` = the environment is gone, or of no use any more. */
export type Run =
  | { readonly kind: 'returned'; readonly payload: string }
  | { readonly kind: 'threw'; readonly error: FunctionError }
  | { readonly kind: 'lost'; readonly error: FunctionError }
  | { readonly kind: 'timed-out' };

/** A worker thread in which one function runs, one invocation at a time, again and again. */
export interface Environment {
  /** The function's time-out is real time, and begins when the bundle is loaded. */
  run(invoke: Invoke): Promise<Run>;
  /** Ends the thread at once, whatever it does. A run under way ends as `lost`. Resolves when the thread is gone. */
  kill(): Promise<void>;
}

/** Starts a thread. It never fails: trouble is the answer of the first run. */
export function startEnvironment(options: {
  readonly settings: EnvironmentSettings;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: VirtualClock;
  readonly onWrite: (text: string) => void;
}): Environment {
  const { clock } = options;
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: options.settings,
    env: { ...options.env },
    execArgv: [],
    stdin: false,
  });
  worker.unref();

  const started = Promise.withResolvers<undefined>();
  let finish: (run: Run) => void = () => {};
  let lost: Extract<Run, { kind: 'lost' }> | undefined;

  const lose = (error: FunctionError): void => {
    lost ??= { kind: 'lost', error };
    started.resolve(undefined);
    finish(lost);
  };

  worker.on('message', (message: FromEnvironment) => {
    switch (message.kind) {
      case 'wrote':
        options.onWrite(message.text);
        break;
      case 'started':
        started.resolve(undefined);
        break;
      case 'not-started':
        lose(message.error);
        void worker.terminate();
        break;
      case 'returned':
      case 'threw':
        finish(message);
        break;
      default:
        message satisfies never;
    }
  });
  worker.on('error', (error: unknown) => {
    lose({ errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: ${String(error)}` });
  });
  worker.on('exit', (code) => {
    lose({ errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: exit status ${code}` });
  });

  return {
    async run(invoke) {
      await started.promise;
      if (lost !== undefined) return lost;
      return new Promise((resolve) => {
        const cancel = clock.afterReal(invoke.timeoutMs, () => finish({ kind: 'timed-out' }));
        finish = (run) => {
          cancel();
          finish = () => {};
          resolve(run);
        };
        worker.postMessage(invoke);
      });
    },
    async kill() {
      lose({ errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' });
      await worker.terminate();
    },
  };
}
