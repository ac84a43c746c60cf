import type { ChildProcess } from 'node:child_process';
import { DeleteSnapshotCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LedgerView } from '../stories/ledger-view.ts';
import { FRANKFURT, newWorld, VIRGINIA, type World } from '../stories/world.ts';
import { runCli } from '../support/cli.ts';

const report = z.object({
  dryRun: z.boolean(),
  copies: z.array(z.object({ snapshotId: z.string(), destination: z.string(), action: z.literal('copy') })),
  totals: z.object({ together: z.object({ toCopy: z.object({ copies: z.number() }) }) }),
  asked: z.object({
    accepted: z.number(),
    known: z.number(),
    refused: z.array(z.object({ snapshotId: z.string(), destination: z.string(), reason: z.string() })),
    left: z.number(),
  }),
});

/** So many snapshots, of a volume each, of which the service does not hear. */
async function unheard(world: World, number: number, backup: string): Promise<readonly string[]> {
  world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot', times: number });
  const ids: string[] = [];
  for (let made = 0; made < number; made++) ids.push(await world.startSnapshot({ Backup: backup }));
  await world.pass('1 min');
  return ids;
}

describe('snapshot-copier backfill', () => {
  it('shows what it comes to and asks for nothing unless somebody says yes', async () => {
    const world = await newWorld();
    const [first = '', second = ''] = await unheard(world, 2, 'nightly');
    const nobody = await runCli(world.sandbox, ['backfill', '--since', '1d', '--destination', FRANKFURT]);
    expect(nobody).toEqual({
      code: 2,
      stdout: `\
2 copies are missing of 2 snapshots of the last 1d in eu-west-1.

TO            COPY  FULL  GIB   ONCE  A MONTH  UNDER WAY  FAILED  EXIST  SKIPPED
eu-central-1     2     2   16  $0.32    $0.86          0       0      0        0

Assumptions, not a quotation:
  GIB: a full copy moves every block that holds data, an incremental one the 3 % that differ
  from the snapshot before (--change-rate).
  ONCE and A MONTH: US dollars, list prices as found in November 2026, per GiB:
    eu-west-1 to eu-central-1: transfer $0.02, storage $0.054 a month
`,
      stderr: 'Ask for 2 copies (about 16 GiB, $0.32 once and $0.86 a month)? Nobody can answer here: give --yes.\n',
    });

    const shown = await runCli(world.sandbox, ['backfill', '--since', '1d', '--dry-run']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    const lines = shown.stdout.split('\n').filter((line) => line.startsWith('copy '));
    expect(lines.map((line) => line.split(/ +/).slice(1, 3).join(' ')).toSorted()).toEqual(
      [first, second].flatMap((id) => [`${id} ${FRANKFURT}`, `${id} ${VIRGINIA}`]).toSorted(),
    );
    expect(await new LedgerView(world).requests()).toEqual([]);
  });

  it('asks for what was never copied and for what is gone, and leaves failures to retry and dry runs alone', async () => {
    const world = await newWorld();
    const gone = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('1 h');
    const SnapshotId = world.copies(gone, FRANKFURT)[0]?.snapshotId;
    await world.ec2(FRANKFURT).send(new DeleteSnapshotCommand({ SnapshotId }));
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Given key ID is not accessible' });
    const failed = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('1 h');
    const [never = ''] = await unheard(world, 1, 'three-at-once');
    await unheard(world, 1, 'dry-run');
    await unheard(world, 1, 'none');

    const { code, stdout, stderr } = await runCli(world.sandbox, ['backfill', '--since', '1d', '--yes']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('2 copies are missing of 5 snapshots of the last 1d in eu-west-1.');
    expect(stdout).toContain('\n1 copy that failed is left to `snapshot-copier retry`.\n');
    expect(stdout).toContain('\n1 copy is not asked for, because of dryRun: true in dry-run.\n');
    expect(stdout).toMatch(/\n2 copies asked for\. `snapshot-copier status` shows the queue\.\n$/);
    const ledger = new LedgerView(world);
    expect(await ledger.request(failed)).toMatchObject({ status: 'failed', attempt: 1 });

    await world.pass('1 h');
    for (const snapshotId of [gone, never]) {
      expect(await ledger.request(snapshotId)).toMatchObject({ status: 'copied' });
      const complete = world.copies(snapshotId, FRANKFURT).filter(({ state }) => state === 'completed');
      expect(complete.map(({ snapshotId: id }) => id !== SnapshotId)).toEqual([true]);
    }
    const again = await runCli(world.sandbox, ['backfill', '--since', '1d', '--yes']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('No copy is missing of 5 snapshots');
  });

  it('does nothing twice, however it is interrupted: by Ctrl-C, by being killed, by trouble in AWS', async () => {
    const world = await newWorld();
    const { sandbox } = world;
    const ids = await unheard(world, 230, 'three-at-once');
    const command = ['backfill', '--since', '1d', '--yes'];
    const realTime = (ms: number) =>
      new Promise<void>((resolve) => {
        sandbox.clock.afterReal(ms, resolve);
      });
    const written = () => sandbox.dynamodb.callCounts().get('PutItem') ?? 0;
    /** Ends the process as soon as it has written some requests, and waits until the function has done with its batch. */
    async function interrupted(signal: NodeJS.Signals) {
      const process: { child?: ChildProcess; ended?: true } = {};
      const before = written();
      // What it comes to is printed before the first request.
      const watch = (_: unknown, child: ChildProcess) => {
        process.child = child;
      };
      const end = runCli(sandbox, command, { watch }).finally(() => {
        process.ended = true;
      });
      while (process.ended !== true && written() - before < 10) await realTime(5);
      process.child?.kill(signal);
      const run = await end;
      for (let count = 0; count !== written(); await realTime(500)) count = written();
      return run;
    }

    const stopped = await interrupted('SIGINT');
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toMatch(/\n100 copies asked for, 130 left, as it was interrupted\./);
    expect(stopped.stderr).toBe('The same command again goes on with what is left; nothing is copied twice.\n');

    const killed = await interrupted('SIGKILL');
    expect(killed.code).toBeNull();

    sandbox.dynamodb.faults.add({ kind: 'error', action: 'PutItem', code: 'ValidationException', times: 5 });
    const troubled = await runCli(sandbox, [...command, '--json']);
    expect(troubled.code).toBe(1);
    const { copies, asked } = report.parse(JSON.parse(troubled.stdout));
    expect(copies).toHaveLength(30);
    expect(asked.refused).toHaveLength(5);
    expect(asked.refused[0]?.reason).toContain('ValidationException');
    expect(asked).toMatchObject({ accepted: 25, known: 0, left: 0 });

    const last = await runCli(sandbox, [...command, '--json']);
    expect(last.code).toBe(0);
    expect(report.parse(JSON.parse(last.stdout)).asked).toEqual({ accepted: 5, known: 0, refused: [], left: 0 });
    const requests = await new LedgerView(world).requests();
    expect(requests.map(({ request }) => request.source.snapshotId).toSorted()).toEqual(ids.toSorted());

    await world.pass('25 min');
    const sources = world.sandbox.ec2.snapshots({ region: FRANKFURT }).map(({ copy }) => copy?.sourceSnapshotId);
    expect(sources.length).toBeGreaterThan(5);
    expect(new Set(sources).size).toBe(sources.length);
  });

  it.each([
    [[], "required option '--since <age>' not specified"],
    [['--since', 'yesterday'], 'It takes an age of at most 3650d, for example 7d or 24h.'],
    [
      ['--since', '1d', '--rule', 'nightly', 'nigthly'],
      '--rule nigthly is not in the deployed rules, which have: nightly, key-by-arn',
    ],
    [
      ['--since', '1d', '--destination', 'ap-south-1'],
      '--destination ap-south-1 is not in the deployed rules, which have: eu-central-1, ',
    ],
  ])('says what is wrong with %j, and does nothing', async (args, said) => {
    const world = await newWorld();
    const { code, stdout, stderr } = await runCli(world.sandbox, ['backfill', ...args, '--yes']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });
});
