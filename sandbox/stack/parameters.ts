import { type Template, TemplateError } from './template.ts';

type Parameter = Template['Parameters'][string];

/**
 * The values of a template's parameters: those that are given, else the defaults. A parameter without either is left
 * out; it matters only to who refers to it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
 * @throws TemplateError if a value is not what the template allows
 */
export function parameterValues(
  parameters: Template['Parameters'],
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, string | readonly string[]> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name))
      throw new TemplateError('Parameters', `the template has no parameter ${name}`);
  }
  const values = new Map<string, string | readonly string[]>();
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = given[name] ?? parameter.Default;
    if (value === undefined) continue;
    const parts = isList(parameter)
      ? String(value)
          .split(',')
          .map((part) => part.trim())
      : [String(value)];
    for (const part of parts) {
      const wrong = problemOf(parameter, part);
      if (wrong !== undefined) throw new TemplateError(`Parameters.${name}`, `${JSON.stringify(part)}: ${wrong}`);
    }
    values.set(name, isList(parameter) ? parts : String(value));
  }
  return values;
}

function isList({ Type }: Parameter): boolean {
  return Type === 'CommaDelimitedList' || Type === 'List<Number>';
}

function problemOf(parameter: Parameter, value: string): string | undefined {
  const { Type, AllowedValues, AllowedPattern, ConstraintDescription, MinLength, MaxLength, MinValue, MaxValue } =
    parameter;
  const number = Number(value);
  if ((Type === 'Number' || Type === 'List<Number>') && (value.trim() === '' || !Number.isFinite(number))) {
    return 'must be a number';
  }
  if (AllowedValues?.map(String).includes(value) === false) return `must be one of ${AllowedValues.join(', ')}`;
  if (AllowedPattern !== undefined && !new RegExp(`^(?:${AllowedPattern})$`).test(value)) {
    return ConstraintDescription ?? `must match ${AllowedPattern}`;
  }
  if (value.length < (MinLength ?? 0) || value.length > (MaxLength ?? Infinity)) {
    return `must have from ${MinLength ?? 0} to ${MaxLength ?? 'any number of'} characters`;
  }
  if (number < (MinValue ?? -Infinity) || number > (MaxValue ?? Infinity)) {
    return `must be from ${MinValue ?? '-∞'} to ${MaxValue ?? '∞'}`;
  }
  return undefined;
}
