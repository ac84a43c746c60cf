import type { Step } from '../alert-layout.ts';
import { needlessIntermediates } from '../intermediate-copy.ts';
import { shellWord } from '../shell-word.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ActingInstall } from '../source-account.ts';
import type { SourceCheck } from '../source-look.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** A share that the service made for an execution. */
interface Claim {
  readonly snapshotId: string;
  readonly execution: string;
}

/** When an execution ended; `runs`, or `gone` if Step Functions knows none of its name any more. */
export type ExecutionEnd = Date | 'runs' | 'gone';

/** The function releaseSource hears of ends within seconds, and has patience for minutes. */
const RELEASE_TAKES_MS = 15 * 60_000;

/** All claims of an install in an account. */
export function claimsIn({ claimed }: SourceCheck): readonly Claim[] {
  return claimed.flatMap(({ snapshotId, claims }) => claims.map(({ execution }) => ({ snapshotId, execution })));
}

/** Whether shares are left that no copy needs any more. */
export function checkShares(
  { account, rules }: { readonly account: string; readonly rules: readonly string[] },
  claims: readonly (Claim & { readonly end: Fact<ExecutionEnd> })[],
  install: ActingInstall,
  now: Date,
): readonly Finding[] {
  const of = { check: 'source-shares', about: `shares that the service made in account ${account}`, rules };
  const why = 'A share is to last for as long as its copy needs it, and no longer.';
  const left = claims.filter(({ end }) => isKnown(end) && isOver(end.value, now));
  const unknown = claims.flatMap(({ end }) => (isKnown(end) ? [] : [end]));
  const inUse = claims.length - left.length - unknown.length;
  const used = inUse === 0 ? 'none now' : inUse === 1 ? '1 is in use' : `${inUse} are in use`;
  const snapshots = [...new Set(left.map(({ snapshotId }) => snapshotId))];
  const executions = [...new Set(left.map(({ execution }) => execution))];
  return [
    ...(left.length + unknown.length === 0 ? [fine({ ...of, found: used })] : []),
    ...unknown.slice(0, 1).map((end) => couldNotCheck(end, { ...of, why })),
    ...(left.length === 0
      ? []
      : [
          {
            ...of,
            status: 'warning' as const,
            found: `${snapshots.join(', ')} still shared for ${executions.join(', ')}, which ${executions.length === 1 ? 'is' : 'are'} over`,
            why,
            mend: [release(install, 'take them back')],
          },
        ]),
  ];
}

function isOver(end: ExecutionEnd, now: Date): boolean {
  if (end === 'runs') return false;
  return end === 'gone' || now.getTime() - end.getTime() > RELEASE_TAKES_MS;
}

/** Whether intermediate copies are left that nobody needs. */
export function checkIntermediates(
  { account, rules }: { readonly account: string; readonly rules: readonly string[] },
  intermediates: readonly Snapshot[],
  install: ActingInstall,
  now: Date,
): readonly Finding[] {
  if (intermediates.length === 0) return [];
  const of = { check: 'intermediates', about: `intermediate copies in account ${account}`, rules };
  const needless = needlessIntermediates(intermediates, install, now);
  const kept = intermediates.length - needless.length;
  const gib = needless.reduce((sum, { sizeGiB }) => sum + sizeGiB, 0);
  return [
    ...(kept === 0 ? [] : [fine({ ...of, found: kept === 1 ? '1 is needed' : `${kept} are needed` })]),
    ...(needless.length === 0
      ? []
      : [
          {
            ...of,
            status: 'warning' as const,
            found: `${needless.map(({ snapshotId }) => snapshotId).join(', ')} of ${gib} GiB, which nothing needs any more`,
            why: 'They cost storage in that account. The service removes them every hour.',
            mend: [release(install, 'remove them')],
          },
        ]),
  ];
}

/** A file of bytes is read alike by both versions of the command line; a text on the command line is not. */
function release({ name, region }: ActingInstall, what: string): Step {
  return {
    say: `The function releaseSource should have, and does every hour: its log says what keeps it. To have it ${what} now:`,
    run: [
      `echo '{"look":"everywhere"}' | aws lambda invoke --region ${region}`,
      `--function-name ${shellWord(`${name}-releaseSource`)} --payload fileb:///dev/stdin /dev/stdout`,
    ],
  };
}
