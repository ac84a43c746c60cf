import type * as z from 'zod/mini';
import { RequestRefusedError, ServiceTroubleError, SourceAccountRefusedError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import {
  DAYS_AT_ONCE,
  IDS_AT_ONCE,
  KEYS_AT_ONCE,
  refusal,
  type SourceCheck,
  type SourceKey,
  type SourceLook,
  sourceAnswers,
} from '../core/source-look.ts';
import { type Invoked, invokeFunction } from './invoke-function.ts';
import { parseJson } from './parse-json.ts';

/**
 * Source accounts as the function lookAtSources of an install sees them, through the roles of their companions. Every
 * method throws errors of core/errors.ts only: SourceAccountRefusedError if the account is not one of the deployed rules,
 * or its companion refuses.
 */
export interface SourceLooks {
  /** The account's own snapshots that were begun on one of these days (UTC, `2026-01-05`), with their tags. */
  begunOn(account: string, region: string, days: readonly string[]): Promise<readonly Snapshot[]>;
  /** Those of these snapshots that belong to it. */
  snapshots(account: string, region: string, ids: readonly string[]): Promise<readonly Snapshot[]>;
  /**
   * What KMS tells of its keys.
   *
   * @param usedBy the ARN of a role, if policies are wanted as well, and the grants that this role has
   */
  keys(account: string, region: string, names: readonly string[], usedBy?: string): Promise<readonly SourceKey[]>;
  /** Whether what copies need would work there, and what is left there. */
  check(account: string, region: string, reencrypt: boolean): Promise<SourceCheck>;
}

/** @param functionName of the function `lookAtSources` of serverless.yml */
export function sourceLooks(functionName: string): SourceLooks {
  return {
    async begunOn(account, region, days) {
      const found: Snapshot[] = [];
      for (const some of batches(days, DAYS_AT_ONCE)) {
        const look = { ask: 'begunOn', account, region, days: some } as const;
        let answer = await ask(functionName, look, sourceAnswers.begunOn);
        found.push(...answer.snapshots);
        while (answer.next !== undefined) {
          answer = await ask(functionName, { ...look, from: answer.next }, sourceAnswers.begunOn);
          found.push(...answer.snapshots);
        }
      }
      return found;
    },
    async snapshots(account, region, ids) {
      const found: Snapshot[] = [];
      for (const some of batches(ids, IDS_AT_ONCE)) {
        const look = { ask: 'snapshots', account, region, ids: some } as const;
        found.push(...(await ask(functionName, look, sourceAnswers.snapshots)).snapshots);
      }
      return found;
    },
    async keys(account, region, names, usedBy) {
      const found: SourceKey[] = [];
      for (const some of batches(names, KEYS_AT_ONCE)) {
        const look = { ask: 'keys', account, region, names: some, ...(usedBy !== undefined && { usedBy }) } as const;
        found.push(...(await ask(functionName, look, sourceAnswers.keys)).keys);
      }
      return found;
    },
    check: (account, region, reencrypt) =>
      ask(functionName, { ask: 'check', account, region, reencrypt }, sourceAnswers.check),
  };
}

async function ask<Schema extends z.ZodMiniType>(
  functionName: string,
  look: SourceLook,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const what = `Invoke of ${functionName} for account ${look.account}`;
  const invoked = await invokeFunction(functionName, JSON.stringify(look));
  if ('failed' in invoked) throw functionError(what, invoked);
  const answer = parseJson(invoked.answered);
  const refused = refusal.safeParse(answer).data?.refused;
  if (refused !== undefined) throw new SourceAccountRefusedError(refused);
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new RequestRefusedError(
    `${what}: the function answered what this command does not know: ${invoked.answered.slice(0, 200)}. ${VERSIONS}`,
  );
}

const VERSIONS = 'Command and service may be of different versions: deploy this one.';

function functionError(what: string, { failed, error }: Extract<Invoked, { failed: string }>): Error {
  if (error === undefined) return new ServiceTroubleError(`${what}: the function failed: ${failed.slice(0, 500)}`);
  const { errorType, errorMessage } = error;
  const said = `${what}: the function failed with ${errorType}: ${errorMessage}`;
  if (errorType === 'UnreadableInputError') return new RequestRefusedError(`${said} ${VERSIONS}`);
  return new ServiceTroubleError(`${said} Its log says more. Asking again is harmless.`);
}

function batches<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
