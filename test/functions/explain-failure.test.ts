import '../support/function-modules.ts';
import { expect, it } from 'vitest';
import type { KeyApi } from '../../aws/kms-keys.ts';
import { ServiceTroubleError } from '../../core/errors.ts';
import { parseRules } from '../../core/rules.ts';
import { explainFailure } from '../../functions/explain-failure.ts';
import { request } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';

watchMetrics();

const HOME = '444455556666';
const OWNER = '111122223333';
const install = {
  name: 'copier',
  account: HOME,
  region: 'eu-west-1',
  roleArn: `arn:aws:iam::${HOME}:role/snapshot-copier/copier/StartCopy`,
};
const rules = parseRules({
  rules: [{ name: 'nightly', select: { owners: ['self', OWNER] }, destinations: [{ region: 'eu-central-1' }] }],
});
const ofSource = `arn:aws:kms:eu-west-1:${OWNER}:key/1`;
const ofCopy = `arn:aws:kms:eu-central-1:${HOME}:key/2`;

/** KMS with keys that let everybody in whom `principals` names, and what it was asked. */
class FakeKms implements KeyApi {
  readonly asked: string[] = [];
  readonly #principals: readonly string[];

  constructor(...principals: readonly string[]) {
    this.#principals = principals;
  }

  async describe(region: string, name: string) {
    this.asked.push(`describe ${name} in ${region}`);
    const arn = name.startsWith('alias/') ? ofCopy : name;
    const kind = {
      manager: 'CUSTOMER',
      state: 'Enabled',
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
    } as const;
    return { keyId: arn.replace(/^.*\//, ''), arn, account: arn.split(':')[4] ?? '', ...kind };
  }

  async policy(region: string, keyId: string): Promise<string> {
    this.asked.push(`policy of ${keyId} in ${region}`);
    const Principal = { AWS: this.#principals };
    return JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }] });
  }

  async grants(region: string, keyId: string) {
    this.asked.push(`grants of ${keyId} in ${region}`);
    return [];
  }
}

const root = (account: string) => `arn:aws:iam::${account}:root`;

interface Options {
  readonly home?: KeyApi;
  readonly companion?: KeyApi;
  readonly accounts?: readonly string[];
  readonly stateMessage?: string;
  readonly deployed?: () => never;
}

/** The alert for a copy that EC2 accepted, of a source of another account. */
async function explain({ home = new FakeKms(root(HOME)), companion, accounts = [OWNER], ...more }: Options) {
  const { stateMessage = 'Given key ID is not accessible', deployed } = more;
  const run = explainFailure(
    {
      keys: home,
      keysOf: (account) => {
        if (companion === undefined || account !== OWNER) throw new Error(`nobody looks into ${account}`);
        return companion;
      },
      deployed: deployed ?? (() => ({ rules, sourceAccounts: { accounts } })),
      lookForMs: 20,
    },
    install,
  );
  const failure = { name: 'CopyEndedInError', message: stateMessage };
  const copy = { copyId: 'snap-0c', progressPercent: 0, adopted: false, action: 'giveUp', waitSeconds: 0, reason: 'x' };
  const asked = request({
    source: { ownerId: OWNER, encrypted: true, kmsKeyId: ofSource, companion: { reencrypt: false } },
    destination: { region: 'eu-central-1', encryption: { kind: 'key', kmsKey: 'alias/dr-copies' } },
  });
  const execution = { arn: 'arn:e', name: 'e', startTime: '2026-03-02T04:30:00Z', stateMachineArn: 's' };
  const alert = await run({ execution, data: { ...asked, copy: { ...copy, failure } } });
  return /WHAT IT MEANS\n([\s\S]+?)\n\n/.exec(alert.message)?.[1]?.replaceAll(/\s+/g, ' ').trim();
}

it('looks at keys of its account by itself, and at those of a source account as its companion', async () => {
  const home = new FakeKms(root(HOME));
  const companion = new FakeKms(root(OWNER));
  expect(await explain({ home, companion })).toMatch(
    new RegExp(
      `^The policy of the key of the source, ${ofSource}, in account ${OWNER}, eu-west-1, does not let the role`,
    ),
  );
  expect(home.asked).toEqual([
    'describe alias/dr-copies in eu-central-1',
    `policy of ${ofCopy} in eu-central-1`,
    `grants of ${ofCopy} in eu-central-1`,
  ]);
  expect(companion.asked).toEqual([
    `describe ${ofSource} in eu-west-1`,
    `policy of ${ofSource} in eu-west-1`,
    `grants of ${ofSource} in eu-west-1`,
  ]);
});

it('asks of a key of an account without the companion only whether KMS shows it', async () => {
  const home = new FakeKms(root(HOME));
  expect(await explain({ home, accounts: [] })).toContain(`only account ${OWNER} can read its policy`);
  expect(home.asked.filter((each) => each.includes(ofSource))).toEqual([`describe ${ofSource} in eu-west-1`]);
});

it('looks at no key if the copy failed for another reason', async () => {
  const home = new FakeKms(root(HOME));
  expect(await explain({ home, stateMessage: 'Internal trouble' })).toContain('Neither a key nor the source');
  expect(home.asked).toEqual([]);
});

it('writes the alert with all that it can be, if KMS or the companion is in trouble', async () => {
  const inTrouble = new FakeKms();
  const refuse = () => Promise.reject(new ServiceTroubleError('KMS, or the way to it, is in trouble.'));
  Object.assign(inTrouble, { describe: refuse, policy: refuse, grants: refuse });
  const meaning = await explain({ companion: inTrouble });
  expect(meaning).toContain('could not be looked at: KMS, or the way to it, is in trouble.');
  expect(meaning).toContain('So it is one of these: ');
});

it('does not wait for a KMS that does not answer', async () => {
  const silent = new FakeKms();
  silent.describe = () => new Promise(() => undefined);
  const meaning = await explain({ companion: silent });
  expect(meaning).toContain('could not be looked at: KMS took longer than 20 ms.');
});

it('writes it whatever else is wrong, for example that the rules are not there', async () => {
  const deployed = () => {
    throw new Error('no rules here');
  };
  const meaning = await explain({ companion: new FakeKms(), deployed });
  expect(meaning).toContain('could not be looked at: no rules here.');
  expect(meaning).toContain('So it is one of these: ');
});
