import { afterEach, beforeEach, vi } from 'vitest';
import * as z from 'zod';

interface Metric {
  readonly name: string;
  readonly value: number;
  /** Absent from what concerns no destination. */
  readonly destination?: string;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const line = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({ Namespace: z.literal('SnapshotCopier'), Metrics: z.array(z.object({ Name: z.string() })) }),
    ),
  }),
  destination: z.string().optional(),
});

/**
 * Keeps the metrics that functions write to their log out of sight, in each test of the file that calls this.
 *
 * @returns what tells those that were written since the test began, in their order
 */
export function watchMetrics(): () => readonly Metric[] {
  let lines: string[] = [];
  beforeEach(() => {
    lines = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  return () => lines.flatMap(metricsOf);
}

function metricsOf(text: string): readonly Metric[] {
  const written = line.parse(JSON.parse(text));
  const names = written._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
  const { destination } = written;
  return names.map((name) => ({
    name,
    value: z.number().parse(written[name]),
    ...(destination !== undefined && { destination }),
  }));
}
