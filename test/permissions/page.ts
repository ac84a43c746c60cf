import { fileURLToPath } from 'node:url';
import type { Covered } from './coverage.ts';
import { NEVER_USED } from './never-used.ts';
import { SCENARIOS } from './scenarios.ts';
import { DEPLOYMENT } from './scene.ts';
import { type DeployedStatement, TEMPLATES } from './statements.ts';

export const PAGE: string = fileURLToPath(new URL('../../docs/permissions.md', import.meta.url));

const TITLES = {
  service: 'The service',
  'source-account': '`companions/source-account.yml`',
  'destination-region': '`companions/destination-region.yml`',
} as const;

/** docs/permissions.md */
export function permissionsPage(
  covered: readonly Covered[],
  reasonOf: (statement: DeployedStatement) => string,
): string {
  const parts = TEMPLATES.flatMap((template) => [
    `## ${TITLES[template]}`,
    table(
      ['Statement', 'Allows', 'Why', 'Without it fails'],
      covered
        .filter(({ statement }) => statement.template === template)
        .map(({ statement, outcomes }) => [
          code(inTemplate(statement)),
          statement.actions.map(code).join('<br>'),
          reasonOf(statement),
          outcomes[0]?.red[0] === undefined ? '–' : numberOf(outcomes[0].red[0]),
        ]),
    ),
  ]);
  return `${[
    '# Permissions',
    INTRODUCTION,
    SCENARIOS.map(({ name }, index) => `${index + 1}. ${name}`).join('\n'),
    AFTERWARDS,
    ...parts,
    '## What none of them uses',
    table(['Statement, or part of one', 'Why it is there'], neverUsed(covered)),
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `Everything that the service and its companions may do, statement by statement, and what goes wrong without it. \`npm run permissions -- --write\`
writes this page.

The [sandbox](sandbox.md) decides every API call of functions, state machines, rules and schedules by the policies that are deployed. These scenarios
are played in it, with rules that have every kind of statement derived (\`test/permissions/copy-rules.yml\`):`;

const AFTERWARDS = `The tables name for each statement the first scenario in which a call is refused without it. \`npm test\` plays the scenarios once and then decides what they asked
for again without each statement, without each action of one, and without each kind of resource and condition value. \`npm run permissions --
--mutate\` deploys without one statement after the other and plays the scenarios in earnest, until a copy that is missing, an alert, an event that is
stuck, or a log that is empty shows it. "The deployment": the stack cannot be made, because AWS looks at the role before.

A role is named like the function, state machine or rule that has it. \`trust\` is who may take it.`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function neverUsed(covered: readonly Covered[]): readonly (readonly string[])[] {
  const names = covered.flatMap(({ statement, outcomes }) => unusedIn({ statement, outcomes }));
  return NEVER_USED.map(({ what, why }) => [
    names
      .filter((name) => what.test(name))
      .map(code)
      .join('<br>'),
    why,
  ]);
}

/** What no recording needs of a statement: its own name if that is all of it, or the names of parts. */
export function unusedIn({ statement, outcomes }: Covered): readonly string[] {
  const [whole, ...parts] = outcomes;
  if (whole?.red.length === 0) return [statement.name];
  return parts.filter(({ red }) => red.length === 0).map(({ cut }) => `${statement.name} ${cut.what}`);
}

function inTemplate({ name }: DeployedStatement): string {
  return name.replace(/^[\w-]+: /, '');
}

function numberOf(scenario: string): string {
  return scenario === DEPLOYMENT ? scenario : String(SCENARIOS.findIndex(({ name }) => name === scenario) + 1);
}

function code(text: string): string {
  return `\`${text}\``;
}
