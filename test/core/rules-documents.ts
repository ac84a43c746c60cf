import fc from 'fast-check';
import { destinationId } from '../../core/destination.ts';

/** Documents that are right, as YAML would give them. */

const regionName = fc.constantFrom('eu-central-1', 'us-west-2', 'ap-southeast-3', 'il-central-1');
const hex = (length: number) =>
  fc
    .array(fc.nat(15), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''));
const account = fc.integer({ min: 0, max: 999_999_999_999 }).map((digits) => String(digits).padStart(12, '0'));

/** Free text, and names that are traps in JavaScript or in paths. */
const tagKey = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.constantFrom('constructor', 'a.b', '0', '*'))
  .filter((key) => key !== '__proto__' && !/^(aws|snapshot-copier):/i.test(key));
const tagValue = fc.string({ unit: 'grapheme', maxLength: 20 });

const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 3 });

const criteria = {
  tags: fc.dictionary(tagKey, fc.oneof(fc.constant(true), list(tagValue)), { minKeys: 1, maxKeys: 3 }),
  owners: list(fc.oneof(fc.constant('self'), account)),
  description: fc.constantFrom('^Created by ', 'nightly|weekly', '\\p{L}+', '.'),
  volumes: list(
    fc
      .constantFrom(8, 17)
      .chain(hex)
      .map((id) => `vol-${id}`),
  ),
};

const keyId = hex(32).chain((id) =>
  fc.constantFrom(`mrk-${id}`, id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')),
);
const alias = fc.constantFrom('alias/dr-copies', 'alias/team/backup_1', 'alias/aws/ebs');

const encryption = (region: string) =>
  fc.oneof(
    fc.constantFrom('as-source', 'account-default'),
    fc.record({
      kmsKey: fc.oneof(
        keyId,
        alias,
        fc.tuple(account, keyId).map(([owner, id]) => `arn:aws:kms:${region}:${owner}:key/${id}`),
        fc.tuple(account, alias).map(([owner, name]) => `arn:aws:kms:${region}:${owner}:${name}`),
      ),
    }),
  );

const copyTags = fc.record(
  {
    copy: fc.oneof(fc.constantFrom('all', 'none'), list(tagKey)),
    add: fc.dictionary(tagKey, tagValue, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

const minutes = (least: number, most: number) => fc.integer({ min: least, max: most }).map((count) => `${count}m`);

const common = (region: string) => ({
  region: fc.constant(region),
  encryption: encryption(region),
  description: fc.constantFrom('', '{snapshotId}', 'copy of {description} ({volumeId})', 'nightly'),
  tags: copyTags,
  slots: fc.integer({ min: 1, max: 1000 }),
});

const destination = regionName.chain((region) => {
  const freely = { requiredKeys: ['region' as const] };
  const anyDeadline = fc.oneof(minutes(15, 20_160), fc.constantFrom('15m', '336h', '14d'));
  return fc.oneof(
    fc.record({ ...common(region), deadline: anyDeadline }, freely),
    fc.record({
      ...common(region),
      completionDuration: fc.integer({ min: 1, max: 192 }).map((steps) => `${steps * 15}m`),
      deadline: minutes(2881, 20_160),
    }),
    fc.record(
      {
        ...common(region),
        deadline: anyDeadline,
        outpost: fc
          .tuple(account, hex(17))
          .map(([owner, id]) => `arn:aws:outposts:${region}:${owner}:outpost/op-${id}`),
      },
      { requiredKeys: ['region', 'outpost'] },
    ),
    fc.record(
      { ...common(region), localZone: fc.constantFrom(`${region}-lax-1a`, `${region}-lax-1b`) },
      { requiredKeys: ['region', 'localZone'] },
    ),
  );
});

const destinations = fc.uniqueArray(destination, { minLength: 1, maxLength: 3, selector: destinationId });

const rule = destinations.chain((where) => {
  // Outposts and Local Zones take snapshots of their own Region only.
  const regions = fc.array(regionName, { maxLength: 2 }).map((more) => [...where.map(({ region }) => region), ...more]);
  return fc.record(
    {
      name: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      select: fc.record(
        { ...criteria, regions, except: fc.record(criteria, { requiredKeys: ['volumes'] }) },
        { requiredKeys: [] },
      ),
      destinations: fc.constant(where),
      dryRun: fc.boolean(),
    },
    { requiredKeys: ['name', 'destinations'] },
  );
});

export const rightDocument = fc.record({
  rules: fc.uniqueArray(rule, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
});

type RightDocument = typeof rightDocument extends fc.Arbitrary<infer Document> ? Document : never;

const someAccount = '777788889999';

/** Snapshots that are made so that one of the rules often wants them, and the account that looks at them. */
export function snapshotsFor({ rules }: RightDocument) {
  const accounts = rules.flatMap(({ select }) => select?.owners ?? []).filter((owner) => owner !== 'self');
  return fc
    .record({
      select: fc.constantFrom(...rules.map((each) => each.select ?? {})),
      home: fc.constantFrom(someAccount, ...accounts),
      stranger: fc.constantFrom('111122223333', ...accounts),
      isOwn: fc.boolean(),
    })
    .map(({ select, home, stranger, isOwn }) => ({
      home: { account: home },
      snapshot: {
        snapshotId: 'snap-0a1b2c3d4e5f60718',
        region: select.regions?.[0] ?? 'eu-west-1',
        ownerId: isOwn ? home : stranger,
        volumeId: select.volumes?.[0] ?? 'vol-0123456789abcdef0',
        state: 'completed' as const,
        progressPercent: 100,
        startTime: '2026-03-02T04:09:51.204Z',
        sizeGiB: 8,
        encrypted: false,
        storageTier: 'standard' as const,
        description: 'Created by nightly',
        tags: Object.fromEntries(
          Object.entries(select.tags ?? {}).map(([key, values]) => [key, values === true ? 'x' : (values[0] ?? '')]),
        ),
      },
    }));
}
