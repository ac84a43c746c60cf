// Called by people's commands: `lookAtSources` in serverless.yml
import { companionSessions } from '../aws/companion-role.ts';
import { fact } from '../aws/key-look.ts';
import { assumedSourceAccounts, type SourceAccount } from '../aws/source-account.ts';
import { type DryRun, type SourceAccountLook, sourceAccountLooks } from '../aws/source-account-look.ts';
import { copiedToTag } from '../core/copier-tags.ts';
import { RequestRefusedError, SourceAccountRefusedError, UnreadableInputError } from '../core/errors.ts';
import { intermediateParameters } from '../core/intermediate-copy.ts';
import { daysBetween } from '../core/lookback.ts';
import type { SourceAccounts } from '../core/rules.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, claimsOf, claimTag, shareableKeyAlias } from '../core/source-account.ts';
import {
  fitting,
  type Refusal,
  type SourceAnswer,
  type SourceKey,
  type SourceLook,
  type SourceTrial,
  sourceLook,
} from '../core/source-look.ts';
import { readPackagedSourceAccounts } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  /** By account. */
  readonly looks: (account: string) => SourceAccountLook;
  readonly accounts: (account: string) => Pick<SourceAccount, 'claimed' | 'intermediates'>;
  readonly now: () => Date;
}

type Asked<Ask extends SourceLook['ask']> = Extract<SourceLook, { ask: Ask }>;

/** No further page is asked for after so long: the caller goes on with another call. */
const ASK_FOR_MS = 20_000;
/** As far back as doctor looks at sources. */
const EXAMPLE_DAYS = 3;

/**
 * Looks at what a source account has, for people's commands: only the functions may assume the companion's role there.
 * Nothing is changed. What the companion refuses is an answer.
 *
 * @throws UnreadableInputError if it is asked for what it does not know
 */
export const lookAtSources =
  (ports: Ports, { accounts }: Pick<SourceAccounts, 'accounts'>, install: ActingInstall) =>
  async (input: unknown): Promise<SourceAnswer<SourceLook['ask']> | Refusal> => {
    const parsed = sourceLook.safeParse(input);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw new UnreadableInputError(`Cannot read what is asked:\n${problems.join('\n')}`);
    }
    const look = parsed.data;
    if (!accounts.includes(look.account)) {
      const known = accounts.length === 0 ? 'none' : accounts.join(', ');
      return {
        refused: `Account ${look.account} is not among the sourceAccounts of the rules that are deployed, which have: ${known}. Nobody looks into it.`,
      };
    }
    try {
      return await answer(look, ports, install);
    } catch (error) {
      if (!(error instanceof SourceAccountRefusedError || error instanceof RequestRefusedError)) throw error;
      logger.warn(error.message, { errorName: error.name });
      return { refused: error.message };
    }
  };

function answer(look: SourceLook, ports: Ports, install: ActingInstall): Promise<SourceAnswer<SourceLook['ask']>> {
  switch (look.ask) {
    case 'begunOn':
      return begunOn(look, ports);
    case 'snapshots':
      return ports
        .looks(look.account)
        .named(look.region, look.ids)
        .then((found) => ({ snapshots: found.map(asSeen) }));
    case 'keys':
      return keys(look, ports);
    case 'check':
      return check(look, ports, install);
  }
}

/** Page after page, as far as one answer and its time go. */
async function begunOn(
  { account, region, days, from = { skip: 0 } }: Asked<'begunOn'>,
  { looks, now }: Ports,
): Promise<SourceAnswer<'begunOn'>> {
  const look = looks(account);
  const end = now().getTime() + ASK_FOR_MS;
  const snapshots: SourceAnswer<'begunOn'>['snapshots'] = [];
  let { token, skip } = from;
  let bytes = 0;
  for (;;) {
    const page = await look.page(region, days, token);
    const part = fitting(page.snapshots, skip, bytes);
    snapshots.push(...part.snapshots.map(asSeen));
    bytes = part.bytes;
    if (!part.isAll) {
      const next = { skip: skip + part.snapshots.length, ...(token !== undefined && { token }) };
      return { snapshots, next };
    }
    if (page.next === undefined) return { snapshots };
    ({ next: token } = page);
    skip = 0;
    if (now().getTime() > end) return { snapshots, next: { token: page.next, skip } };
  }
}

async function keys(
  { account, region, names, usedBy }: Asked<'keys'>,
  { looks }: Ports,
): Promise<SourceAnswer<'keys'>> {
  const look = looks(account);
  return { keys: await Promise.all(names.map((name) => keyOf(look, region, name, usedBy))) };
}

/** That one key does not let the role see it says nothing of the others. */
async function keyOf(
  { keys: api }: SourceAccountLook,
  region: string,
  name: string,
  usedBy?: string,
): Promise<SourceKey> {
  try {
    const key = await api.describe(region, name);
    if (key === undefined) return { name, missing: true };
    // Policies of AWS's own keys cannot be changed.
    if (usedBy === undefined || key.manager === 'AWS') return { name, key };
    return {
      name,
      key,
      policy: await fact(() => api.policy(region, key.arn)),
      grants: await fact(() => api.grants(region, key.arn, usedBy)),
    };
  } catch (error) {
    if (error instanceof RequestRefusedError) return { name, unknown: error.message };
    throw error;
  }
}

async function check(
  { account, region, reencrypt }: Asked<'check'>,
  { looks, accounts, now }: Ports,
  install: ActingInstall,
): Promise<SourceAnswer<'check'>> {
  const look = looks(account);
  const source = accounts(account);
  const since = new Date(now().getTime() - EXAMPLE_DAYS * 86_400_000);
  const { snapshots: begun } = await look.page(region, daysBetween(since, now()), undefined);
  const [claimed, intermediates] = [await source.claimed(region), await source.intermediates(region)];
  // What is under aws/ebs EC2 would not share, whatever the role may do.
  const fit = begun.filter(({ state, storageTier }) => state === 'completed' && storageTier === 'standard');
  const example = fit.find(({ encrypted }) => !encrypted) ?? fit[0];
  return {
    ...(example !== undefined && { example: example.snapshotId }),
    trials: await tryAll(look, example, intermediates[0], install, reencrypt),
    claimed: claimed.map((each) => ({
      snapshotId: each.snapshotId,
      claims: claimsOf(install, each).map(([tag, execution]) => ({ tag, execution })),
    })),
    intermediates: intermediates.map(asSeen),
    ...(reencrypt && { shareableKey: await keyOf(look, region, shareableKeyAlias(install)) }),
  };
}

/** What the companion's role is for, tried without doing it. */
async function tryAll(
  look: SourceAccountLook,
  example: Snapshot | undefined,
  intermediate: Snapshot | undefined,
  install: ActingInstall,
  reencrypt: boolean,
): Promise<SourceTrial[]> {
  const claim = claimTag(install, { region: install.region });
  const trials: readonly Trial[] = [
    { permission: 'readShares', with: example, run: (dry) => dry.readShares() },
    { permission: 'share', with: example, run: (dry) => dry.share() },
    { permission: 'takeBack', with: example, run: (dry) => dry.takeBack() },
    {
      permission: 'mark',
      with: example,
      run: (dry) => dry.mark({ [claim]: 'dry-run', [copiedToTag(install.region)]: 'dry-run' }),
    },
    { permission: 'unmark', with: example, run: (dry) => dry.unmark([claim]) },
    ...(reencrypt
      ? [
          {
            permission: 'copyUnderKey' as const,
            with: example,
            run: (dry: DryRuns, source: Snapshot) => dry.copy(intermediateParameters({ source }, install)),
          },
          { permission: 'removeIntermediate' as const, with: intermediate, run: (dry: DryRuns) => dry.remove() },
        ]
      : []),
  ];
  return Promise.all(
    trials.map(async ({ permission, with: snapshot, run }): Promise<SourceTrial> => {
      if (snapshot === undefined) {
        return { permission, outcome: 'untried', words: 'there is no snapshot to try it with' };
      }
      return { permission, ...outcomeOf(await run(look.dryRun(snapshot.region, snapshot.snapshotId), snapshot)) };
    }),
  );
}

type DryRuns = ReturnType<SourceAccountLook['dryRun']>;

interface Trial {
  readonly permission: SourceTrial['permission'];
  readonly with: Snapshot | undefined;
  readonly run: (dry: DryRuns, snapshot: Snapshot) => Promise<DryRun>;
}

function outcomeOf(said: DryRun): Pick<SourceTrial, 'outcome' | 'words'> {
  if ('allowed' in said) return { outcome: 'allowed', words: '' };
  return 'refused' in said
    ? { outcome: 'refused', words: said.refused }
    : { outcome: 'untried', words: `no clear answer: ${said.unclear}` };
}

/** As the answer has it. */
function asSeen(snapshot: Snapshot): SourceAnswer<'snapshots'>['snapshots'][number] {
  return { ...snapshot, tags: { ...snapshot.tags }, viewedByOwner: true };
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
});

const install = { name: settings.INSTALL_NAME, account: settings.ACCOUNT_ID, region: settings.AWS_REGION };

const sessions = companionSessions(install, settings.SOURCE_EXTERNAL_ID);

export const handler = lambda(
  lookAtSources(
    {
      looks: sourceAccountLooks(install.account, sessions),
      accounts: assumedSourceAccounts(install, sessions),
      now: () => new Date(),
    },
    readPackagedSourceAccounts(),
    install,
  ),
);
