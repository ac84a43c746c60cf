import * as z from 'zod';
import type { StatementRef, UsedRole } from '../../sandbox/iam/usage.ts';

/** What is deployed from: the packaged template, and the two companions. */
export const TEMPLATES = ['service', 'source-account', 'destination-region'] as const;
type TemplateName = (typeof TEMPLATES)[number];

/** Of each template, as CloudFormation takes it in JSON. */
export type Templates = Readonly<Record<TemplateName, unknown>>;

/** One statement that a template has: of a role, of who may take it, or of a resource's own policy. */
export interface DeployedStatement {
  /** `StartCopyRole/TagNewCopies`; of a companion, its name goes before it. */
  readonly name: string;
  readonly template: TemplateName;
  readonly of: 'identity' | 'trust' | 'resource';
  readonly logicalId: string;
  readonly sid: string | undefined;
  readonly actions: readonly string[];
  /** Of keys and indexes, to what has to be taken out of the template to be without it. */
  readonly path: readonly (string | number)[];
}

const oneOrMore = z.union([z.array(z.string()), z.string().transform((one) => [one])]);
const statement = z.looseObject({ Sid: z.string().optional(), Effect: z.string(), Action: oneOrMore });
const statements = z.looseObject({ Statement: z.array(statement) });
const documentOf = z.looseObject({ PolicyDocument: statements });
const choice = z.strictObject({ 'Fn::If': z.tuple([z.string(), documentOf, z.unknown()]) });
const resources = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
});
const role = z.looseObject({
  AssumeRolePolicyDocument: statements,
  Policies: z.array(z.union([choice, documentOf])),
});
const busPolicy = z.looseObject({ Statement: statement, StatementId: z.string() });
const keyPolicy = z.looseObject({ KeyPolicy: statements });
const permission = z.looseObject({ Action: z.string() });

type Path = DeployedStatement['path'];
type Found = Pick<DeployedStatement, 'of' | 'sid' | 'actions' | 'path'>;

/** All statements that allow something, in the order of the templates. */
export function statementsIn(templates: Templates): readonly DeployedStatement[] {
  return TEMPLATES.flatMap((template) =>
    Object.entries(resources.parse(templates[template]).Resources).flatMap(([logicalId, { Type, Properties }]) =>
      statementsOf(Type, Properties, ['Resources', logicalId]).map((found) => ({
        ...found,
        name: nameOf(template, logicalId, found),
        template,
        logicalId,
      })),
    ),
  );
}

function nameOf(template: TemplateName, logicalId: string, { of, sid }: Found): string {
  const inTemplate = sid === logicalId ? logicalId : `${logicalId}/${sid ?? of}`;
  return template === 'service' ? inTemplate : `${template}: ${inTemplate}`;
}

function statementsOf(type: string, properties: unknown, path: Path): readonly Found[] {
  switch (type) {
    case 'AWS::IAM::Role': {
      const { AssumeRolePolicyDocument, Policies } = role.parse(properties);
      return [
        ...allowed('trust', AssumeRolePolicyDocument, [...path, 'Properties', 'AssumeRolePolicyDocument']),
        ...Policies.flatMap((policy, index) => {
          const at = [...path, 'Properties', 'Policies', index];
          const parsed = choice.safeParse(policy);
          return parsed.success
            ? allowed('identity', parsed.data['Fn::If'][1].PolicyDocument, [...at, 'Fn::If', 1, 'PolicyDocument'])
            : allowed('identity', documentOf.parse(policy).PolicyDocument, [...at, 'PolicyDocument']);
        }),
      ];
    }
    case 'AWS::SQS::QueuePolicy':
    case 'AWS::SNS::TopicPolicy':
    case 'AWS::S3::BucketPolicy':
      return allowed('resource', documentOf.parse(properties).PolicyDocument, [
        ...path,
        'Properties',
        'PolicyDocument',
      ]);
    case 'AWS::KMS::Key':
      return allowed('resource', keyPolicy.parse(properties).KeyPolicy, [...path, 'Properties', 'KeyPolicy']);
    case 'AWS::Events::EventBusPolicy': {
      const { StatementId, Statement } = busPolicy.parse(properties);
      return [{ of: 'resource', sid: StatementId, actions: Statement.Action, path }];
    }
    case 'AWS::Lambda::Permission':
      return [{ of: 'resource', sid: path.at(-1)?.toString(), actions: [permission.parse(properties).Action], path }];
    default:
      return [];
  }
}

function allowed(of: Found['of'], { Statement }: z.infer<typeof statements>, path: Path): readonly Found[] {
  return Statement.flatMap(({ Sid, Effect, Action }, index) =>
    Effect === 'Allow' ? [{ of, sid: Sid, actions: Action, path: [...path, 'Statement', index] }] : [],
  );
}

/**
 * Which of them a reference is to; undefined if it is to a policy that is in no template: of a key, or of a role, that
 * somebody else has made.
 * @param stacks names of the stacks of the companions are those of their templates
 */
export function statementOf(
  ref: StatementRef,
  roles: ReadonlyMap<string, Pick<UsedRole, 'stack' | 'logicalId'>>,
  all: readonly DeployedStatement[],
): DeployedStatement | undefined {
  if (ref.of === 'resource') return all.find(({ of, sid }) => of === 'resource' && sid === ref.sid);
  const of = roles.get(ref.owner);
  const template = TEMPLATES.find((name) => name === of?.stack) ?? 'service';
  return all.find(
    (each) =>
      each.of === ref.of && each.template === template && each.logicalId === of?.logicalId && each.sid === ref.sid,
  );
}

const container = z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]);

/** The template without what is at the end of the path. @throws Error if there is nothing */
export function without(template: unknown, path: Path): unknown {
  const copy: unknown = structuredClone(template);
  const parent = path.slice(0, -1).reduce(step, copy);
  const last = path.at(-1) ?? '';
  step(parent, last);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, last);
  return copy;
}

function step(of: unknown, key: string | number): unknown {
  const place = container.parse(of);
  const found = Array.isArray(place) ? place[Number(key)] : place[key];
  if (found === undefined) throw new Error(`There is no ${key}`);
  return found;
}
