import { dynamoDbLedger } from '../../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { ledgerListing } from '../../aws/ledger-listing.ts';
import { sourceLooks } from '../../aws/look-at-sources-function.ts';
import { requestCopies } from '../../aws/request-copy-function.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { destinationId } from '../../core/destination.ts';
import { classify } from '../../core/ec2-error-codes.ts';
import { readEc2Answer } from '../../core/ec2-errors.ts';
import { type CopySnapshotInput, handRequest, handTags, noSuchSource } from '../../core/hand-request.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { refusedByEc2 } from '../aws-cli/aws-cli-problem.ts';
import { CliProblem } from '../cli-problem.ts';
import { type Deployed, findDeployed } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { lookInto } from '../sources/list-sources.ts';
import { tellUnseen } from '../sources/tell-unseen.ts';
import { askEc2, refuse } from './ask-ec2.ts';
import type { CopySnapshotCall } from './call.ts';
import { checkIsAsAsked } from './check-is-as-asked.ts';
import { followRequest, untilCopyExists } from './follow-request.ts';
import { sayOnInterrupt } from './interrupt.ts';
import { reporter } from './reporter.ts';

/**
 * Hands the copy to the service, and waits until EC2 has begun it. A copy that there is, or that was asked for before, is
 * not made twice.
 *
 * @throws CliProblem
 */
export async function copyDurably(call: CopySnapshotCall): Promise<ExitCode> {
  const { input, own, terminal, print } = call;
  const stack = own.stack ?? process.env['SNAPSHOT_COPIER_STACK'];
  // The service is where the sources are, and so are its table and its functions.
  process.env['AWS_REGION'] = own.stackRegion ?? input.SourceRegion;
  const snapshots = ec2Snapshots();
  const meanwhile = reporter(terminal);
  let endInterrupt = (): void => {};
  try {
    meanwhile.say('EC2 checks the parameters');
    const hidden = await rehearse(call);
    meanwhile.say('Looking for the snapshot and the service');
    const [seen, deployed] = await Promise.all([
      hidden === undefined ? findSource(input, snapshots) : undefined,
      // Without the service EC2 has the last word.
      deployedAt(stack).catch((error: unknown) => (hidden === undefined ? Promise.reject(error) : refuse(hidden))),
    ]);
    const source = await asItsOwnerSees(call, seen, deployed);
    if (source === undefined) {
      const { code, message: words } = noSuchSource(input.SourceSnapshotId);
      return refuse(hidden ?? { code, words });
    }
    const { install, ledgerTable, now } = deployed;
    const request = requestFor(call, source, deployed);

    const ledger = dynamoDbLedger(ledgerTable, { now });
    const key = requestKey(source, request.destination);
    const checked = { input, key, ledger, snapshots, installName: install.name };
    const askedAt = now();
    meanwhile.say('Handing the request over to the service');
    endInterrupt = sayOnInterrupt(terminal, key, stack, 'may go on');
    const isNew = await handOver(deployed, request);
    endInterrupt();
    endInterrupt = sayOnInterrupt(terminal, key, stack, 'goes on');
    if (!isNew) await checkIsAsAsked(checked, 'asked for before');

    const followed = { key, ledger, stack };
    const copyId = await untilCopyExists(followed, ledgerListing(ledgerTable, { now }), meanwhile);
    // The service adopts a copy that it finds, and that may have been made with other options.
    if (isNew) await checkIsAsAsked(checked, { begunBefore: askedAt });
    meanwhile.done();
    const tags = handTags(input);
    print({ ...(tags.length > 0 && { Tags: tags }), SnapshotId: copyId });
    if (own.wait) await followRequest(followed, snapshots, now, terminal);
    return EXIT.fine;
  } finally {
    meanwhile.done();
    endInterrupt();
  }
}

/** @throws CliProblem if the service cannot make that copy */
function requestFor(
  { input, region, terminal }: CopySnapshotCall,
  source: Snapshot,
  { install, rules }: Deployed,
): CopyRequest {
  const companions = otherAccounts(rules.sourceAccounts.accounts, install.account);
  const asked = handRequest(input, region, source, rules.rules, companions, install);
  if (asked.kind === 'ec2Error') throw refusedByEc2(asked.code, asked.message);
  if (asked.kind === 'impossible') throw new CliProblem(asked.message);
  for (const warning of asked.warnings) terminal.tell(warning);
  if (input.PresignedUrl !== undefined || input.DestinationRegion !== undefined) {
    terminal.tell('The service presigns a URL of its own: --presigned-url and --destination-region are not used.');
  }
  return asked.request;
}

/**
 * Has EC2 look at the parameters: what it refuses now it would refuse later, when nobody looks. That the caller may not
 * copy says nothing, for the service copies with a role of its own.
 *
 * @returns the refusal of a snapshot that this account does not see: another one may
 */
async function rehearse(call: CopySnapshotCall): Promise<Refusal | undefined> {
  const answer = await askEc2(call, { ...call.input, DryRun: true });
  if (answer.kind === 'copying' || ABOUT_THE_CALLER.includes(answer.code)) return undefined;
  if (answer.code === NOT_FOUND) return answer;
  return classify(answer.code, answer.httpStatus) === 'permanent' ? refuse(answer) : undefined;
}

type Refusal = Parameters<typeof refuse>[0];

const NOT_FOUND = 'InvalidSnapshot.NotFound';

const ABOUT_THE_CALLER = ['UnauthorizedOperation', 'AuthFailure', 'AccessDenied', 'AccessDeniedException'];

async function findSource(
  { SourceRegion, SourceSnapshotId }: CopySnapshotInput,
  snapshots: ReturnType<typeof ec2Snapshots>,
): Promise<Snapshot | undefined> {
  return snapshots.find(SourceRegion, SourceSnapshotId).catch((error: unknown) => {
    const answer = error instanceof Error ? readEc2Answer(error.message) : undefined;
    if (answer?.fromEc2 !== true) throw error;
    throw refusedByEc2(answer.code, answer.words);
  });
}

/** What an account with the companion has, this account sees as long as it is shared at most, and without its tags. */
async function asItsOwnerSees(
  { input: { SourceRegion, SourceSnapshotId }, terminal }: CopySnapshotCall,
  seen: Snapshot | undefined,
  { rules, install, lookAtSourcesFunction }: Deployed,
): Promise<Snapshot | undefined> {
  const companions = otherAccounts(rules.sourceAccounts.accounts, install.account);
  const asked = seen === undefined ? companions : companions.filter((account) => account === seen.ownerId);
  const looks = sourceLooks(lookAtSourcesFunction);
  const { snapshots, unseen } = await lookInto(asked, (account) =>
    looks.snapshots(account, SourceRegion, [SourceSnapshotId]),
  );
  const [viewed = seen] = snapshots;
  if (viewed === undefined) tellUnseen(terminal, unseen, `Whether it has ${SourceSnapshotId} is not known`);
  return viewed;
}

/** Here `--region` is the destination, so the install has other options. */
async function deployedAt(stack: string | undefined): Promise<Deployed> {
  try {
    return await findDeployed(stack);
  } catch (error) {
    if (!(error instanceof CliProblem)) throw error;
    const message = error.message.replaceAll('--region', '--stack-region');
    throw new CliProblem(`${message}\nTo have EC2 copy without the service: --direct`, error.exitCode);
  }
}

/** Whether the request is new to the service. */
async function handOver({ requestCopyFunction }: Deployed, request: CopyRequest): Promise<boolean> {
  const [answer] = await requestCopies(requestCopyFunction, [request]);
  if (answer === undefined || 'refused' in answer) {
    const where = destinationId(request.destination);
    throw new CliProblem(
      `The service does not take the request for ${request.source.snapshotId} to ${where}: ${answer?.refused ?? 'no answer'}`,
    );
  }
  return answer.accepted;
}
