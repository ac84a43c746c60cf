import * as z from 'zod';

/** The template, or something in it, is not what the sandbox can honour. Names the place. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  constructor(where: string, message: string) {
    super(`${where}: ${message}`);
  }
}

const value = z.union([z.string(), z.number()]);

const parameter = z.strictObject({
  Type: z.enum(['String', 'Number', 'CommaDelimitedList', 'List<Number>']),
  Default: value.optional(),
  AllowedValues: z.array(value).optional(),
  AllowedPattern: z.string().optional(),
  MinLength: z.coerce.number().optional(),
  MaxLength: z.coerce.number().optional(),
  MinValue: z.coerce.number().optional(),
  MaxValue: z.coerce.number().optional(),
  ConstraintDescription: z.string().optional(),
  Description: z.string().optional(),
  NoEcho: z.unknown().optional(),
});

const resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
  // Order follows from the types here; the rest is about updates and deletion, which do not happen.
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Metadata: z.unknown().optional(),
});

const output = z.strictObject({
  Value: z.unknown(),
  Description: z.string().optional(),
  Condition: z.string().optional(),
  Export: z.strictObject({ Name: z.unknown() }).optional(),
});

const template = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z.record(z.string(), parameter).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), output).default({}),
});

export type Template = z.output<typeof template>;
export type Resource = z.output<typeof resource>;

/**
 * Reads a CloudFormation template.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
 * @throws TemplateError for sections and fields that the sandbox does not know
 */
export function parseTemplate(json: unknown): Template {
  const parsed = template.safeParse(json);
  if (!parsed.success) throw new TemplateError('template', z.prettifyError(parsed.error));
  return parsed.data;
}
