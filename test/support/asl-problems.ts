import { getLanguageService, TextDocument } from 'amazon-states-language-service';
import validate from 'asl-validator';
import * as z from 'zod';

/** What the npm package asl-validator finds wrong with a definition: transitions, paths, unknown fields. */
export function aslValidatorProblems(definition: unknown): readonly string[] {
  const result = validate(deployable(definition));
  return result.isValid ? [] : result.errorsText('\n').split('\n');
}

/** What AWS's own language service (that of its editors) finds wrong: fields of Retry and Catch above all. */
export async function languageServiceProblems(definition: unknown): Promise<readonly string[]> {
  const service = getLanguageService({});
  const text = JSON.stringify(deployable(definition), null, 1);
  const document = TextDocument.create('file:///copy-snapshot.asl.json', 'asl', 1, text);
  const problems = await service.doValidation(document, service.parseJSONDocument(document));
  return problems.map(({ message, range }) => `${JSON.stringify(message)} at ${document.getText(range).slice(0, 60)}`);
}

const intrinsic = z.union([
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ 'Fn::Sub': z.string() }),
]);

/** A copy with ARNs where CloudFormation will put them. */
function deployable(definition: unknown): object {
  const text = JSON.stringify(definition, (_, value: unknown) => {
    const found = intrinsic.safeParse(value).data;
    if (found === undefined) return value;
    if ('Fn::Sub' in found) return found['Fn::Sub'].replaceAll(`$\{AWS::Partition}`, 'aws');
    return 'Ref' in found
      ? `arn:aws:sns:eu-west-1:111122223333:${found.Ref}`
      : `arn:aws:lambda:eu-west-1:111122223333:function:${found['Fn::GetAtt'][0]}`;
  });
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
}
