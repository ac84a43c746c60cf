import { stepFunctionsExecutions } from '../../aws/executions.ts';
import { type LedgerListing, ledgerListing } from '../../aws/ledger-listing.ts';
import { startAgain } from '../../core/alert-restart.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { destinationId, regionOfDestination } from '../../core/destination.ts';
import { parseExecutionName } from '../../core/execution-name.ts';
import type { LedgerRequest, RequestKey } from '../../core/ledger-request.ts';
import { parseRetryTarget, type RetryTarget } from '../../core/retry-target.ts';
import { destinationRegions, destinations } from '../../core/rule-destinations.ts';
import { parseCopyRequest } from '../../core/task-input.ts';
import { CliProblem, wrongUsage } from '../cli-problem.ts';
import type { Deployed } from '../deployed.ts';

/** A request that was asked for before. */
export interface FoundRequest {
  readonly request: CopyRequest;
  /** As the ledger has it; absent if it has forgotten it, and only the execution tells. */
  readonly known?: Pick<LedgerRequest, 'status' | 'reason' | 'changedAt'>;
}

export interface Wanted {
  readonly destination?: string;
  readonly rule?: string;
}

/**
 * The requests that these ids and names mean, each once.
 *
 * @throws CliProblem that names each one that nothing is known of: then nothing is to be done for the others either
 */
export async function findRequests(
  deployed: Deployed,
  texts: readonly string[],
  wanted: Wanted,
): Promise<readonly FoundRequest[]> {
  const { stateMachineArn, ledgerTable, now } = deployed;
  const listing = ledgerListing(ledgerTable, { now });
  const targets = texts.map((text) => parseRetryTarget(text, stateMachineArn));
  const wrong = targets.flatMap((target) => (target.kind === 'none' ? [target.why] : []));
  if (wanted.destination !== undefined && regionOfDestination(wanted.destination) === undefined) {
    wrong.push(`--destination ${wanted.destination} is none. It takes for example eu-central-1 or us-west-2-lax-1a.`);
  }
  if (wrong.length > 0) throw wrongUsage(wrong.join('\n'));

  const found = new Map<string, FoundRequest>();
  const unknown: string[] = [];
  for (const target of targets) {
    const requests = await whatIsMeant(target, listing, deployed, wanted);
    if ('why' in requests) unknown.push(requests.why);
    else for (const each of requests) found.set(textOf(each.request), each);
  }
  const all = selected([...found.values()], wanted);
  if (unknown.length === 0 && all.length === 0) {
    unknown.push(`What was asked for is known, but not for ${inWords(wanted)}.`);
  }
  if (unknown.length > 0) {
    throw new CliProblem([...unknown, ...(texts.length > 1 ? ['Nothing was started.'] : [])].join('\n'));
  }
  return all;
}

function whatIsMeant(
  target: RetryTarget,
  listing: LedgerListing,
  deployed: Deployed,
  wanted: Wanted,
): Promise<readonly FoundRequest[] | Unknown> {
  switch (target.kind) {
    case 'snapshot':
      return ofSnapshot(target.snapshotId, listing, deployed, wanted);
    case 'execution':
      return ofExecution(target.name, listing, deployed);
    case 'none':
      throw wrongUsage(target.why);
    default:
      return target satisfies never;
  }
}

function inWords({ destination, rule }: Wanted): string {
  return [
    ...(destination === undefined ? [] : [`destination ${destination}`]),
    ...(rule === undefined ? [] : [`rule ${rule}`]),
  ].join(' and ');
}

/** All that failed and was not started again, of all Regions of the rules. */
export async function findFailed(
  { rules, ledgerTable, now }: Deployed,
  wanted: Wanted & { readonly changedSince?: Date },
  onRegion: (region: string) => void,
): Promise<{ readonly requests: readonly FoundRequest[]; readonly unreadable: readonly string[] }> {
  const listing = ledgerListing(ledgerTable, { now });
  const { changedSince } = wanted;
  const requests: FoundRequest[] = [];
  const unreadable: string[] = [];
  for (const region of destinationRegions(rules.rules)) {
    onRegion(region);
    const listed = await listing.requests(region, {
      statuses: ['failed'],
      ...(changedSince !== undefined && { changedSince }),
    });
    requests.push(...listed.requests.map(asFound));
    unreadable.push(...listed.unreadable.map(({ problem }) => problem));
  }
  return { requests: selected(requests, wanted), unreadable };
}

interface Unknown {
  readonly why: string;
}

async function ofSnapshot(
  snapshotId: string,
  listing: LedgerListing,
  { rules, ledgerTable, stack }: Deployed,
  { destination }: Wanted,
): Promise<readonly FoundRequest[] | Unknown> {
  const ids = destination === undefined ? destinations(rules.rules).map(destinationId) : [destination];
  const keys = ids.flatMap((id): RequestKey[] => {
    const region = regionOfDestination(id);
    return region === undefined ? [] : [{ region, destination: id, snapshotId }];
  });
  const { requests, unreadable } = await listing.find(keys);
  if (unreadable.length > 0) return { why: unreadable.map(({ problem }) => problem).join('\n') };
  if (requests.length > 0) return requests.map(asFound);
  return {
    why: `Nobody has asked for a copy of ${snapshotId}, as far as the ledger of ${stack} knows (table ${ledgerTable}, looked for at ${ids.join(', ')}). It takes the id of the source, not of a copy, and forgets what ended long ago. For a snapshot that was never asked for: snapshot-copier backfill; why it was not: snapshot-copier plan ${snapshotId}.`,
  };
}

async function ofExecution(
  name: string,
  listing: LedgerListing,
  { stateMachineArn, install }: Deployed,
): Promise<readonly FoundRequest[] | Unknown> {
  const parts = parseExecutionName(name);
  const region = parts && regionOfDestination(parts.destination);
  if (parts !== undefined && region !== undefined) {
    const { requests } = await listing.find([{ region, ...parts }]);
    if (requests.length > 0) return requests.map(asFound);
  }
  const record = await stepFunctionsExecutions(stateMachineArn).find(name);
  if (record === undefined) {
    return {
      why: `There is no execution ${name} of ${stateMachineArn}, or none any more: Step Functions forgets them after 90 days. The ledger knows of no request of that name either.`,
    };
  }
  const request = readInput(record.input);
  if (request === undefined)
    return { why: `The input of the execution ${name} is no copy request, so there is nothing to start again.` };
  if (request.dryRun) {
    const { executionArn: arn, startDate } = record;
    const startTime = new Date(startDate).toISOString();
    const command = startAgain({ arn, name, startTime, stateMachineArn }, request, install);
    return {
      why: `${name} was a dry run of rule ${request.rule}: it copies nothing, and no queue knows of it. To rehearse once more:\n${command}`,
    };
  }
  const known = (await listing.find([{ ...keyOf(request) }])).requests;
  return known.length > 0 ? known.map(asFound) : [{ request }];
}

function readInput(input: string | undefined): CopyRequest | undefined {
  try {
    return parseCopyRequest(JSON.parse(input ?? ''));
  } catch {
    return undefined;
  }
}

function keyOf({ source, destination }: CopyRequest): RequestKey {
  return { region: destination.region, destination: destinationId(destination), snapshotId: source.snapshotId };
}

function asFound({ request, status, reason, changedAt }: LedgerRequest): FoundRequest {
  return { request, known: { status, reason, changedAt } };
}

/** Oldest source first, as the queue is. */
function selected(requests: readonly FoundRequest[], { destination, rule }: Wanted): readonly FoundRequest[] {
  return requests
    .filter(
      ({ request }) =>
        (destination === undefined || destinationId(request.destination) === destination) &&
        (rule === undefined || request.rule === rule),
    )
    .toSorted((a, b) => Date.parse(a.request.source.startTime) - Date.parse(b.request.source.startTime));
}

function textOf({ source, destination }: CopyRequest): string {
  return `${destinationId(destination)}#${source.snapshotId}`;
}
