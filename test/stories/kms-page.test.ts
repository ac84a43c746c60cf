import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type PolicyDocument, parsePolicy } from '../../sandbox/iam/policy-document.ts';
import type { Principal, Role } from '../../sandbox/iam/types.ts';
import type { KmsKey } from '../../sandbox/kms/key.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { KEY_ACTIONS } from '../support/key-actions.ts';
import { packagedService } from '../support/packaged.ts';

/** The account of every sandbox, where docs/kms.md has 444455556666. */
const HOME = '000000000000';
const OWNER = '111122223333';
const THIRD = '222233334444';
const INSTALL = 'ebs-snapshot-copier-prod';
const SOURCE_REGION = 'eu-west-1';
/** The key that the rules of the page name by its id, in eu-north-1. */
const NAMED = '1234abcd-12ab-34cd-56ef-1234567890ab';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(repository, 'docs/kms.md'), 'utf8').replaceAll('444455556666', HOME);

/** The first block of a language below a heading. */
function blockUnder(heading: string, language: string): string {
  const [, below] = page.split(`\n## ${heading}\n`);
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(below ?? '')?.[1];
  if (found === undefined) throw new Error(`docs/kms.md has no ${language} below ${heading}`);
  return found;
}

const statementSchema = z.looseObject({
  Sid: z.string(),
  Action: z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat()),
});
type Statement = z.output<typeof statementSchema>;

const OWN_ACCOUNT = statementSchema.parse(JSON.parse(blockUnder("A key of the service's own account", 'json')));
const THREE = z.array(statementSchema).parse(JSON.parse(blockUnder("The source's key in another account", 'json')));

/** How the page says that each of them shows when it is missing, on the source's key and on the copy's. */
const SYMPTOMS = new Map(
  [...page.matchAll(/^\| `(kms:\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, action = '', source = '', copy = '']) => [action, { source: quoted(source), copy: quoted(copy) }],
  ),
);

/** `later: …` or `at once: <code>`, as `outcomeOf` says it. */
function quoted(cell: string): string {
  const [, when = '', words = ''] = /^(later|at once): `([^`]+)`/.exec(cell) ?? [];
  return `${when}: ${words}`;
}

/** Every statement on its own, and each of its actions, left out. */
function lacking(statements: readonly Statement[]): readonly { readonly action: string; readonly rest: Statement[] }[] {
  return statements.flatMap(({ Action }, index) =>
    Action.map((action) => ({
      action,
      rest: statements.flatMap((each, at) => {
        const actions = at === index ? each.Action.filter((one) => one !== action) : each.Action;
        return actions.length === 0 ? [] : [{ ...each, Action: actions }];
      }),
    })),
  );
}

function policyOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

const ownerOf = (account: string) => ({
  Sid: 'Owner',
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: 'kms:*',
  Resource: '*',
});

let sandbox: Sandbox;
let role: Role;

beforeAll(async () => {
  const rulesFile = join(repository, '.sandbox/test/kms-page-rules.yml');
  mkdirSync(dirname(rulesFile), { recursive: true });
  writeFileSync(rulesFile, blockUnder('What to do in which case', 'yaml'));
  const { dir } = await packagedService('prod', rulesFile);
  sandbox = await startSandbox({
    packageDir: dir,
    time: { mode: 'jumping' },
    schedules: 'off',
    ec2: { slotsPerRegion: 1000, copyTakesSeconds: () => 60 },
  });
  const name = sandbox.physicalIds.get('StartCopyRole') ?? '';
  const found = sandbox.iam.role(`arn:aws:iam::${HOME}:role/snapshot-copier/${INSTALL}/${name}`);
  if (found === undefined) throw new Error(`There is no role ${name} in the path of the install`);
  role = found;
  key(HOME, 'eu-north-1', undefined, NAMED);
}, 120_000);
afterAll(() => sandbox.stop());

/** What a copy is asked for with. */
interface Copy {
  readonly source: string;
  readonly region: string;
  /** None: the default EBS key. */
  readonly key?: string;
  readonly by?: Principal;
}

function ec2(
  account: string,
  region: string,
  action: string,
  params: Readonly<Record<string, string>>,
  by?: Principal,
) {
  return sandbox.ec2.call({
    account,
    region,
    ...(by !== undefined && { principal: by }),
    params: new URLSearchParams({ Action: action, Version: '2016-11-15', ...params }),
  });
}

const idAnswer = z.object({
  body: z.looseObject({ volumeId: z.string().optional(), snapshotId: z.string().optional() }),
});

/** Complete snapshots of an account, one for each key (none: plain), shared with the account of the service. */
async function snapshots(account: string, keys: readonly (KmsKey | undefined)[]): Promise<readonly string[]> {
  const ids = keys.map((key) => {
    const encryption = key === undefined ? {} : { Encrypted: 'true', KmsKeyId: key.arn };
    const made = ec2(account, SOURCE_REGION, 'CreateVolume', {
      AvailabilityZone: `${SOURCE_REGION}a`,
      Size: '1',
      ...encryption,
    });
    const VolumeId = idAnswer.parse(made).body.volumeId ?? '';
    return idAnswer.parse(ec2(account, SOURCE_REGION, 'CreateSnapshot', { VolumeId })).body.snapshotId ?? '';
  });
  await sandbox.advance(60_000);
  if (account !== HOME) {
    for (const SnapshotId of ids) {
      const add = { SnapshotId, 'CreateVolumePermission.Add.1.UserId': HOME };
      ec2(account, SOURCE_REGION, 'ModifySnapshotAttribute', add);
    }
  }
  return ids;
}

/** How copies end that begin at the same time: `complete`, or as the page says that it shows. */
async function outcomes(copies: readonly Copy[]): Promise<readonly string[]> {
  const begun = copies.map(({ source, region, key, by = sessionOf(role) }) => {
    const encryption = key === undefined ? {} : { KmsKeyId: key };
    const params = {
      SourceRegion: SOURCE_REGION,
      SourceSnapshotId: source,
      Encrypted: 'true',
      'TagSpecification.1.ResourceType': 'snapshot',
      'TagSpecification.1.Tag.1.Key': 'snapshot-copier:managed',
      'TagSpecification.1.Tag.1.Value': INSTALL,
      ...encryption,
    };
    return ec2(HOME, region, 'CopySnapshot', params, by);
  });
  await sandbox.advance(120_000);
  return begun.map((answer) => {
    if ('error' in answer) return `at once: ${answer.error.code}`;
    const id = idAnswer.parse(answer).body.snapshotId;
    const copy = sandbox.ec2.snapshots({ account: HOME }).find(({ snapshotId }) => snapshotId === id);
    return copy?.state === 'completed' ? 'complete' : `later: ${copy?.stateMessage}`;
  });
}

function sessionOf({ arn, account, name }: Pick<Role, 'arn' | 'account' | 'name'>): Principal {
  return { account, arn: `arn:aws:sts::${account}:assumed-role/${name}/test`, roleArn: arn };
}

function key(account: string, region: string, policy?: string, keyId?: string): KmsKey {
  return sandbox.keys.create({
    account,
    region,
    ...(policy !== undefined && { policy }),
    ...(keyId !== undefined && { keyId }),
  });
}

/** The packaged role without some of what it may do, as another role of the install. */
function roleWithout(
  name: string,
  change: (statement: PolicyDocument['Statement'][number]) => readonly string[],
): Principal {
  const arn = `arn:aws:iam::${HOME}:role/snapshot-copier/${INSTALL}/${name}`;
  const policies = role.policies.map((policy) => {
    const Statement = policy.Statement.flatMap((each) => {
      const Action = change(each);
      return Action.length === 0 ? [] : [{ ...each, Action }];
    });
    return parsePolicy('identity', { Version: policy.Version, Statement }, name);
  });
  sandbox.iam.addRole({ ...role, arn, policies });
  return sessionOf({ arn, account: HOME, name });
}

describe('docs/kms.md', { timeout: 60_000 }, () => {
  it('says of every permission how it shows when it is missing', () => {
    expect([...SYMPTOMS.keys()]).toEqual(KEY_ACTIONS);
    expect([...new Set([OWN_ACCOUNT, ...THREE].flatMap(({ Action }) => Action))].toSorted()).toEqual(
      ['kms:*', ...KEY_ACTIONS].toSorted(),
    );
  });

  it('has the one statement for a key of the service’s own account, without which nothing works', async () => {
    const open = key(HOME, SOURCE_REGION, policyOf(OWN_ACCOUNT));
    const admin = { ...ownerOf(HOME), Principal: { AWS: `arn:aws:iam::${HOME}:role/admin` } };
    const closed = key(HOME, SOURCE_REGION, policyOf(admin));
    const copies = [open, closed].map((each, index) => {
      const { keyId } = key(HOME, 'eu-central-1', each.policy);
      return { keyId, alias: index === 0 ? 'alias/dr-copies' : 'alias/other' };
    });
    const aliased = sandbox.keys.find({ account: HOME, region: 'eu-central-1' }, copies[0]?.keyId ?? '');
    if (aliased !== undefined) sandbox.keys.createAlias('alias/dr-copies', aliased);
    const [fromOpen = '', fromClosed = '', plain = ''] = await snapshots(HOME, [open, closed, undefined]);
    expect(
      await outcomes([
        { source: fromOpen, region: 'eu-central-1', key: 'alias/dr-copies' },
        { source: fromClosed, region: 'eu-central-1', key: 'alias/dr-copies' },
        // A key without the alias that the rules name: the role's own policy has no use for it.
        { source: plain, region: 'eu-central-1', key: copies[1]?.keyId ?? '' },
      ]),
    ).toEqual(['complete', 'later: Given key ID is not accessible', 'at once: AuthFailure']);
  });

  it('has statements for the source’s key in another account, each action of which is needed', async () => {
    const variants = [{ action: 'none', rest: THREE }, ...lacking(THREE)];
    const keys = variants.map(({ rest }) => key(OWNER, SOURCE_REGION, policyOf(ownerOf(OWNER), ...rest)));
    const sources = await snapshots(OWNER, keys);
    const ended = await outcomes(sources.map((source) => ({ source, region: 'us-west-2' })));
    expect(variants.map(({ action }, index) => [action, ended[index]])).toEqual([
      ['none', 'complete'],
      ...lacking(THREE).map(({ action }) => [action, SYMPTOMS.get(action)?.source]),
    ]);
    expect(lacking(THREE)).toHaveLength(KEY_ACTIONS.length);
  });

  it('has the same statements for the copy’s key in another account, each action of which is needed', async () => {
    const keyId = '3456cdef-34cd-56ef-7801-34567890abcd';
    const vault = key(THIRD, 'us-east-1', undefined, keyId);
    const byAlias = key(THIRD, 'us-east-2', policyOf(ownerOf(THIRD), ...THREE));
    sandbox.keys.createAlias('alias/vault', byAlias);
    const [plain = ''] = await snapshots(HOME, [undefined]);
    const toVault = { source: plain, region: 'us-east-1', key: vault.arn };
    const ended: [string, string | undefined][] = [];
    for (const { action, rest } of lacking(THREE)) {
      sandbox.keys.putPolicy(vault, policyOf(ownerOf(THIRD), ...rest));
      ended.push([action, (await outcomes([toVault]))[0]]);
    }
    expect(ended).toEqual(lacking(THREE).map(({ action }) => [action, SYMPTOMS.get(action)?.copy]));
    sandbox.keys.putPolicy(vault, policyOf(ownerOf(THIRD), ...THREE));
    const toAlias = { source: plain, region: 'us-east-2', key: `arn:aws:kms:us-east-2:${THIRD}:alias/vault` };
    expect(await outcomes([toVault, toAlias])).toEqual(['complete', 'complete']);
    const narrower = /"StringEquals": \{ "kms:ViaService": "[^"]+" \}/.exec(page)?.[0] ?? '';
    const narrowed = JSON.parse(
      JSON.stringify(THREE).replace('"StringLike":{"kms:ViaService":"ec2.*.amazonaws.com"}', narrower),
    );
    expect(JSON.stringify(narrowed)).toContain('"kms:ViaService":"ec2.us-east-1.amazonaws.com"');
    sandbox.keys.putPolicy(vault, policyOf(ownerOf(THIRD), ...narrowed));
    expect(await outcomes([toVault])).toEqual(['complete']);
  });

  it('names keys in every form that its rules have, and the role may use them all', async () => {
    const byArn = key(HOME, 'eu-west-3', undefined, '2345bcde-23bc-45de-67f0-234567890abc');
    const [plain = ''] = await snapshots(HOME, [undefined]);
    const toDefault = { source: plain, region: 'us-west-2' };
    expect(
      await outcomes([
        { source: plain, region: 'eu-north-1', key: NAMED },
        { source: plain, region: 'eu-west-3', key: byArn.arn },
        { source: plain, region: 'eu-west-3', key: key(HOME, 'eu-west-3').arn },
        toDefault,
      ]),
    ).toEqual(['complete', 'complete', 'at once: AuthFailure', 'complete']);
    const own = key(HOME, 'us-west-2', policyOf(OWN_ACCOUNT));
    ec2(HOME, 'us-west-2', 'ModifyEbsDefaultKmsKeyId', { KmsKeyId: own.arn });
    expect(await outcomes([toDefault])).toEqual(['complete']);
    sandbox.keys.putPolicy(own, policyOf({ ...OWN_ACCOUNT, Principal: { AWS: `arn:aws:iam::${HOME}:role/admin` } }));
    expect(await outcomes([toDefault])).toEqual(['at once: AuthFailure']);
    ec2(HOME, 'us-west-2', 'ResetEbsDefaultKmsKeyId', {});
  });

  it('needs both halves: each action of the role’s own policy, for each key', async () => {
    const sourceKey = key(OWNER, SOURCE_REGION, policyOf(ownerOf(OWNER), ...THREE));
    const [source = ''] = await snapshots(OWNER, [sourceKey]);
    const without = (action: string, sids: RegExp): Copy => ({
      source,
      region: 'eu-north-1',
      key: NAMED,
      by: roleWithout(`${action.replace(':', '-')}-${sids.source}`, ({ Sid = '', Action = [] }) =>
        sids.test(Sid) ? Action.filter((each) => each !== action) : Action,
      ),
    });
    expect(await outcomes(KEY_ACTIONS.map((action) => without(action, /SourceKeys/)))).toEqual(
      KEY_ACTIONS.map((action) => SYMPTOMS.get(action)?.source),
    );
    expect(await outcomes(KEY_ACTIONS.map((action) => without(action, /NamedKeys/)))).toEqual(
      KEY_ACTIONS.map((action) => SYMPTOMS.get(action)?.copy),
    );
    expect(await outcomes([without('kms:Encrypt', /Keys/)])).toEqual(['complete']);
  });

  it('lets in the roles of the install alone, and its account to look', () => {
    const sourceKey = key(OWNER, SOURCE_REGION, policyOf(ownerOf(OWNER), ...THREE));
    const arn = `arn:aws:iam::${HOME}:role/snapshot-copier/ebs-snapshot-copier-dev/other`;
    sandbox.iam.addRole({ ...role, arn });
    const caller = {
      account: HOME,
      region: SOURCE_REGION,
      principal: sessionOf({ arn, account: HOME, name: 'other' }),
    };
    expect(sandbox.keys.usableByEc2(caller, sourceKey.arn, 'vol-1')).toEqual({ problem: 'no-access' });
    const people = { account: HOME, region: SOURCE_REGION };
    expect(
      KEY_ACTIONS.filter((action) => sandbox.keys.may(people, sourceKey, { operation: action.slice(4) }).allowed),
    ).toEqual(['kms:DescribeKey']);
  });

  it('has the command for a grant that does the same as the statements', async () => {
    const operations = /--operations ([\w ]+)\n/
      .exec(blockUnder('Grants instead of a policy', 'bash'))?.[1]
      ?.split(' ');
    const sourceKey = key(OWNER, SOURCE_REGION, policyOf(ownerOf(OWNER)));
    const [source = ''] = await snapshots(OWNER, [sourceKey]);
    const copy = { source, region: 'eu-north-1', key: NAMED };
    expect(await outcomes([copy])).toEqual(['later: Given key ID is not accessible']);
    sandbox.keys.createGrant(sourceKey, {
      name: undefined,
      granteePrincipal: role.arn,
      retiringPrincipal: undefined,
      operations: operations ?? [],
      constraints: undefined,
      issuer: OWNER,
    });
    expect(await outcomes([copy])).toEqual(['complete']);
  });
});
