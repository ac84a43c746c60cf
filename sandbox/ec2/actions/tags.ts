import type { Caller } from '../../accounts.ts';
import { action, DONE, type Ec2Action } from '../action.ts';
import { Ec2Error, invalidValue, snapshotNotFound, volumeNotFound } from '../ec2-error.ts';
import { applyFilters, filters, knownFilter, tagFilterValues } from '../filters.ts';
import { page, pageParameters } from '../pages.ts';
import { listOf, text } from '../query.ts';
import { checkSnapshotId, checkVolumeId } from '../resource-ids.ts';
import { tagsSeenBy } from '../snapshot.ts';
import { checkCount, checkedTags, isReservedKey, tagList } from '../tags.ts';
import type { Ec2World } from '../world.ts';
import { items } from '../xml.ts';

/**
 * All resources get all tags, or none does: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
 * A snapshot that is shared with the caller can be tagged too; nobody else sees those tags:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
 */
export const createTags: Ec2Action = action({
  name: 'CreateTags',
  parameters: { ResourceId: listOf(text), Tag: tagList },
  check: (input) => {
    checkResources(input.ResourceId);
    if (input.Tag.length === 0) throw missing('Tag');
    checkedTags(input.Tag);
  },
  run: (world, caller, input) => {
    const added = checkedTags(input.Tag);
    const targets = input.ResourceId.map((resourceId) => resourceTags(world, caller, resourceId));
    for (const { tags } of targets) checkCount(new Map([...tags, ...added]));
    for (const { put } of targets) for (const [key, value] of added) put(key, value);
    return DONE;
  },
});

/**
 * A key alone deletes that tag whatever its value, a key with a value only if the value is the same, and no tag at
 * all every tag but AWS's own: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
 */
export const deleteTags: Ec2Action = action({
  name: 'DeleteTags',
  parameters: { ResourceId: listOf(text), Tag: tagList },
  check: (input) => {
    checkResources(input.ResourceId);
    if (input.Tag.some(({ Key }) => isReservedKey(Key))) {
      throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
    }
  },
  run: (world, caller, input) => {
    const targets = input.ResourceId.map((resourceId) => resourceTags(world, caller, resourceId));
    for (const { tags, remove } of targets) {
      const unwanted =
        input.Tag.length === 0
          ? [...tags.keys()].filter((key) => !isReservedKey(key))
          : input.Tag.filter(({ Key, Value }) => Value === undefined || tags.get(Key) === Value).map(({ Key }) => Key);
      for (const key of unwanted) remove(key);
    }
    return DONE;
  },
});

interface TagDescription {
  readonly resourceId: string;
  readonly resourceType: 'snapshot' | 'volume';
  readonly key: string;
  readonly value: string;
}

/** The caller's own tags in the Region: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html */
export const describeTags: Ec2Action = action({
  name: 'DescribeTags',
  parameters: { Filter: filters, ...pageParameters },
  run: (world, caller, input) => {
    const all = [...allTags(world, caller)].sort((a, b) => (pageKey(a) < pageKey(b) ? -1 : 1));
    const matching = applyFilters(all, input.Filter, isKnownFilter, filterValues);
    const { items: shown, nextToken } = page(matching, pageKey, input);
    return { tagSet: items(shown.map((tag) => ({ ...tag }))), nextToken };
  },
});

const isKnownFilter = knownFilter(new Set(['key', 'resource-id', 'resource-type', 'value']), { tags: true });

function filterValues(name: string, tag: TagDescription): readonly string[] | undefined {
  switch (name) {
    case 'key':
      return [tag.key];
    case 'value':
      return [tag.value];
    case 'resource-id':
      return [tag.resourceId];
    case 'resource-type':
      return [tag.resourceType];
    default:
      return tagFilterValues(name, new Map([[tag.key, tag.value]]));
  }
}

function pageKey(tag: TagDescription): string {
  return `${tag.resourceId} ${tag.key}`;
}

function* allTags(world: Ec2World, caller: Caller): Generator<TagDescription> {
  for (const snapshot of world.snapshots.inRegion(caller.region)) {
    for (const [key, value] of snapshot.tags.get(caller.account) ?? []) {
      yield { resourceId: snapshot.snapshotId, resourceType: 'snapshot', key, value };
    }
  }
  for (const volume of world.volumes.values()) {
    if (volume.account !== caller.account || volume.region !== caller.region) continue;
    for (const [key, value] of volume.tags) yield { resourceId: volume.volumeId, resourceType: 'volume', key, value };
  }
}

function checkResources(resourceIds: readonly string[]): void {
  if (resourceIds.length === 0) throw missing('ResourceId');
  for (const resourceId of resourceIds) {
    if (resourceId.startsWith('snap-')) checkSnapshotId(resourceId);
    else if (resourceId.startsWith('vol-')) checkVolumeId(resourceId);
    else throw new Ec2Error('InvalidID', `The ID '${resourceId}' is not valid`);
  }
}

/** The tags that the caller sees on a resource, and how they are changed. */
interface ResourceTags {
  readonly tags: ReadonlyMap<string, string>;
  readonly put: (key: string, value: string) => void;
  readonly remove: (key: string) => void;
}

function resourceTags(world: Ec2World, caller: Caller, resourceId: string): ResourceTags {
  if (resourceId.startsWith('snap-')) {
    const found = world.access(caller, resourceId);
    if (found === undefined || !world.isListed(found.snapshot)) throw snapshotNotFound(resourceId);
    const { snapshot } = found;
    return {
      tags: tagsSeenBy(snapshot, caller.account),
      put: (key, value) => world.snapshots.putTag(snapshot, caller.account, key, value),
      remove: (key) => world.snapshots.deleteTag(snapshot, caller.account, key),
    };
  }
  const volume = world.volumes.get(resourceId);
  if (volume?.account !== caller.account || volume.region !== caller.region) throw volumeNotFound(resourceId);
  const { tags } = volume;
  return { tags, put: (key, value) => tags.set(key, value), remove: (key) => tags.delete(key) };
}

function missing(name: string): Ec2Error {
  return new Ec2Error('MissingParameter', `The request must contain the parameter ${name}`);
}
