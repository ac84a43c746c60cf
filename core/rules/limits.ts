/** Numbers that the rules file is held against, each with the reason for it. */
export const LIMITS = {
  ruleName: 64,
  /** The EC2 API model allows 127 and 255 characters; 50 tags on a snapshot. */
  tagKey: 127,
  tagValue: 255,
  tags: 50,
  /** EC2 answers InvalidParameterValue, "It exceeds 255 characters"; its documentation is silent. */
  description: 255,
  /** EC2 runs 20 copies into a Region unless Support has raised that. */
  slots: { most: 1000, usual: 20 },
  /** https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html */
  completionDurationMinutes: { least: 15, most: 2880, step: 15 },
  deadlineSeconds: { least: 15 * 60, most: 14 * 86_400, usual: 48 * 3600 },
} as const;

/** What `{…}` may stand for in the description of a copy; `describeCopy` fills them. */
export const PLACEHOLDERS: readonly string[] = [
  'snapshotId',
  'sourceRegion',
  'sourceAccount',
  'volumeId',
  'rule',
  'destination',
  'startTime',
  'description',
];

/** Keeps what the source says and adds where it comes from; the origin stands first, because a long text is cut. */
export const USUAL_DESCRIPTION = '[copy of {snapshotId} from {sourceRegion}] {description}';
