import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ec2Service } from '../../sandbox/ec2/ec2-service.ts';
import { KeyStore } from '../../sandbox/kms/key-store.ts';
import { manualClock } from '../support/manual-clock.ts';

const HERE = 'eu-west-1';
const OWNER = '111122223333';
const STRANGER = '444455556666';

const HOUR = 3_600_000;

type Params = Readonly<Record<string, string>>;

/** EC2 called by hand, with one clock and one seed, so that two of them do the same. */
class Region {
  readonly clock = manualClock();
  readonly #service: Ec2Service;
  readonly #made: string[] = [];

  constructor(largestPage?: number) {
    this.#service = new Ec2Service({
      clock: this.clock,
      keys: new KeyStore({ clock: this.clock }),
      emit: () => {},
      snapshotTakesSeconds: () => 7200,
      copyTakesSeconds: () => 3600,
      ...(largestPage !== undefined && { largestPage }),
    });
  }

  call(account: string, params: Params): string {
    const answer = this.#service.handle({ account, region: HERE, params: new URLSearchParams(params) });
    if (!('body' in answer)) throw new Error('No answer');
    return answer.body;
  }

  /** Remembers the snapshot that the owner makes by this call, if it was allowed. */
  make(params: Params): void {
    const made = /<snapshotId>(.*?)<\/snapshotId>/.exec(this.call(OWNER, params))?.[1];
    if (made !== undefined) this.#made.push(made);
  }

  /** A snapshot of a volume of its own. */
  snapshot(params: Params): void {
    const volume = this.call(OWNER, { Action: 'CreateVolume', AvailabilityZone: `${HERE}a`, Size: '1' });
    this.clock.advance(10_000);
    const VolumeId = /<volumeId>(.*?)<\/volumeId>/.exec(volume)?.[1] ?? '';
    this.make({ Action: 'CreateSnapshot', VolumeId, ...params });
  }

  /** One of those that were made, be it there or not. */
  id(of: number): string {
    return this.#made[of % Math.max(1, this.#made.length)] ?? 'snap-0123456789abcdef0';
  }

  /** All pages of a listing, as EC2 wrote them. */
  pages(account: string, params: Params): readonly string[] {
    const page = this.call(account, { Action: 'DescribeSnapshots', MaxResults: '5', ...params });
    const token = /<nextToken>(.*)<\/nextToken>/.exec(page)?.[1];
    return token === undefined ? [page] : [page, ...this.pages(account, { ...params, NextToken: token })];
  }
}

const VALUES = ['a', 'b', 'a*'];
const KEYS = ['Backup', 'snapshot-copier:source-volume'];

const any = fc.nat(99);
const value = fc.constantFrom(...VALUES);
const key = fc.constantFrom(...KEYS);

const filter = fc.oneof(
  fc.record({
    name: fc.constantFrom(...KEYS.map((each) => `tag:${each}`)),
    values: fc.array(fc.constantFrom(...VALUES, 'never'), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    name: fc.constant('status'),
    values: fc.constantFrom(['pending'], ['completed'], ['pending', 'error'], ['pend*']),
  }),
  fc.record({
    name: fc.constant('start-time'),
    values: fc.constantFrom(
      ['2026-03-02*'],
      ['2026-03-03*', '2026-03-02*'],
      ['2026-03-02T0*'],
      ['2026-03-0?T*'],
      ['2026'],
    ),
  }),
);

/** Parameters of one listing, and who asks. */
const listing = fc
  .record({
    account: fc.constantFrom(OWNER, OWNER, STRANGER),
    own: fc.boolean(),
    filters: fc.array(filter, { minLength: 1, maxLength: 2 }),
  })
  .map(({ account, own, filters }) => ({
    account,
    params: {
      ...(own && { 'Owner.1': 'self' }),
      ...Object.fromEntries(
        filters.flatMap(({ name, values }, index) => [
          [`Filter.${index + 1}.Name`, name],
          ...values.map((each, place) => [`Filter.${index + 1}.Value.${place + 1}`, each]),
        ]),
      ),
    },
  }));

/** What is done to a Region; it answers with the pages of a listing, if that is what is done. */
type Step = (region: Region) => readonly string[];

const silent =
  (act: (region: Region) => void): Step =>
  (region) => {
    act(region);
    return [];
  };

const tagged = (tag: string) => ({
  'TagSpecification.1.ResourceType': 'snapshot',
  'TagSpecification.1.Tag.1.Key': 'Backup',
  'TagSpecification.1.Tag.1.Value': tag,
});

const steps = {
  snapshot: value.map((tag) => silent((region) => region.snapshot(tagged(tag)))),
  copy: fc
    .tuple(any, value)
    .map(([of, tag]) =>
      silent((region) =>
        region.make({ Action: 'CopySnapshot', SourceRegion: HERE, SourceSnapshotId: region.id(of), ...tagged(tag) }),
      ),
    ),
  tag: fc.tuple(fc.constantFrom(OWNER, OWNER, STRANGER), any, key, value).map(([account, of, name, tag]) =>
    silent((region) => {
      const params = { 'ResourceId.1': region.id(of), 'Tag.1.Key': name, 'Tag.1.Value': tag };
      region.call(account, { Action: 'CreateTags', ...params });
    }),
  ),
  untag: fc
    .tuple(any, key)
    .map(([of, name]) =>
      silent((region) =>
        region.call(OWNER, { Action: 'DeleteTags', 'ResourceId.1': region.id(of), 'Tag.1.Key': name }),
      ),
    ),
  share: any.map((of) =>
    silent((region) => {
      const params = { SnapshotId: region.id(of), 'CreateVolumePermission.Add.1.UserId': STRANGER };
      region.call(OWNER, { Action: 'ModifySnapshotAttribute', ...params });
    }),
  ),
  remove: any.map((of) =>
    silent((region) => region.call(OWNER, { Action: 'DeleteSnapshot', SnapshotId: region.id(of) })),
  ),
  wait: fc.constantFrom(1, 12).map((hours) => silent((region) => region.clock.advance(hours * HOUR))),
  list: listing.map(
    ({ account, params }): Step =>
      (region) =>
        region.pages(account, params),
  ),
};

const story = fc.array(
  fc.oneof(
    { arbitrary: steps.snapshot, weight: 6 },
    { arbitrary: steps.copy, weight: 2 },
    { arbitrary: steps.tag, weight: 4 },
    { arbitrary: steps.untag, weight: 1 },
    { arbitrary: steps.share, weight: 1 },
    { arbitrary: steps.remove, weight: 1 },
    { arbitrary: steps.wait, weight: 1 },
    { arbitrary: steps.list, weight: 4 },
  ),
  { minLength: 40, maxLength: 120, size: 'max' },
);

it('a filter that an index answers lists what a look at every snapshot lists: same order, same pages', () => {
  let severalPages = 0;
  fc.assert(
    fc.property(story, (acts) => {
      const indexed = new Region();
      // Where the size of pages is limited, EC2 looks at every snapshot.
      const plain = new Region(1_000_000);
      for (const act of acts) {
        const pages = act(indexed);
        expect(pages).toEqual(act(plain));
        if (pages.length > 1) severalPages += 1;
      }
    }),
    { numRuns: 60 },
  );
  expect(severalPages).toBeGreaterThan(30);
});
