import { COPIER_TAG } from '../copier-tags.ts';
import { destinationId } from '../destination.ts';
import type { Snapshot } from '../snapshot.ts';

/** Where a copy is, by the name of the destination that puts copies there. */
export function placeOf({ region, outpostArn, localZone }: Snapshot): string {
  return destinationId({
    region,
    ...(outpostArn !== undefined && { outpost: outpostArn }),
    ...(localZone !== undefined && { localZone }),
  });
}

/** When the data in a copy were taken, in milliseconds; undefined if its tag does not tell. */
export function dataTimeOf({ tags }: Snapshot): number | undefined {
  const time = Date.parse(tags[COPIER_TAG.sourceStartTime] ?? '');
  return Number.isNaN(time) ? undefined : time;
}

export function isOf(copy: Snapshot, installName: string): boolean {
  return copy.tags[COPIER_TAG.managed] === installName;
}

/** One text for a snapshot or a volume at a place. */
export function at(place: string, id: string | undefined): string {
  return `${place}#${id}`;
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
