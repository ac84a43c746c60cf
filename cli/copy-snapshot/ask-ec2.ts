import { type CopySnapshotAnswer, callCopySnapshot, type Ec2Connection } from '../../aws/copy-snapshot-call.ts';
import type { CopySnapshotInput } from '../../core/hand-request.ts';
import { AWS_CLI_FAILED, failed, refusedByEc2 } from '../aws-cli/aws-cli-problem.ts';
import { checkedRegion } from '../aws-cli/settings.ts';
import { CliProblem } from '../cli-problem.ts';
import type { CopySnapshotCall } from './call.ts';

type Answered = Extract<CopySnapshotAnswer, { kind: 'copying' | 'refused' }>;

/**
 * Calls CopySnapshot in the destination Region, as the caller.
 *
 * @throws CliProblem if EC2 does not answer
 */
export async function askEc2(
  { region, globals }: Pick<CopySnapshotCall, 'region' | 'globals'>,
  input: CopySnapshotInput,
): Promise<Answered> {
  const { endpointUrl, connectTimeoutSeconds, readTimeoutSeconds } = globals;
  const elsewhere = endpointUrl ?? process.env['AWS_ENDPOINT_URL_EC2'] ?? process.env['AWS_ENDPOINT_URL'];
  // The host of a presigned URL is made of it.
  if (elsewhere === undefined && input.PresignedUrl === undefined) checkedRegion(input.SourceRegion);
  const connection: Ec2Connection = {
    region,
    connectTimeoutSeconds,
    readTimeoutSeconds,
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
  };
  const answer = await callCopySnapshot(input, connection);
  switch (answer.kind) {
    case 'copying':
    case 'refused':
      return answer;
    case 'noCredentials':
      throw new CliProblem(
        'Unable to locate credentials. You can configure credentials by running "aws configure".',
        AWS_CLI_FAILED,
      );
    case 'noAnswer':
      throw failed(whyNoAnswer(answer, input.DryRun === true));
  }
}

/** @throws CliProblem always */
export function refuse({ code, words }: { readonly code: string; readonly words: string }): never {
  throw refusedByEc2(code, words);
}

function whyNoAnswer(
  { code, words, url }: Extract<CopySnapshotAnswer, { kind: 'noAnswer' }>,
  isDryRun: boolean,
): string {
  if (NEVER_THERE.test(code)) return `Could not connect to the endpoint URL: "${url}"`;
  if (/CERT|VERIFY/.test(code)) return `SSL validation failed for ${url} ${words}`;
  if (TOO_LATE.test(code) && /connection/i.test(words)) return `Connect timeout on endpoint URL: "${url}"`;
  const what = TOO_LATE.test(code)
    ? `Read timeout on endpoint URL: "${url}"`
    : `Connection was closed before we received a valid response from endpoint URL: "${url}".`;
  return isDryRun ? what : `${what}\nThe copy may have begun: look for it before you try again.`;
}

const TOO_LATE = /^(?:TimeoutError|ETIMEDOUT)$/;
const NEVER_THERE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
