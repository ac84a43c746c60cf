import type { AdmissionMachine } from '../../aws/admission-machine.ts';
import type { DeadLetterTopic } from '../../aws/dead-letter-topic.ts';
import type { ExecutionApi, ExecutionRecord } from '../../aws/executions.ts';
import type { Ledger } from '../../aws/ledger.ts';
import type { Alert } from '../../core/alert.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { ServiceTroubleError } from '../../core/errors.ts';
import type { Install } from '../../core/install.ts';
import { type LedgerRequest, requestKey } from '../../core/ledger-request.ts';
import { memoryLedger } from '../../sandbox/ledger/memory-ledger.ts';
import { HOME, INSTALL, request } from '../support/examples.ts';

export const install: Install = {
  name: INSTALL,
  account: HOME,
  region: 'eu-west-1',
  roleArn: `arn:aws:iam::${HOME}:role/${INSTALL}-StartCopyRole`,
};

/** The ports of the functions, as they are in a service that is at rest at 04:30. */
export function ports() {
  let now = new Date('2026-03-02T04:30:00Z');
  const woken: string[] = [];
  const alerts: Alert[] = [];
  const admission: AdmissionMachine = {
    wake: async (region) => {
      woken.push(region);
    },
  };
  const topic: DeadLetterTopic = {
    tell: async (alert) => {
      alerts.push(alert);
    },
  };
  return {
    ledger: memoryLedger({ now: () => now }),
    admission,
    topic,
    executions: new FakeExecutions(),
    now: () => now,
    /** Regions that admission was woken for. */
    woken,
    /** What the topic was told. */
    alerts,
    setTime: (time: string) => {
      now = new Date(time);
    },
  };
}

/** Step Functions, where nothing runs: executions are as the test says. */
class FakeExecutions implements ExecutionApi {
  readonly records = new Map<string, ExecutionRecord>();
  readonly started: { readonly name: string; readonly request: CopyRequest }[] = [];
  /** Names that it has trouble with. */
  readonly troubled = new Set<string>();

  async start(name: string, asked: CopyRequest): Promise<'started' | 'alreadyStarted'> {
    if (this.troubled.has(name)) throw new ServiceTroubleError(`StartExecution of ${name}`);
    if (this.records.has(name)) return 'alreadyStarted';
    this.records.set(name, record(name, 'RUNNING', { input: JSON.stringify(asked) }));
    this.started.push({ name, request: asked });
    return 'started';
  }

  async find(name: string): Promise<ExecutionRecord | undefined> {
    if (this.troubled.has(name)) throw new ServiceTroubleError(`DescribeExecution of ${name}`);
    return this.records.get(name);
  }
}

export function record(name: string, status: string, over: Partial<ExecutionRecord> = {}): ExecutionRecord {
  return {
    executionArn: `arn:aws:states:eu-west-1:${HOME}:execution:${INSTALL}:${name}`,
    stateMachineArn: `arn:aws:states:eu-west-1:${HOME}:stateMachine:${INSTALL}`,
    name,
    status,
    startDate: Date.parse('2026-03-02T04:13:00Z'),
    input: JSON.stringify(request()),
    ...over,
  };
}

/** Puts a request into the ledger as it is to be, whatever it was. */
export async function put(ledger: Ledger, over: Partial<LedgerRequest> = {}): Promise<void> {
  const known: LedgerRequest = {
    request: request(),
    status: 'waiting',
    reason: 'for the test',
    attempt: 0,
    requestedAt: '2026-03-02T04:12:00.000Z',
    waitingSince: '2026-03-02T04:12:00.000Z',
    changedAt: '2026-03-02T04:13:00.000Z',
    ...over,
  };
  await ledger.change(requestKey(known.request.source, known.request.destination), () => known);
}

export function find(ledger: Ledger, asked: CopyRequest = request()): Promise<LedgerRequest | undefined> {
  return ledger.request(requestKey(asked.source, asked.destination));
}
