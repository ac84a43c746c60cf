import { expect, it } from 'vitest';
import { refusalsIn } from '../../../sandbox/demo/forgeries.ts';

it('finds in the log of onSnapshotEvent what it refused, and why', () => {
  const line = (text: string) => ({ time: '2026-03-02T09:00:00Z', functionName: 'x-onSnapshotEvent', text });
  expect(
    refusalsIn([
      line('{"level":"WARN","message":"Refused: an event of account 999988887777: nobody knows it"}'),
      line('{"level":"INFO","message":"Requested: snap-01 for eu-central-1: Refused: is no word of ours"}'),
      line('{"_aws":{"CloudWatchMetrics":[]},"EventsRefused":1}'),
      line('not JSON'),
    ]),
  ).toEqual(['an event of account 999988887777: nobody knows it']);
});
