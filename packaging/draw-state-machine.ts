import { Graphviz } from '@hpcc-js/wasm-graphviz';
import type { FunctionInService } from './service-file.ts';
import { functionOf, type State, type StateMachine } from './state-machine.ts';

const COLOUR = { ink: '#1f2933', muted: '#52606d', good: '#1b7f4b', work: '#2b5fa8', failure: '#c0362c' };
const FILL = { good: '#e6f5ec', work: '#eaf1fb', choice: '#fff6df', wait: '#f1f3f5', failure: '#fdeceb' };
const FONT = 'Helvetica,Arial,sans-serif';
const COMMENT_WIDTH = 34;

/**
 * The state machine as SVG, always the same for the same definition: the way of a good copy straight down, the way of
 * a failed one in red beside it. States are told apart by colour and also by shape, and edges by style.
 */
export async function drawStateMachine(
  machine: StateMachine,
  functions: ReadonlyMap<string, FunctionInService>,
): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(toDot(machine, functions), 'svg', 'dot');
  // Graphviz writes its version and the graph's name into comments, and a pixel size that does not shrink with the page.
  return svg
    .replaceAll(/<!--[\s\S]*?-->\n?/g, '')
    .replace(/<\?xml[^>]*\?>\s*<!DOCTYPE[^>]*>\s*/, '')
    .replace(/(<svg) width="\d+pt" height="\d+pt"/, `$1 role="img" aria-label="${escape(machine.Comment)}"`);
}

function toDot(machine: StateMachine, functions: ReadonlyMap<string, FunctionInService>): string {
  const failing = failurePath(machine);
  const states = Object.entries(machine.States);
  return `digraph {
    graph [bgcolor=white, pad=0.25, nodesep=0.45, ranksep=0.5, fontname="${FONT}"]
    node [fontname="${FONT}", fontcolor="${COLOUR.ink}", penwidth=1.4, margin="0.18,0.1"]
    edge [fontname="${FONT}", fontsize=11, fontcolor="${COLOUR.muted}", color="${COLOUR.muted}", arrowsize=0.8]
    start [shape=circle, style=filled, fillcolor="${COLOUR.ink}", label="", width=0.18]
    start -> ${id(machine.StartAt)} [weight=20]
    ${states.map(([name, state]) => node(name, state, functions, failing)).join('\n    ')}
    ${states.flatMap(([name, state]) => edges(name, state, failing)).join('\n    ')}
  }`;
}

/** Where every Catch leads, and all that follows from there. */
function failurePath({ States }: StateMachine): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (name: string | undefined): void => {
    const state = name === undefined ? undefined : States[name];
    if (name === undefined || state === undefined || found.has(name)) return;
    found.add(name);
    follow('Next' in state ? state.Next : undefined);
  };
  for (const state of Object.values(States)) {
    if (state.Type === 'Task') for (const { Next } of state.Catch ?? []) follow(Next);
  }
  return found;
}

function node(
  name: string,
  state: State,
  functions: ReadonlyMap<string, FunctionInService>,
  failing: ReadonlySet<string>,
): string {
  const file = functions.get(functionOf(state) ?? '')?.file;
  const called = file ?? (state.Type === 'Task' ? 'SNS Publish' : undefined);
  const label = [
    `<b><font point-size="14">${escape(name)}</font></b>`,
    ...(state.Comment === undefined ? [] : [`<font point-size="11">${lines(state.Comment)}</font>`]),
    ...(called === undefined ? [] : [`<font point-size="10" face="Courier" color="${COLOUR.muted}">${called}</font>`]),
  ].join('<br/>');
  const [shape, fill, color] = look(state, failing.has(name));
  return `${id(name)} [label=<${label}>, ${shape}, fillcolor="${fill}", color="${color}", group=${failing.has(name) ? 'failure' : group(state)}]`;
}

function group(state: State): string {
  return state.Type === 'Wait' ? 'waiting' : 'copy';
}

function look(state: State, failing: boolean): readonly [shape: string, fill: string, color: string] {
  const rounded = 'shape=box, style="rounded,filled"';
  switch (state.Type) {
    case 'Task':
      return [rounded, ...(failing ? ([FILL.failure, COLOUR.failure] as const) : ([FILL.work, COLOUR.work] as const))];
    case 'Choice':
      return ['shape=diamond, style=filled, margin="0,0"', FILL.choice, '#b7791f'];
    case 'Wait':
      return ['shape=box, style="rounded,filled,dashed"', FILL.wait, COLOUR.muted];
    case 'Succeed':
      return ['shape=box, style="rounded,filled", peripheries=2', FILL.good, COLOUR.good];
    case 'Fail':
      return ['shape=box, style="rounded,filled", peripheries=2', FILL.failure, COLOUR.failure];
    default:
      return state satisfies never;
  }
}

function edges(name: string, state: State, failing: ReadonlySet<string>): readonly string[] {
  const edge = (to: string, attributes: string) => {
    const red = failing.has(to) ? `, color="${COLOUR.failure}", fontcolor="${COLOUR.failure}"` : '';
    return `${id(name)} -> ${id(to)} [${attributes}${red}]`;
  };
  const caught = (to: string) => edge(to, `style=dashed, label=" caught ", weight=0`);
  switch (state.Type) {
    case 'Task':
      return [edge(state.Next, 'weight=10'), ...(state.Catch ?? []).map(({ Next }) => caught(Next))];
    case 'Choice':
      return [
        ...state.Choices.map(({ StringEquals, Next }) => edge(Next, `label=" ${StringEquals} ", weight=5`)),
        edge(state.Default, 'label=" anything else "'),
      ];
    case 'Wait':
      return [edge(state.Next, 'weight=5')];
    case 'Succeed':
    case 'Fail':
      return [];
    default:
      return state satisfies never;
  }
}

function id(name: string): string {
  return JSON.stringify(name);
}

/** Escaped for a label, and broken between words. */
function lines(text: string): string {
  const broken: string[] = [];
  for (const word of text.split(' ')) {
    const line = broken.at(-1);
    if (line === undefined || line.length + 1 + word.length > COMMENT_WIDTH) broken.push(word);
    else broken[broken.length - 1] = `${line} ${word}`;
  }
  return broken.map(escape).join('<br/>');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
