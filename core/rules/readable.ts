import * as z from 'zod/mini';
import { catch as otherwise } from 'zod/mini';
import * as schema from './schema.ts';

/**
 * The fields that cross-checks compare, from a document that may be wrong anywhere: undefined if a field is not given,
 * null if it is wrong by itself.
 */
const field = <T>(right: z.ZodMiniType<T>) => otherwise(z.nullable(z.optional(right)), null);

const destination = otherwise(
  z.object({
    region: field(schema.region),
    outpost: field(schema.outpost),
    localZone: field(schema.localZone),
    encryption: field(z.object({ kmsKey: schema.kmsKey })),
    completionDuration: field(schema.completionDuration),
    deadline: field(schema.deadline),
    tags: otherwise(z.object({ copy: field(schema.tagsToCopy), add: field(schema.tagsToAdd) }), {}),
  }),
  { tags: {} },
);

const rule = otherwise(
  z.object({
    name: field(schema.ruleName),
    select: otherwise(z.object({ regions: otherwise(z.array(field(schema.region)), []) }), { regions: [] }),
    destinations: otherwise(z.array(destination), []),
    reencrypt: field(z.boolean()),
  }),
  { select: { regions: [] }, destinations: [] },
);

const file = otherwise(z.object({ sourceAccounts: z.optional(z.unknown()), rules: otherwise(z.array(rule), []) }), {
  rules: [],
});

export type ReadableRule = z.infer<typeof rule>;
export type ReadableDestination = z.infer<typeof destination>;

export function readWhatIsRight(document: unknown): {
  readonly rules: readonly ReadableRule[];
  /** Right or wrong. */
  readonly hasSourceAccounts: boolean;
} {
  const { rules, sourceAccounts } = file.parse(document);
  return { rules, hasSourceAccounts: sourceAccounts !== undefined };
}

/** Given, and right by itself. */
export function isRight<T>(value: T | undefined | null): value is T {
  return value !== undefined && value !== null;
}
