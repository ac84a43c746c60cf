import { Graphviz } from '@hpcc-js/wasm-graphviz';
import type { FunctionInService } from './service-file.ts';
import { functionOf, type State, type StateMachine, type TaskState } from './state-machine.ts';

const COLOUR = {
  ink: '#1f2933',
  muted: '#52606d',
  work: { line: '#2b5fa8', fill: '#eaf1fb' },
  choice: { line: '#b7791f', fill: '#fff6df' },
  wait: { line: '#52606d', fill: '#f1f3f5' },
  good: { line: '#1b7f4b', fill: '#e6f5ec' },
  failure: { line: '#c0362c', fill: '#fdeceb' },
};
/** What Graphviz measures text with, and what a browser may set it in: fonts of the same widths. */
const FONTS = [
  ['Helvetica', 'Helvetica,Arial,sans-serif'],
  ['Courier', 'ui-monospace,Menlo,Consolas,monospace'],
] as const;
const COMMENT_WIDTH = 32;

type Functions = ReadonlyMap<string, FunctionInService>;

/**
 * The state machine that copies as SVG, always the same for the same definition: the way of a good copy straight down, the
 * loops of waiting beside it, the way of a failed one in red on its right, and above that what a certain error leads to
 * that is no failure.
 *
 * @throws Error if the definition has outgrown this layout.
 */
export async function drawStateMachine(machine: StateMachine, functions: Functions): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = graphviz
    .layout(toDot(machine, functions), 'svg', 'dot')
    .replaceAll(/<!--.*?-->\s*/gs, '') // among them Graphviz's version
    .replace(/^.*?<svg/s, '<svg')
    .replace('<svg', `<svg role="img" aria-label="${escapeXml(machine.Comment)}"`);
  return FONTS.reduce((text, [from, to]) => text.replaceAll(`font-family="${from}"`, `font-family="${to}"`), svg);
}

/** Who stands where: the names of the states, each list in the order of the way through them. */
interface Layout {
  /** From the start to the end of a good copy, with all that can be left out. */
  readonly down: readonly string[];
  readonly loops: readonly Loop[];
  /** Other good ends. */
  readonly asides: readonly string[];
  /** What a Catch for certain errors leads to, from the state that has it to a good end. */
  readonly detours: readonly Detour[];
  /** From the first state that every Catch leads to. */
  readonly failure: readonly string[];
  /** The last one on the way down. */
  readonly choice: string;
}

/** From a choice on the way down back to that way. */
interface Loop {
  readonly choice: string;
  /** Without what is on the way down. */
  readonly way: readonly string[];
}

interface Detour {
  readonly from: string;
  readonly errors: string;
  readonly way: readonly string[];
}

function toDot(machine: StateMachine, functions: Functions): string {
  const layout = layOut(machine);
  const { down, loops, asides, detours, failure, choice } = layout;
  const states = Object.entries(machine.States);
  const framed = states.flatMap(([name]) => (failure.includes(name) ? [] : [name]));
  const afterChoice = down[down.indexOf(choice) + 1];
  const end = down.at(-1);
  const sameRow = (...names: readonly (string | undefined)[]) => `{ rank=same; ${names.map(id).join('; ')} }`;
  return `digraph {
    graph [compound=true, newrank=true, bgcolor=white, pad=0.2, nodesep=0.35, ranksep=0.45, fontname=Helvetica]
    node [fontname=Helvetica, fontcolor="${COLOUR.ink}", penwidth=1.4, margin="0.16,0.09"]
    edge [fontname=Helvetica, fontsize=12, fontcolor="${COLOUR.ink}", color="${COLOUR.muted}", arrowsize=0.8]
    start [shape=circle, style=filled, fillcolor="${COLOUR.ink}", label="", width=0.16]
    start -> ${id(machine.StartAt)} [weight=20]
    subgraph cluster_tried {
      style="rounded,dashed"; color="${COLOUR.failure.line}"; margin=16
      label="an error that no retry has cured"; labelloc=b; labeljust=r; fontsize=12; fontcolor="${COLOUR.failure.line}"
      ${framed.map((name) => `${id(name)};`).join(' ')}
    }
    ${states.map(([name, state]) => node(name, state, functions, layout)).join('\n    ')}
    ${states.flatMap(([name, state]) => edges(name, state, layout)).join('\n    ')}
    ${id(afterChoice)} -> ${id(failure[0])} [ltail=cluster_tried, weight=0, ${red('style=dashed')}]
    ${detours.map(({ from, way }) => sameRow(from, way[0])).join('\n    ')}
    ${loops.map((loop) => sameRow(loop.way.at(-1), loop.choice)).join('\n    ')}
    ${sameRow(choice, ...detours.map(({ way }) => way.at(-1)))}
    ${sameRow(...longLoops(loops).map(([first]) => first), afterChoice, failure[0])}
    ${sameRow(...asides, end)}
    ${asides.map((name) => `${id(name)} -> ${id(end)} [style=invis]`).join('\n    ')}
  }`;
}

function layOut({ StartAt, States }: StateMachine): Layout {
  const next = (name: string): string | undefined => {
    const state = States[name];
    return state !== undefined && 'Next' in state ? state.Next : undefined;
  };
  const wayFrom = (name: string): readonly string[] => {
    const way = [name];
    for (let to = next(name); to !== undefined && !way.includes(to); to = next(to)) way.push(to);
    return way;
  };
  const tasks = Object.entries(States).flatMap(([name, state]) =>
    state.Type === 'Task' ? [[name, state] as const] : [],
  );
  const isEnd = (name: string | undefined) => ['Succeed', 'Fail'].includes(States[name ?? '']?.Type ?? '');

  const down: string[] = [];
  const loops: Loop[] = [];
  const asides = new Set<string>();
  const defaults = new Map<string, string>();
  for (let at: string | undefined = StartAt; at !== undefined; ) {
    down.push(...wayFrom(at));
    const choice: string = down.at(-1) ?? '';
    const state: State | undefined = States[choice];
    if (state?.Type !== 'Choice') break;
    defaults.set(choice, state.Default);
    const ways = state.Choices.map(({ Next }) => wayFrom(Next));
    const isLoop = (way: readonly string[]) => way.some((name) => down.includes(name));
    const onwards = ways.find((way) => !isLoop(way) && !isEnd(way[0]));
    for (const way of ways) {
      if (isLoop(way)) loops.push({ choice, way: way.filter((name) => !down.includes(name)) });
      else if (way !== onwards) asides.add(way[0] ?? '');
    }
    at = onwards?.[0];
  }
  const [choice, otherwise] = [...defaults].at(-1) ?? [];
  if (choice === undefined || otherwise === undefined) throw new Error(`${StartAt} should lead to a Choice`);
  const failure = wayFrom(otherwise);
  for (const [name, to] of defaults) {
    if (to !== failure[0] && !down.includes(to)) throw new Error(`${name} leads to ${to}, which has no place`);
  }
  const framed = tasks.filter(([name]) => !failure.includes(name));
  const detours = framed.flatMap(([from, { Catch = [], Next: next }]) =>
    // A Catch that goes on as if nothing had happened needs no arrow of its own.
    Catch.filter(({ Next }) => Next !== next && Next !== failure[0]).map(({ ErrorEquals, Next }) => ({
      from,
      errors: ErrorEquals.join(', '),
      way: wayFrom(Next),
    })),
  );
  for (const [name, { Catch = [] }] of framed) {
    const last = Catch.at(-1);
    const leads = detours.filter(({ from }) => from === name).map(({ way }) => States[way.at(-1) ?? '']?.Type);
    if (
      last?.Next !== failure[0] ||
      last?.ErrorEquals.join() !== 'States.ALL' ||
      leads.some((end) => end !== 'Succeed')
    ) {
      throw new Error(`${name} has no Catch, or one that leads elsewhere: its frame in the drawing would be a lie`);
    }
  }
  return { down, loops, asides: [...asides], detours, failure, choice };
}

/** Those of more than one state. */
function longLoops(loops: readonly Loop[]): readonly (readonly string[])[] {
  return loops.map(({ way }) => way).filter(({ length }) => length > 1);
}

function node(name: string, state: State, functions: Functions, { down, loops, detours, failure }: Layout): string {
  const label = [
    `<b><font point-size="15">${escapeXml(name)}</font></b>`,
    ...(state.Comment === undefined
      ? []
      : broken(state.Comment, state.Type === 'Choice' ? COMMENT_WIDTH * 0.7 : COMMENT_WIDTH).map(
          (line) => `<font point-size="12">${line}</font>`,
        )),
    ...called(state, functions).map(
      (text) => `<font point-size="11" face="Courier" color="${COLOUR.muted}">${text}</font>`,
    ),
  ].join('<br/>');
  const columns = [down, loops.flatMap(({ way }) => way), failure, ...detours.map(({ way }) => way)];
  const column = columns.findIndex((names) => names.includes(name));
  return `${id(name)} [label=<${label}>, ${look(state, failure.includes(name))}, group="column ${column}"]`;
}

function called(state: State, functions: Functions): readonly string[] {
  if (state.Type !== 'Task') return [];
  return [functions.get(functionOf(state) ?? '')?.file ?? integrationOf(state)];
}

/** `arn:aws:states:::sns:publish`, in whatever partition, to `sns:publish`. */
function integrationOf({ Resource }: TaskState): string {
  if (typeof Resource === 'object' && 'Fn::GetAtt' in Resource) return '';
  const arn = typeof Resource === 'string' ? Resource : Resource['Fn::Sub'];
  return arn.split(':').slice(-2).join(':');
}

function look(state: State, failing: boolean): string {
  const coloured = ({ line, fill }: typeof COLOUR.work) => `color="${line}", fillcolor="${fill}"`;
  switch (state.Type) {
    case 'Task':
      return `shape=box, style="rounded,filled", ${coloured(failing ? COLOUR.failure : COLOUR.work)}`;
    case 'Choice':
      return `shape=diamond, style=filled, margin="0,0", ordering=out, ${coloured(COLOUR.choice)}`;
    case 'Wait':
      return `shape=box, style="rounded,filled,dashed", ${coloured(COLOUR.wait)}`;
    case 'Succeed':
      return `shape=box, style="rounded,filled", peripheries=2, ${coloured(COLOUR.good)}`;
    case 'Fail':
      return `shape=box, style="rounded,filled", peripheries=2, ${coloured(COLOUR.failure)}`;
    default:
      return state satisfies never;
  }
}

function edges(name: string, state: State, { down, loops, asides, detours, failure }: Layout): readonly string[] {
  const looping = loops.flatMap(({ way }) => way);
  const edge = (to: string, label = '') => {
    const text = label === '' ? [] : [`label=" ${label} "`];
    const loop = loops.find(({ way }) => way.includes(name));
    const upwards = loop !== undefined && to !== loop.choice;
    // Drawn upwards: for Graphviz the other way round.
    if (upwards) return `${id(to)} -> ${id(name)} [dir=back, weight=${down.includes(to) ? 1 : 10}]`;
    const straight = down.indexOf(to) === down.indexOf(name) + 1 || (failure.includes(name) && failure.includes(to));
    const attributes = [...text, `weight=${straight ? 20 : 1}`];
    return `${id(name)} -> ${id(to)} [${failure.includes(to) ? red(...attributes) : attributes.join(', ')}]`;
  };
  switch (state.Type) {
    case 'Task':
      // A Catch within the way of a failure leads on as if nothing had happened.
      return [
        edge(state.Next),
        ...(failure.includes(name) ? catchesElsewhere(state) : []).map((to) => edge(to)),
        ...detours.filter(({ from }) => from === name).map(({ errors, way }) => edge(way[0] ?? '', errors)),
      ];
    case 'Wait':
      return [edge(state.Next)];
    case 'Choice':
      // From left to right, as the states that they lead to stand below.
      return [looping, asides, down]
        .flatMap((names) => state.Choices.filter(({ Next }) => names.includes(Next)))
        .map((rule) =>
          edge(rule.Next, 'StringEquals' in rule ? rule.StringEquals : `with ${rule.Variable.split('.').at(-1)}`),
        )
        .concat(edge(state.Default, 'StringEquals' in (state.Choices[0] ?? {}) ? 'anything else' : 'without'));
    case 'Succeed':
    case 'Fail':
      return [];
    default:
      return state satisfies never;
  }
}

function catchesElsewhere({ Catch = [], Next }: TaskState): readonly string[] {
  return Catch.flatMap((catcher) => (catcher.Next === Next ? [] : [catcher.Next]));
}

function red(...attributes: readonly string[]): string {
  const { line } = COLOUR.failure;
  return [...attributes, `color="${line}"`, `fontcolor="${line}"`].join(', ');
}

function id(name: string | undefined): string {
  return JSON.stringify(name ?? '');
}

/** Escaped for a label, and broken between words into as few lines as fit, of like length. */
function broken(text: string, widest: number): readonly string[] {
  const fewest = wrapped(text, widest).length;
  let width = Math.ceil(text.length / fewest);
  while (wrapped(text, width).length > fewest) width++;
  return wrapped(text, width).map(escapeXml);
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
