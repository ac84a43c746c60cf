import * as z from 'zod/mini';
import type { SourceAccounts } from '../rules.ts';
import type { ActingInstall } from '../source-account.ts';
import { type Deployment, deployCommand } from './deploy-command.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** An event bus as EventBridge shows it. */
export interface ShownBus {
  /** JSON; undefined if nobody else may send. */
  readonly policy: string | undefined;
}

const oneOrMore = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((value) => [value].flat()),
);
const busPolicy = z.object({
  Statement: z.pipe(
    z.union([z.unknown(), z.array(z.unknown())]),
    z.transform((value) => [value].flat()),
  ),
});
/** Anything else in a statement, such as another condition, makes it one that is not counted upon. */
const sending = z.strictObject({
  Sid: z.optional(z.string()),
  Effect: z.literal('Allow'),
  Principal: z.union([z.literal('*'), z.strictObject({ AWS: oneOrMore })]),
  Action: oneOrMore,
  Resource: z.unknown(),
  Condition: z.optional(z.strictObject({ StringEquals: z.strictObject({ 'aws:PrincipalOrgID': oneOrMore }) })),
});

/** Whom a policy lets send events, as far as it says so plainly. */
function sendersIn(text: string): { readonly accounts: readonly string[]; readonly organizations: readonly string[] } {
  const statements = policyOf(text).flatMap((each) => {
    const { data } = sending.safeParse(each);
    return data?.Action.some((action) => /^events:(?:PutEvents|\*)$/.test(action)) === true ? [data] : [];
  });
  return {
    accounts: statements.flatMap(({ Principal, Condition }) =>
      Principal === '*' || Condition !== undefined ? [] : Principal.AWS.flatMap((each) => accountIn(each) ?? []),
    ),
    organizations: statements.flatMap(({ Principal, Condition }) =>
      Principal === '*' ? (Condition?.StringEquals['aws:PrincipalOrgID'] ?? []) : [],
    ),
  };
}

function policyOf(text: string): readonly unknown[] {
  try {
    return busPolicy.safeParse(JSON.parse(text)).data?.Statement ?? [];
  } catch {
    return [];
  }
}

/** `111122223333`, or the ARN of its root. */
function accountIn(principal: string): string | undefined {
  return /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(principal)?.[1];
}

/**
 * Whether the bus of the install is there, and lets the source accounts send events.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
 *
 * @param bus undefined if there is none
 */
export function checkSourceBus(
  { accounts, organization }: SourceAccounts,
  bus: Fact<ShownBus | undefined>,
  deployment: Deployment,
): Finding {
  const { name, account, region } = deployment.install;
  const of = { check: 'source-bus', about: `event bus ${name} of account ${account} in ${region}` };
  const why = 'Source accounts tell of new snapshots there. Without it they are found by the clock, if at all.';
  const mend = [{ say: 'Deploy again; that makes what is missing:', run: deployCommand(deployment) }];
  if (!isKnown(bus)) return couldNotCheck(bus, { ...of, why });
  if (bus.value === undefined) return { ...of, status: 'problem', found: 'there is no such bus', why, mend };
  const senders = sendersIn(bus.value.policy ?? '');
  if (organization !== undefined) {
    return senders.organizations.includes(organization)
      ? fine({ ...of, found: `it lets the accounts of organisation ${organization} in` })
      : { ...of, status: 'problem', found: `its policy does not let organisation ${organization} in`, why, mend };
  }
  const missing = accounts.filter((each) => !senders.accounts.includes(each));
  return missing.length === 0
    ? fine({ ...of, found: accounts.length === 1 ? 'it lets the source account in' : 'it lets the source accounts in' })
    : { ...of, status: 'problem', found: `its policy does not let account ${missing.join(', ')} in`, why, mend };
}

/** What came on the bus and was refused is counted and logged, neither of which is asked here. */
export function refusedEvents({ name, region }: ActingInstall): Finding {
  return {
    check: 'refused-events',
    about: 'events on the bus that were refused',
    status: 'unchecked',
    found: 'this command does not ask CloudWatch',
    why: 'What is forged, or comes from an account that sourceAccounts does not list, is refused, and an alarm tells of it.',
    mend: [
      {
        say: 'What was refused in the last day, and whose events they were:',
        run: [
          `aws logs filter-log-events --region ${region} --log-group-name /aws/lambda/${name}-onSnapshotEvent`,
          `--start-time "$(( ($(date +%s) - 86400) * 1000 ))" --filter-pattern '"Refused:"' --query 'events[].message' --output text`,
        ],
      },
    ],
  };
}
