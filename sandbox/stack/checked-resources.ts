import * as z from 'zod';
import type { Resolver } from './intrinsics.ts';
import { TemplateError } from './template.ts';

/** A resource whose condition holds, with its intrinsics resolved. */
export interface CheckedResource<T> {
  readonly id: string;
  readonly properties: T;
  /** An attribute of it, as Fn::GetAtt gives it. */
  readonly attributeOf: (name: string) => string;
}

/**
 * All resources of a type, in the template's order.
 * @throws TemplateError if one has properties that the schema does not know
 */
export function* checkedResources<S extends z.ZodType>(
  resolver: Resolver,
  type: string,
  schema: S,
): Generator<CheckedResource<z.output<S>>> {
  for (const [id, resource] of resolver.resources((each) => each === type)) {
    const parsed = schema.safeParse(resolver.resolve(resource.Properties, id));
    if (!parsed.success) throw new TemplateError(`${id} (${type})`, z.prettifyError(parsed.error));
    const attributeOf = (name: string): string => resolver.identity(id, id).attributes[name] ?? '';
    yield { id, properties: parsed.data, attributeOf };
  }
}

/** What went wrong when a resource was made, with its place. */
export function failureOf(id: string, type: string, error: unknown): TemplateError {
  if (error instanceof TemplateError) return error;
  if (error instanceof z.ZodError) return new TemplateError(`${id} (${type})`, z.prettifyError(error));
  return new TemplateError(`${id} (${type})`, error instanceof Error ? error.message : String(error));
}
