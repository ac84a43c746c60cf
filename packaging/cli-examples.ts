// The examples in docs/cli/*.md are real output: each page's commands run in a scene of their own, in their order.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CliScene, startCliScene } from '../sandbox/cli-scene.ts';
import { clientEnvironment, passTimeUntil, runProcess } from '../sandbox/client-process.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = join(repository, 'docs/cli');

/**
 * `<!-- example: COMMAND -->`, and what follows as far as `<!-- /example -->`. In a command `{failed}` stands for the
 * snapshot that failed in the scene, and so on. `example, as time passes:` lets it.
 */
const EXAMPLE = /<!-- example(?<passes>, as time passes)?: (?<command>.*?) -->\n[\s\S]*?<!-- \/example -->/g;

/** Names of the pages that have examples. */
export function pagesWithExamples(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && read(name).includes('<!-- example'))
    .toSorted();
}

/** @param packageDir the service, packaged with the shipped copy-rules.yml */
export async function pageWithExamples(
  name: string,
  packageDir: string,
): Promise<{ readonly path: string; readonly now: string; readonly wanted: string }> {
  const now = read(name);
  const scene = await startCliScene(packageDir);
  const work = mkdtempSync(join(tmpdir(), 'snapshot-copier-'));
  try {
    copyFileSync(join(repository, 'copy-rules.yml'), join(work, 'copy-rules.yml'));
    const parts: string[] = [];
    let from = 0;
    for (const { index, 0: whole, groups = {} } of now.matchAll(EXAMPLE)) {
      const command = withIds(groups['command'] ?? '', scene);
      const said = await run(command, scene, work, groups['passes'] !== undefined);
      const [head = ''] = whole.split('\n');
      parts.push(now.slice(from, index), `${head}\n\`\`\`\n$ ${command}\n${said}\`\`\`\n<!-- /example -->`);
      from = index + whole.length;
    }
    return { path: join(folder, name), now, wanted: parts.join('') + now.slice(from) };
  } finally {
    await scene.sandbox.stop();
    rmSync(work, { recursive: true });
  }
}

function withIds(command: string, { snapshots }: CliScene): string {
  return Object.entries(snapshots).reduce((text, [name, id]) => text.replaceAll(`{${name}}`, id), command);
}

/** What a command prints, first on stderr, then on stdout, and its exit code if that is not 0. */
async function run(command: string, { sandbox }: CliScene, work: string, timePasses: boolean): Promise<string> {
  const PATH = [bin(work), dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { ...clientEnvironment(sandbox), PATH, HOME: work, NO_COLOR: '1' };
  const end = runProcess('sh', ['-c', command], { env, cwd: work });
  const { code, stdout, stderr } = await (timePasses ? passTimeUntil(end, sandbox, 5) : end);
  return `${stderr}${stdout}${code === 0 ? '' : `(exit code ${code})\n`}`;
}

/** A folder for PATH in which the command is. */
function bin(work: string): string {
  const folderOfCommand = join(work, '.bin');
  if (!existsSync(folderOfCommand)) {
    mkdirSync(folderOfCommand);
    symlinkSync(join(repository, 'cli/snapshot-copier.mjs'), join(folderOfCommand, 'snapshot-copier'));
  }
  return folderOfCommand;
}

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
