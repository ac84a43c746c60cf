import * as z from 'zod';
import { Ec2Error, invalidValue } from './ec2-error.ts';
import { listOf, text } from './query.ts';
import type { XmlTree } from './xml.ts';

/** Key to value. */
export type Tags = Map<string, string>;

interface TagSpecification {
  readonly ResourceType?: string | undefined;
  readonly Tag: readonly { readonly Key: string; readonly Value?: string | undefined }[];
}

export const tagList: z.ZodType<{ Key: string; Value?: string | undefined }[]> = listOf(
  z.strictObject({ Key: text, Value: text.optional() }),
);

export const tagSpecifications: z.ZodType<TagSpecification[]> = listOf(
  z.strictObject({ ResourceType: text.optional(), Tag: tagList }),
);

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions */
const MAX_TAGS = 50;
/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Tag.html */
const MAX_KEY = 127;
const MAX_VALUE = 256;

const RESERVED = /^aws:/i;

/**
 * The tags that a call wants on what it makes. Refused as a whole if one of them cannot be: the resource is then not
 * made either. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-on-create
 */
export function requestedTags(specifications: readonly TagSpecification[], resourceType: string): Tags {
  const wrong = specifications.find((specification) => specification.ResourceType !== resourceType);
  if (wrong !== undefined) {
    if (wrong.ResourceType === undefined) throw invalidValue('Tag specification resource type must have a value');
    throw invalidValue(`'${wrong.ResourceType}' is not a valid taggable resource type for this operation.`);
  }
  const tags = checkedTags(specifications.flatMap((specification) => specification.Tag));
  checkCount(tags);
  return tags;
}

/** Checks each tag by itself. */
export function checkedTags(list: readonly { readonly Key: string; readonly Value?: string | undefined }[]): Tags {
  const tags: Tags = new Map();
  for (const { Key, Value = '' } of list) {
    if (Key === '') throw invalidValue('Tag key cannot be null or empty');
    if (RESERVED.test(Key)) throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
    if (Key.length > MAX_KEY) throw invalidValue(`Tag key exceeds the maximum length of ${MAX_KEY} characters`);
    if (Value.length > MAX_VALUE) throw invalidValue(`Tag value exceeds the maximum length of ${MAX_VALUE} characters`);
    if (tags.has(Key)) throw invalidValue(`Duplicate tag key '${Key}' specified.`);
    tags.set(Key, Value);
  }
  return tags;
}

/** Tags that AWS itself wrote do not count: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html */
export function checkCount(tags: ReadonlyMap<string, string>): void {
  const count = [...tags.keys()].filter((key) => !RESERVED.test(key)).length;
  if (count > MAX_TAGS) {
    throw new Ec2Error('TagLimitExceeded', 'The maximum number of Tags for a resource has been reached');
  }
}

export function isReservedKey(key: string): boolean {
  return RESERVED.test(key);
}

/** For `tagSet`; undefined, which leaves the element out, if there is none. */
export function tagSet(tags: ReadonlyMap<string, string>): XmlTree | undefined {
  if (tags.size === 0) return undefined;
  return { item: [...tags].map(([key, value]) => ({ key, value })) };
}
