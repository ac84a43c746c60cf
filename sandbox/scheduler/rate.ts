const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The period of a rate-based schedule, such as `rate(5 minutes)`, in milliseconds.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * @throws Error for any other expression
 */
export function periodOf(expression: string): number {
  const [, count, unit] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (count === undefined || !isUnit(unit)) {
    throw new Error(
      `ScheduleExpression ${JSON.stringify(expression)}: the sandbox knows rate(5 minutes) and its like only`,
    );
  }
  return Number(count) * UNIT_MS[unit];
}

function isUnit(text: string | undefined): text is keyof typeof UNIT_MS {
  return text !== undefined && Object.hasOwn(UNIT_MS, text);
}
