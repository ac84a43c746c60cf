// `npm run permissions`: plays the scenarios, and prints which statements of the policies they need.
//   --write             writes docs/permissions.md
//   --mutate            then deploys without one statement after the other, and plays a scenario that needs it
//   --only <text>       of these, statements whose names have the text in them; may be given more than once
//   --from <text>       of these, the first one that has it in its name, and all after it
// Exit code 1 if a scenario goes wrong, something is never used without a reason, or a missing statement does not show.
// (!): it shows in another scenario than the first one that needs it.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Covered, coverageOf } from './coverage.ts';
import { readDeployed } from './deployed.ts';
import { playWithout } from './mutate.ts';
import { NEVER_USED } from './never-used.ts';
import { PAGE, permissionsPage, unusedIn } from './page.ts';
import { readReasons } from './reasons.ts';
import { recordAll } from './record.ts';
import { SCENARIOS } from './scenarios.ts';
import { DEPLOYMENT } from './scene.ts';
import { statementsIn } from './statements.ts';

const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    mutate: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    from: { type: 'string', default: '' },
  },
});

const everything = await readDeployed();
const { recordings, troubles } = await recordAll(everything.deployed);
const covered = coverageOf(statementsIn(everything.templates), recordings);

for (const [scenario, trouble] of troubles) {
  if (trouble !== undefined) complain(`${scenario}: ${trouble}`);
}
console.log(report(covered));
for (const name of covered.flatMap(unusedIn)) {
  const known = NEVER_USED.find(({ what }) => what.test(name));
  if (known === undefined) complain(`Nothing uses ${name}`);
  else console.log(`Nothing uses ${name}: ${known.why}`);
}
if (options.write) {
  writeFileSync(PAGE, permissionsPage(covered, readReasons(everything.deployed)));
  console.log('docs/permissions.md written');
}
if (options.mutate) await mutateAll();
// A sandbox that a missing permission has upset may have left something that would keep this process.
process.exit();

function complain(text: string): void {
  console.error(text);
  process.exitCode = 1;
}

function report(all: readonly Covered[]): string {
  const table = new Table({
    head: ['Statement', 'Used by', 'Without it fails'],
    style: { head: ['bold'], compact: true },
  });
  for (const { statement, outcomes } of all) {
    const red = outcomes[0]?.red ?? [];
    table.push([statement.name, `${red.length} of ${SCENARIOS.length}`, red[0] ?? 'nothing']);
  }
  return table.toString();
}

async function mutateAll(): Promise<void> {
  const { only, from } = options;
  const start = covered.findIndex(({ statement }) => statement.name.includes(from));
  const chosen = covered
    .slice(Math.max(start, 0))
    .filter(({ statement }) => only.length === 0 || only.some((text) => statement.name.includes(text)));
  for (const { statement, outcomes } of chosen) {
    const { name } = statement;
    const red = outcomes[0]?.red ?? [];
    if (red.length === 0) continue;
    const [first = ''] = SCENARIOS.map((scenario) => scenario.name);
    const candidates = red[0] === DEPLOYMENT ? [first] : red;
    const trouble = await playWithout(statement, candidates, everything);
    if (trouble === undefined) complain(`SURVIVES ${name}`);
    else console.log(`${name}: ${trouble.in}${trouble.in === red[0] ? '' : ' (!)'}: ${trouble.what.slice(0, 160)}`);
  }
}
