import type { StatementText } from '../../sandbox/iam/policy-document.ts';

/** Something that can be taken out of a statement. */
export interface Cut {
  /** For people: the action, resource or condition value that goes. Empty: the whole statement goes. */
  readonly what: string;
  readonly apply: (statement: StatementText) => StatementText | undefined;
}

export const WHOLE: Cut = { what: '', apply: () => undefined };

/**
 * Everything that can be taken out of a statement so that it allows less: it as a whole, and where there are several, each
 * action, resource and value of a condition. Those that differ only by a Region or account are taken out together.
 */
export function cutsOf({ Action = [], Resource = [], Condition = {} }: StatementText): readonly Cut[] {
  return [
    WHOLE,
    ...parts(Action).map(([what, left]): Cut => ({ what, apply: (of) => ({ ...of, Action: left }) })),
    ...parts(Resource).map(([what, left]): Cut => ({ what, apply: (of) => ({ ...of, Resource: left }) })),
    ...Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).flatMap(([key, values]) =>
        parts(values).map(
          ([what, left]): Cut => ({
            what: `${key} ${what}`,
            apply: (of) => ({
              ...of,
              Condition: { ...of.Condition, [operator]: { ...of.Condition?.[operator], [key]: left } },
            }),
          }),
        ),
      ),
    ),
  ];
}

/** Of each kind of value there is, in words, and all the others. Nothing if all are of a kind. */
function parts(values: readonly string[]): readonly (readonly [what: string, left: string[]])[] {
  const kinds = Object.groupBy(values, kindOf);
  if (Object.keys(kinds).length < 2) return [];
  return Object.keys(kinds).map((kind) => [kind, values.filter((value) => kindOf(value) !== kind)]);
}

function kindOf(value: string): string {
  return value
    .replaceAll(/\b[a-z]{2}-[a-z]+-\d\b/g, '<Region>')
    .replaceAll(/\b\d{12}\b/g, '<account>')
    .replaceAll(/-[0-9A-F]{12}\b/g, '');
}
