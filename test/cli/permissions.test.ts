import { describe, expect, it, onTestFinished } from 'vitest';
import { startCliScene } from '../../sandbox/cli-scene.ts';
import { recordCalls } from '../support/call-recorder.ts';
import { runCli } from '../support/cli.ts';
import { documentedNeeds } from '../support/documented-needs.ts';
import { packagedService, SHIPPED_RULES } from '../support/packaged.ts';

const EVERY_COMMAND = documentedNeeds('every command').always;

describe('what docs/cli.md says that people need is what the commands call', () => {
  it('for each command', async () => {
    const { dir } = await packagedService('prod', SHIPPED_RULES);
    const { sandbox, snapshots } = await startCliScene(dir);
    onTestFinished(() => sandbox.stop());
    const copy = ['copy-snapshot', '--source-region', 'eu-west-1', '--source-snapshot-id', snapshots.untagged];
    const calls: Readonly<Record<string, readonly (readonly string[])[]>> = {
      plan: [['plan'], ['plan', snapshots.copied]],
      status: [['status']],
      audit: [['audit']],
      doctor: [['doctor']],
      backfill: [['backfill', '--since', '7d', '--yes']],
      retry: [
        ['retry', snapshots.failed],
        ['retry', '--all-failed', '--yes'],
      ],
      'copy-snapshot': [[...copy, '--region', 'eu-central-1', '--wait']],
    };
    for (const [command, runs] of Object.entries(calls)) {
      const recorder = await recordCalls(sandbox.endpoint);
      for (const args of runs) {
        const { code, stderr } = await runCli(sandbox, args, {
          env: { AWS_ENDPOINT_URL: recorder.endpoint },
          ...(command === 'copy-snapshot' && { pumpSeconds: 30 }),
        });
        expect(code, `${args.join(' ')}: ${stderr}`).toBeLessThan(2);
      }
      const { always, sometimes } = documentedNeeds(command);
      const called = recorder.actions().filter((action) => !EVERY_COMMAND.includes(action));
      expect(
        called.filter((action) => !sometimes.includes(action)),
        command,
      ).toEqual(always);
    }
  });
});
