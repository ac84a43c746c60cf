import type { BusEvent } from './event.ts';

/** Makes what a target gets out of an event. */
export type Transform = (event: BusEvent) => string;

/**
 * A rule's InputTransformer, in its plain forms: paths of field names (`$.detail.status`), and a template that is a
 * JSON object or one JSON text. Anything else is an error.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 */
export function compileInputTransformer(paths: Readonly<Record<string, string>>, template: string): Transform {
  const read = Object.entries(paths).map(([name, path]) => [name, compilePath(path)] as const);
  const known = new Set(read.map(([name]) => name));
  for (const [, name = ''] of template.matchAll(/<([^<>\s]+)>/g)) {
    if (!known.has(name)) throw new Error(`InputTemplate: the sandbox does not know <${name}>`);
  }
  return (event) => {
    const values = new Map(read.map(([name, valueIn]) => [name, valueIn(event)]));
    return fill(template, values);
  };
}

function compilePath(path: string): (event: BusEvent) => unknown {
  if (!/^\$(\.[\w-]+)*$/.test(path)) throw new Error(`InputPathsMap: the sandbox does not understand ${path}`);
  const names = path.split('.').slice(1);
  return (event) => names.reduce<unknown>((value, name) => fieldOf(value, name), event);
}

/** Within quotes a text is put as it is, escaped; outside of them as JSON. An absent value is left out. */
function fill(template: string, values: ReadonlyMap<string, unknown>): string {
  let quoted = false;
  return template.replaceAll(/\\.|"|<([^<>\s]+)>/g, (part, name: string | undefined) => {
    if (part === '"') quoted = !quoted;
    if (name === undefined) return part;
    const value = values.get(name);
    if (value === undefined) return quoted ? '' : 'null';
    const json = JSON.stringify(value);
    if (!quoted) return json;
    return typeof value === 'string' ? json.slice(1, -1) : JSON.stringify(json).slice(1, -1);
  });
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
