/** Where a rule sends copies, and how they are to be made. One destination of `copy-rules.yml`, checked and complete. */
export interface Destination {
  readonly region: string;
  /** ARN of an Outpost of `region`; EC2 then puts the copy there. */
  readonly outpost?: string;
  /** Name of a Local Zone of `region`, for example `us-west-2-lax-1a`. */
  readonly localZone?: string;
  readonly encryption: Encryption;
  /** Text with placeholders, see `describeCopy`. */
  readonly description: string;
  readonly tags: CopyTags;
  /** How many of the Region's copy slots this service may use. */
  readonly slots: number;
  /** How long a copy may take from the start of its execution until somebody is told, in seconds. */
  readonly deadlineSeconds: number;
  /** Time-based copy: EC2 finishes within this time, in steps of 15 minutes; costs extra. */
  readonly completionDurationMinutes?: number;
}

/**
 * `key`: under this key (id, alias, ARN or alias ARN). `account-default`: under the default EBS key of the destination.
 * `as-source`: a plain snapshot stays plain, unless the destination encrypts by default; an encrypted one is
 * encrypted under the destination's default key.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 */
export type Encryption =
  | { readonly kind: 'key'; readonly kmsKey: string }
  | { readonly kind: 'account-default' }
  | { readonly kind: 'as-source' };

/** Which of the source's tags a copy gets, and which are added. */
interface CopyTags {
  readonly copy: 'all' | 'none' | readonly string[];
  readonly add: Readonly<Record<string, string>>;
}

/**
 * The name of a destination in execution names, tags, metrics and alerts: the Region; or the Local Zone, whose name
 * begins with its Region; or Region and Outpost id. At most 38 characters of `[a-z0-9-]`.
 */
export function destinationId(destination: Pick<Destination, 'region' | 'outpost' | 'localZone'>): string {
  if (destination.localZone !== undefined) return destination.localZone;
  if (destination.outpost !== undefined) return `${destination.region}-${destination.outpost.replace(/^.*\//, '')}`;
  return destination.region;
}

/** The Region of a destination, of its name; undefined if it is none that `destinationId` makes. */
export function regionOfDestination(id: string): string | undefined {
  return /^[a-z]{2,4}(?:-[a-z]+)+-\d(?=-|$)/.exec(id)?.[0];
}
