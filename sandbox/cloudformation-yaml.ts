import { isAlias, isCollection, isMap, isScalar, isSeq, parseDocument } from 'yaml';

/**
 * Reads a CloudFormation template in YAML; the short forms of intrinsic functions (`!Sub text`) come out in their long
 * ones.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 * @throws Error
 */
export function readCloudFormationYaml(text: string): unknown {
  const document = parseDocument(text);
  const problems = [
    ...document.errors,
    // It knows none of the short forms, and reads on.
    ...document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED'),
  ];
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plain(document.contents);
}

function plain(node: unknown): unknown {
  if (isAlias(node)) throw new Error('CloudFormation knows no YAML aliases');
  const value = untagged(node);
  const tag = isScalar(node) || isCollection(node) ? node.tag : undefined;
  return tag?.startsWith('!') === true ? longForm(tag.slice(1), value) : value;
}

function untagged(node: unknown): unknown {
  if (isMap(node)) return Object.fromEntries(node.items.map(({ key, value }) => [String(plain(key)), plain(value)]));
  if (isSeq(node)) return node.items.map(plain);
  return isScalar(node) ? node.value : null;
}

function longForm(name: string, argument: unknown): Record<string, unknown> {
  if (name === 'Ref' || name === 'Condition') return { [name]: argument };
  if (name !== 'GetAtt' || typeof argument !== 'string') return { [`Fn::${name}`]: argument };
  const dot = argument.indexOf('.');
  return { 'Fn::GetAtt': [argument.slice(0, dot), argument.slice(dot + 1)] };
}
