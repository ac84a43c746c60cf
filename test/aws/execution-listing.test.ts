import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { executionListing } from '../../aws/execution-listing.ts';
import { RequestRefusedError } from '../../core/errors.ts';
import { serveAws } from '../support/aws-http.ts';

const MACHINE = 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier';
const asked = z.object({
  stateMachineArn: z.literal(MACHINE),
  statusFilter: z.string(),
  maxResults: z.number(),
  nextToken: z.string().optional(),
});

/** Executions of the machine, latest start first: one each hour before noon, which took ten minutes. */
const HOURS = Array.from({ length: 2500 }, (_, index) => Date.parse('2026-03-02T12:00:00Z') / 1000 - index * 3600);

let served: Awaited<ReturnType<typeof serveAws>>;
let isDenied = false;
const calls: z.infer<typeof asked>[] = [];

beforeAll(async () => {
  served = await serveAws(({ body }) => {
    if (isDenied)
      return { status: 400, headers: {}, body: JSON.stringify({ __type: 'AccessDeniedException', message: 'no' }) };
    const call = asked.parse(JSON.parse(body));
    calls.push(call);
    const start = Number(call.nextToken ?? 0);
    const end = start + call.maxResults;
    const executions = HOURS.slice(start, end).map((startDate, index) => ({
      name: `e${start + index}`,
      startDate,
      stopDate: startDate + 600,
    }));
    return {
      status: 200,
      headers: {},
      body: JSON.stringify({ executions, ...(end < HOURS.length && { nextToken: String(end) }) }),
    };
  });
  vi.stubEnv('AWS_ENDPOINT_URL', served.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', '444455556666');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await served.close();
});

afterEach(() => {
  isDenied = false;
  calls.length = 0;
});

const listing = executionListing(MACHINE);

describe('executions that ended', () => {
  it('are listed over all pages, those of one status', async () => {
    const found = await listing.ended('FAILED', {});
    expect(found).toHaveLength(2500);
    expect(found[0]).toEqual({
      name: 'e0',
      status: 'FAILED',
      startedAt: '2026-03-02T12:00:00.000Z',
      endedAt: '2026-03-02T12:10:00.000Z',
    });
    expect(calls.map(({ statusFilter, nextToken }) => [statusFilter, nextToken])).toEqual([
      ['FAILED', undefined],
      ['FAILED', '1000'],
      ['FAILED', '2000'],
    ]);
  });

  it('are read no further than to the moment that is asked for, that one included', async () => {
    const found = await listing.ended('ABORTED', { startedSince: new Date('2026-03-02T09:00:00Z') });
    expect(found.map(({ name }) => name)).toEqual(['e0', 'e1', 'e2', 'e3']);
    expect(calls).toHaveLength(1);
  });

  it('are no more than are asked for', async () => {
    expect(await listing.ended('SUCCEEDED', { atMost: 300 })).toHaveLength(300);
    expect(calls.map(({ maxResults }) => maxResults)).toEqual([300]);
    expect(await listing.ended('SUCCEEDED', { atMost: 1500 })).toHaveLength(1500);
  });

  it('may not be seen by everybody', async () => {
    isDenied = true;
    await expect(listing.ended('FAILED', {})).rejects.toThrow(RequestRefusedError);
  });
});
