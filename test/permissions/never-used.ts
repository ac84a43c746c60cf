/** A statement, or a part of one, that no scenario uses and that is there all the same. */
export interface NeverUsed {
  /** `<statement>`, or `<statement> <part>` */
  readonly what: RegExp;
  readonly why: string;
}

export const NEVER_USED: readonly NeverUsed[] = [
  {
    what: /^DeadLetterTopicPolicy\/AlarmsOfThisAccount$/,
    why: 'Alarms of CloudWatch tell the topic by it, and the sandbox has no alarms',
  },
];
