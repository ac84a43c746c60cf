import { partitionOf } from '../core/region.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import type { CopyRule } from '../core/rules.ts';

/** What was given on the command line of `serverless package` or `serverless deploy`. */
export interface DeployOptions {
  readonly stage: string;
  readonly region: string;
  /** Values of `--param`, by name. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * osls shortens a rule's name of more than 64 characters to something that the policy of the stuck-events queue does not
 * know; events that EventBridge cannot deliver would then be lost.
 */
const STAGE = /^[A-Za-z][A-Za-z0-9-]{0,19}$/;

/** The parameters of serverless.yml, each with what it takes. A misspelt one would be no error to osls. */
const PARAMS: ReadonlyMap<string, { readonly takes: RegExp; readonly example: string }> = new Map([
  ['alertEmail', { takes: /^[^@\s]+@[^@\s]+$/, example: 'alertEmail=oncall@example.com' }],
  ['monitoring', { takes: /^(on|off)$/, example: 'monitoring=off' }],
  [
    'keepRequestsDays',
    { takes: /^(9\d|[1-9]\d\d|[12]\d{3}|3[0-5]\d\d|36[0-4]\d|3650)$/, example: 'keepRequestsDays=90' },
  ],
  ['sweepMinutes', { takes: /^([2-9]|10)$/, example: 'sweepMinutes=5' }],
  ['lookbackHours', { takes: /^(0|[1-9]\d?|[12]\d\d|3[0-2]\d|33[0-6])$/, example: 'lookbackHours=24' }],
  ['noRecentCopyAlarm', { takes: /^(on|off)$/, example: 'noRecentCopyAlarm=off' }],
]);

/** Every problem of the options, each with what was found and an example; empty if there is none. */
export function optionProblems(
  { stage, region, params }: DeployOptions,
  rules: readonly CopyRule[],
): readonly string[] {
  const elsewhere = destinationRegions(rules).filter((destination) => partitionOf(destination) !== partitionOf(region));
  return [
    ...(STAGE.test(stage)
      ? []
      : [`--stage is "${stage}". It takes a letter and at most 19 more letters, digits or hyphens, for example prod.`]),
    ...(elsewhere.length === 0
      ? []
      : [
          `--region is ${region}, and no copy can go from there to ${elsewhere.join(', ')}: these are other partitions of AWS.`,
        ]),
    ...Object.entries(params).flatMap(([name, value]) => {
      const known = PARAMS.get(name);
      const examples = [...PARAMS.values()].map(({ example }) => `--param="${example}"`).join(' or ');
      if (known === undefined) return [`--param="${name}=…" is not known. There are, for example, ${examples}.`];
      return known.takes.test(value)
        ? []
        : [`--param="${name}" is "${value}". Right is, for example, --param="${known.example}".`];
    }),
  ];
}
