import * as z from 'zod';
import type { Clock } from '../clock.ts';

/** One line that a function wrote. */
export interface LogLine {
  /** ISO 8601, of the sandbox's clock. */
  readonly time: string;
  readonly functionName: string;
  readonly requestId: string;
  readonly text: string;
}

/** One value of a metric that a function published by writing a line in CloudWatch's embedded metric format. */
export interface MetricValue {
  readonly time: string;
  readonly functionName: string;
  readonly namespace: string;
  readonly name: string;
  readonly unit: string | undefined;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const embeddedMetrics = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({
        Namespace: z.string(),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.object({ Name: z.string(), Unit: z.string().optional() })),
      }),
    ),
  }),
});

/** Everything that the functions wrote, in order. */
export class FunctionLogs {
  readonly #clock: Clock;
  readonly #lines: LogLine[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `text` may hold several lines. */
  write(functionName: string, requestId: string, text: string): void {
    const time = new Date(this.#clock.now()).toISOString();
    for (const line of text.split('\n')) {
      if (line.trim() !== '') this.#lines.push({ time, functionName, requestId, text: line });
    }
  }

  lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** The values of all metrics, one for each set of dimensions that a line names. */
  metrics(): readonly MetricValue[] {
    return this.#lines.flatMap((line) => valuesIn(line));
  }
}

function valuesIn(line: LogLine): MetricValue[] {
  const parsed = embeddedMetrics.safeParse(parseJson(line.text));
  if (!parsed.success) return [];
  const fields: Record<string, unknown> = parsed.data;
  return parsed.data._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name, Unit }) => {
      const numbers = [fields[Name]].flat().filter((value) => typeof value === 'number');
      return Dimensions.flatMap((keys) =>
        numbers.map((value) => ({
          time: line.time,
          functionName: line.functionName,
          namespace: Namespace,
          name: Name,
          unit: Unit,
          value,
          dimensions: Object.fromEntries(keys.map((key) => [key, String(fields[key])])),
        })),
      );
    }),
  );
}

function parseJson(text: string): unknown {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
