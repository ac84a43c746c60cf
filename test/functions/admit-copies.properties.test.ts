import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { circumstances, quietCircumstances, quietScript, script, take } from './admission/script.ts';
import { PLACES, World } from './admission/world.ts';

vi.hoisted(() => {
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'true';
});

it('keeps order and slots at every moment, and ends every request once, whatever happens', async () => {
  const property = fc.asyncProperty(fc.scheduler(), circumstances, script, async (scheduler, options, groups) => {
    const world = new World(scheduler, options);
    for (const steps of groups) {
      for (const step of steps) await take(world, step);
      await world.agenda.advance(0);
      expect(world.invariants.broken).toEqual([]);
    }
    await world.settle();
    expect(world.invariants.broken).toEqual([]);
    for (const { request, status, reason } of await world.requests()) {
      const { snapshotId } = request.source;
      if (status === 'copied') expect(world.goodCopiesOf(request)).toHaveLength(1);
      else expect([snapshotId, status, reason, world.isSpoiled(request)]).toEqual([snapshotId, status, reason, true]);
      if (reason.includes('ABORTED')) expect(world.told).toContain(snapshotId);
    }

    // No slot was lost on the way, and what a refusal left in doubt is tried again.
    const { slots, limit } = options;
    await world.agenda.advance(slots * 300);
    for (const volume of [11, 12, 13, 14]) {
      world.arrive({ volume, minute: 30, place: PLACES[2], isWoken: volume === 14 });
    }
    await world.agenda.advance(0);
    expect(world.ownPending()).toHaveLength(Math.min(slots, limit));
  });
  await fc.assert(property, { numRuns: 80 });
}, 180_000);

it('leaves no slot free that a request could have, when every event is heard', async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    quietCircumstances,
    quietScript,
    async (scheduler, options, groups) => {
      const world = new World(scheduler, options);
      for (const steps of groups) {
        for (const step of steps) await take(world, step);
        await world.agenda.advance(0);
        expect(await world.startable()).toEqual([]);
        expect(world.invariants.broken).toEqual([]);
      }
    },
  );
  await fc.assert(property, { numRuns: 40 });
}, 180_000);
