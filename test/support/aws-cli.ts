import { execFile, spawnSync } from 'node:child_process';
import * as z from 'zod';

/** Whether the real `aws` command line is installed; says so loudly if it is not. */
export function awsCliInstalled(): boolean {
  const installed = spawnSync('aws', ['--version']).status === 0;
  if (!installed)
    console.warn('\n*** SKIPPED: the aws command line is not installed, so nothing was tried with it ***\n');
  return installed;
}

/** Runs `aws …` and answers what it printed, as JSON; rejects with what it complained about. */
export type AwsCli = (command: string) => Promise<unknown>;

/** The real `aws` command line as an account, against an endpoint. Words are parted by spaces. */
export function awsCli(account: string, endpoint: string): AwsCli {
  return (command) =>
    new Promise((resolve, reject) => {
      const env = {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: account,
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_MAX_ATTEMPTS: '1',
        AWS_PAGER: '',
      };
      execFile('aws', [...command.split(' '), '--output', 'json'], { env }, (error, stdout, stderr) => {
        if (error !== null) reject(new Error(stderr.trim()));
        else resolve(stdout.trim() === '' ? {} : JSON.parse(stdout));
      });
    });
}

/** What a command with `--query` printed, if it is one text. */
export async function asText(answer: Promise<unknown>): Promise<string> {
  return z.string().parse(await answer);
}
