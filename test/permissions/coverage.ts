import type { StatementText } from '../../sandbox/iam/policy-document.ts';
import { type EvaluatedRequest, replay, type StatementRef, type UsedRole } from '../../sandbox/iam/usage.ts';
import { type Cut, cutsOf, WHOLE } from './cuts.ts';
import { type DeployedStatement, statementOf } from './statements.ts';

/** What was asked of IAM in one scenario, or for the deployment. */
export interface Recording {
  readonly scenario: string;
  readonly roles: readonly UsedRole[];
  readonly requests: readonly EvaluatedRequest[];
}

/** What becomes of the scenarios if something is taken out of a statement. */
interface Outcome {
  readonly cut: Cut;
  /** Those in which at least one request is refused then that was allowed, in the order of the recordings. */
  readonly red: readonly string[];
}

export interface Covered {
  readonly statement: DeployedStatement;
  /** The whole statement first. */
  readonly outcomes: readonly Outcome[];
}

/** Decides the requests of the recordings again without each statement, and without each part of each. */
export function coverageOf(
  statements: readonly DeployedStatement[],
  recordings: readonly Recording[],
): readonly Covered[] {
  const sorted = recordings.map((recording) => sortedByStatement(recording, statements));
  return statements.map((statement) => {
    const [text] = sorted.flatMap(({ textOf }) => textOf.get(statement) ?? []);
    return {
      statement,
      outcomes: (text === undefined ? [WHOLE] : cutsOf(text)).map((cut) => ({
        cut,
        red: sorted.filter((recording) => isRed(recording, statement, cut)).map(({ scenario }) => scenario),
      })),
    };
  });
}

interface Sorted extends Recording {
  readonly find: (ref: StatementRef) => DeployedStatement | undefined;
  readonly allowedBy: ReadonlyMap<DeployedStatement, readonly EvaluatedRequest[]>;
  readonly textOf: ReadonlyMap<DeployedStatement, StatementText>;
}

function sortedByStatement(recording: Recording, statements: readonly DeployedStatement[]): Sorted {
  const roles = new Map(recording.roles.map((role) => [role.arn, role]));
  const find = (ref: StatementRef) => statementOf(ref, roles, statements);
  const allowedBy = new Map<DeployedStatement, EvaluatedRequest[]>();
  const textOf = new Map<DeployedStatement, StatementText>();
  for (const request of recording.requests) {
    for (const ref of request.allowedBy) {
      const statement = find(ref);
      if (statement === undefined) continue;
      allowedBy.set(statement, [...(allowedBy.get(statement) ?? []), request]);
      const policy = ref.of === 'identity' ? roles.get(ref.owner)?.policies[ref.policy] : request.resource?.policy;
      const text = policy?.Statement[ref.statement];
      if (text !== undefined) textOf.set(statement, text);
    }
  }
  return { ...recording, find, allowedBy, textOf };
}

/** Only requests that a statement allowed can be refused without it. */
function isRed({ roles, allowedBy, find }: Sorted, statement: DeployedStatement, { apply }: Cut): boolean {
  const requests = allowedBy.get(statement) ?? [];
  const changed = replay({ roles, requests }, (text, ref) => (find(ref) === statement ? apply(text) : text));
  return changed.some(({ verdict }) => !verdict.allowed);
}
