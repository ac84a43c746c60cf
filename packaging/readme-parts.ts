// `node packaging/readme-parts.ts` says whether the drawing of the state machine, the generated blocks of README.md and
// the examples in docs/cli/ are current; with `--write` it makes them so.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseResults, resultsAsMarkdown } from '../bench/results.ts';
import { packageService } from '../sandbox/package-service.ts';
import { WORK_DIR } from '../sandbox/work-dir.ts';
import { pagesWithExamples, pageWithExamples } from './cli-examples.ts';
import { permissionsTable } from './derive-permissions-table.ts';
import { drawStateMachine } from './draw-state-machine.ts';
import { readRulesFile } from './rules-file.ts';
import { readFunctions } from './service-file.ts';
import { parseStateMachine, readDefinition } from './state-machine.ts';
import { statesTable } from './states-table.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** So that the table of permissions has what the service may do in other accounts. */
const EXAMPLE = { accounts: ['111122223333'] };

/** A file that is generated, in whole or in part. */
export interface GeneratedFile {
  readonly path: string;
  /** What it holds, or undefined if it is not there. */
  readonly now: string | undefined;
  /** What it should hold. */
  readonly wanted: string;
}

/** docs/copy-snapshot.svg and README.md as they are and as they should be. */
export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const machine = parseStateMachine(readDefinition('copy-snapshot'));
  const functions = readFunctions();
  const drawing = `${repository}docs/copy-snapshot.svg`;
  const readme = `${repository}README.md`;
  const text = read(readme) ?? '';
  const measured = read(`${repository}bench/results.json`);
  const blocks: readonly (readonly [name: string, content: string])[] = [
    ['states', statesTable(machine, functions)],
    ['permissions', permissionsTable(readRulesFile(`${repository}copy-rules.yml`), 'ebs-snapshot-copier', EXAMPLE)],
    ...(measured === undefined ? [] : [['bench', resultsAsMarkdown(parseResults(measured))] as const]),
  ];
  return [
    { path: drawing, now: read(drawing), wanted: await drawStateMachine(machine, functions) },
    {
      path: readme,
      now: text,
      wanted: blocks.reduce((filled, [name, content]) => withBlock(filled, name, content), text),
    },
  ];
}

/**
 * The text with other contents between `<!-- generated:NAME -->` and the `<!-- /generated -->` that follows.
 *
 * @throws Error if there is not one such block
 */
export function withBlock(text: string, name: string, content: string): string {
  const start = `<!-- generated:${name} -->\n`;
  const end = '<!-- /generated -->';
  const [before = '', after, ...more] = text.split(start);
  if (after === undefined || more.length > 0) throw new Error(`There should be one block ${start.trim()}`);
  const [, ...rest] = after.split(end);
  if (rest.length === 0) throw new Error(`The block ${start.trim()} has no end: ${end}`);
  return [`${before}${start}${content}\n`, ...rest].join(end);
}

/** The pages of docs/cli/, with what the commands print now. It packages the service first. */
async function cliPages(): Promise<readonly GeneratedFile[]> {
  const packageDir = join(WORK_DIR, `package-${process.pid}`);
  try {
    await packageService({ rulesFile: `${repository}copy-rules.yml`, packageDir, stage: 'prod' });
    const pages: GeneratedFile[] = [];
    for (const name of pagesWithExamples()) pages.push(await pageWithExamples(name, packageDir));
    return pages;
  } finally {
    rmSync(packageDir, { recursive: true, force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const write = process.argv.includes('--write');
  for (const { path, now, wanted } of [...(await generatedFiles()), ...(await cliPages())]) {
    const name = path.slice(repository.length);
    if (now === wanted) console.log(`${name} is current`);
    else if (write) {
      writeFileSync(path, wanted);
      console.log(`${name} written`);
    } else {
      console.error(`${name} is not current: npm run docs`);
      process.exitCode = 1;
    }
  }
  // An execution that a scene left in the middle would keep this process for as long as its copy takes.
  process.exit();
}
