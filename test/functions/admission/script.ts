import fc from 'fast-check';
import { PLACES, type World, type WorldOptions } from './world.ts';

/** Something that happens. Steps of one group happen at the same time. */
export type Step =
  | {
      readonly do: 'arrive';
      readonly volume: number;
      readonly minute: number;
      readonly place: Place;
      readonly isWoken: boolean;
    }
  | { readonly do: 'endCopy'; readonly which: number; readonly state: 'completed' | 'error'; readonly heard: Hearing }
  | { readonly do: 'pass'; readonly seconds: number }
  | { readonly do: 'wake' | 'beginForeign' | 'endForeign'; readonly place: Place }
  | { readonly do: 'abort' | 'deleteSource'; readonly which: number }
  | { readonly do: 'killAdmissions' | 'askAgain' };

type Place = (typeof PLACES)[number];
type Hearing = 0 | 1 | 2;

const place = fc.constantFrom(...PLACES);
const hearing = fc.constantFrom<Hearing>(1, 0, 2);
const which = fc.nat({ max: 9 });

const arrive = (isWoken: fc.Arbitrary<boolean>) =>
  fc.record({ do: fc.constant('arrive'), volume: fc.nat({ max: 3 }), minute: fc.nat({ max: 9 }), place, isWoken });
const endCopy = (heard: fc.Arbitrary<Hearing>) =>
  fc.record({
    do: fc.constant('endCopy'),
    which,
    state: fc.constantFrom('completed', 'completed', 'completed', 'error'),
    heard,
  });
const pass = fc.record({ do: fc.constant('pass'), seconds: fc.constantFrom(1, 10, 31, 41, 61, 301) });

/** Anything may happen. */
export const script = groupsOf(
  fc.oneof(
    { weight: 6, arbitrary: arrive(fc.boolean()) },
    { weight: 6, arbitrary: endCopy(hearing) },
    { weight: 4, arbitrary: pass },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('wake', 'beginForeign', 'endForeign'), place }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('abort', 'abort', 'deleteSource'), which }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('killAdmissions', 'askAgain') }) },
  ),
);

/** Every event is heard, and nobody else copies. */
export const quietScript = groupsOf(
  fc.oneof(
    { weight: 3, arbitrary: arrive(fc.constant(true)) },
    { weight: 3, arbitrary: endCopy(fc.constantFrom<Hearing>(1, 2)) },
    { weight: 1, arbitrary: pass },
  ),
);

function groupsOf(step: fc.Arbitrary<Step>): fc.Arbitrary<readonly (readonly Step[])[]> {
  const group = fc.array(step, { minLength: 1, maxLength: 4, size: 'max' });
  return fc.array(group, { maxLength: 30, size: 'max' });
}

export const circumstances: fc.Arbitrary<WorldOptions> = fc.record({
  slots: fc.constantFrom(2, 1, 3),
  limit: fc.constantFrom(3, 2, 1, 9),
  lagSeconds: fc.constantFrom(0, 45, 290),
  deadlineSeconds: fc.constantFrom(48 * 3600, 48 * 3600, 900),
  endsHeard: fc.array(hearing, { minLength: 1, maxLength: 6 }),
  faults: fc.array(
    fc.record({
      call: fc.integer({ min: 1, max: 400 }),
      what: fc.constantFrom('kill', 'trouble'),
      when: fc.constantFrom('before', 'after'),
    }),
    { maxLength: 8, size: 'max' },
  ),
});

/** Lets it happen. */
export async function take(world: World, it: Step): Promise<void> {
  switch (it.do) {
    case 'arrive':
      return world.arrive(it);
    case 'endCopy': {
      const copy = pick(world.ownPending(), it.which);
      return copy && world.endCopy(copy, it.state, it.heard);
    }
    case 'pass':
      return world.agenda.advance(it.seconds);
    case 'wake':
      return world.wake(it.place.region);
    case 'beginForeign':
      return world.ec2.beginForeign(it.place.region);
    case 'endForeign':
      return world.endForeign(it.place.region);
    case 'abort': {
      const execution = pick(world.executions.running(), it.which);
      return execution && world.abort(execution);
    }
    case 'deleteSource': {
      const snapshotId = pick([...world.ec2.sources.keys()], it.which);
      return snapshotId === undefined ? undefined : world.deleteSource(snapshotId);
    }
    case 'killAdmissions':
      return world.admissions.kill();
    case 'askAgain':
      return world.askAgain();
    default:
      it satisfies never;
  }
}

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  return items[which % items.length];
}

/** Nothing goes wrong, and EC2 has more slots than the rules use. */
export const quietCircumstances: fc.Arbitrary<WorldOptions> = fc
  .constantFrom(1, 2, 3)
  .map((slots) => ({ slots, limit: 9, lagSeconds: 0, deadlineSeconds: 48 * 3600, endsHeard: [1], faults: [] }));
