import { INPUT, OUTPUT, type ParamValue, type Shape } from './model.ts';

/** What `--cli-input-json` takes, with nothing filled in. */
export function inputSkeleton(): ParamValue {
  return sampleOf(INPUT, () => '');
}

/** What the command answers, with names for values. */
export function outputSkeleton(): ParamValue {
  return sampleOf(OUTPUT, (name) => name);
}

function sampleOf(shape: Shape, textFor: (name: string) => string, name = ''): ParamValue {
  switch (shape.type) {
    case 'string':
      return shape.sample ?? textFor(name);
    case 'boolean':
      return true;
    case 'integer':
      return 0;
    case 'list':
      return [sampleOf(shape.member, textFor, name)];
    case 'structure':
      return Object.fromEntries(
        Object.entries(shape.members).map(([key, member]) => [key, sampleOf(member, textFor, key)]),
      );
  }
}
