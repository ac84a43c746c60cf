import { command, prose, type Step } from '../../core/alert-layout.ts';
import { type Finding, type Status, type Subject, totalsOf } from '../../core/doctor/finding.ts';
import type { Terminal } from '../terminal.ts';
import { count } from '../words.ts';

const LABEL: Readonly<Record<Status, string>> = {
  ok: 'ok',
  hint: 'hint',
  warning: 'WARNING',
  problem: 'PROBLEM',
  unchecked: 'not checked',
};
const LABEL_WIDTH = 12;
const INDENT = '  ';
const HANGING = ' '.repeat(INDENT.length + LABEL_WIDTH);
/** Lines of text are read more easily if they are no longer. */
const WIDEST = 110;
const NARROWEST = 60;

/** What was found about one subject. */
export function printSubject(terminal: Terminal, subject: Subject, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const width = Math.max(NARROWEST, Math.min(WIDEST, terminal.width));
  const alike = Map.groupBy(findings, toldOnce);
  terminal.print([subject.toUpperCase(), ...[...alike.values()].map((those) => inText(those, width)), ''].join('\n'));
}

/** Findings with the same have their reason, and what to do, below the last of them. Hints may differ in what to paste. */
function toldOnce({ check, about, found, status, why, mend }: Finding): string {
  if (status === 'ok') return `${check} ${about} ${found}`;
  return JSON.stringify([check, status, why, status === 'hint' ? mend.map(({ say }) => say) : mend]);
}

function inText(alike: readonly Finding[], width: number): string {
  const room = width - HANGING.length;
  const heads = alike.map(({ status, about, found, rules = [] }) => {
    const whose =
      status === 'ok' || rules.length === 0 ? '' : ` (${rules.length === 1 ? 'rule' : 'rules'} ${rules.join(', ')})`;
    const head = prose(`${about}: ${found}${whose}`, room).split('\n');
    return `${INDENT}${LABEL[status].padEnd(LABEL_WIDTH)}${head.join(`\n${HANGING}`)}`;
  });
  const [why] = alike.map((each) => each.why);
  const steps = Map.groupBy(
    alike.flatMap(({ mend }) => mend),
    ({ say }) => say,
  );
  return [
    ...heads,
    ...(why === undefined ? [] : [indented(prose(`Why: ${why}`, room), HANGING)]),
    ...[...steps].map(([say, those]) => stepInText(say, those, room)),
  ].join('\n');
}

/** Commands are never broken: they are to be pasted. */
function stepInText(say: string, steps: readonly Step[], room: number): string {
  const [first = '', ...rest] = prose(say, room - 2).split('\n');
  const blocks = steps.flatMap(({ run, paste }) => [
    ...(run === undefined ? [] : [command(run)]),
    ...(paste === undefined ? [] : [paste]),
  ]);
  const pasted = [...new Set(blocks)].map((block) => indented(block, `${HANGING}    `));
  return [
    `${HANGING}- ${first}`,
    ...rest.map((line) => `${HANGING}  ${line}`),
    ...(pasted.length === 0 ? [] : [pasted.join('\n\n')]),
  ].join('\n');
}

/** What makes or changes stacks needs the files of the service. */
export function hasDeployment(findings: readonly Finding[]): boolean {
  return findings.some(({ mend }) =>
    mend.some(({ run = [] }) => /npx serverless deploy|companions\//.test(run.join(' '))),
  );
}

function indented(text: string, by: string): string {
  return text.replaceAll(/^(?=.)/gm, by);
}

/** For example `2 problems, 1 hint, 12 ok`. */
export function totalsInWords(findings: readonly Finding[]): string {
  const { problem, warning, unchecked, hint, ok } = totalsOf(findings);
  return [
    ...(problem === 0 ? [] : [count(problem, 'problem')]),
    ...(warning === 0 ? [] : [count(warning, 'warning')]),
    ...(unchecked === 0 ? [] : [`${unchecked} not checked`]),
    ...(hint === 0 ? [] : [count(hint, 'hint')]),
    `${ok} ok`,
  ].join(', ');
}

/** A finding for machines. */
export function asJson(subject: Subject, { check, about, rules, status, found, why, mend }: Finding) {
  return {
    subject,
    check,
    about,
    rules: rules ?? null,
    status,
    found,
    why: why ?? null,
    mend: mend.map(({ say, run, paste }) => ({
      say,
      ...(run !== undefined && { run: command(run) }),
      ...(paste !== undefined && { paste }),
    })),
  };
}
