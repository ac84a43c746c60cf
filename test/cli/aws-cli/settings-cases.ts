import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsCliCase } from './real-aws-cli.ts';

export const CREDENTIALS = { AWS_ACCESS_KEY_ID: '444455556666', AWS_SECRET_ACCESS_KEY: 'secret' };

const COPY = ['--source-region', 'eu-west-1', '--source-snapshot-id', 'snap-1'];

/** Profiles in files; answers the variables that lead to them. */
export function writeConfiguration(folder: string): Readonly<Record<string, string>> {
  const files = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') };
  writeFileSync(
    files.AWS_CONFIG_FILE,
    [
      '[default]',
      'region = eu-central-1',
      'output = text',
      '[profile dr]',
      'region = eu-north-1',
      '[profile bare]',
      'retry_mode = standard',
      '[profile odd]',
      'region = eu-north-1',
      'output = parchment',
    ].join('\n'),
  );
  writeFileSync(
    files.AWS_SHARED_CREDENTIALS_FILE,
    [
      '[default]',
      'aws_access_key_id = 111111111111',
      'aws_secret_access_key = secret',
      '[dr]',
      'aws_access_key_id = 222222222222',
      'aws_secret_access_key = secret',
    ].join('\n'),
  );
  return files;
}

/** Where credentials, Region and output may come from, alone and against each other. */
export function settingsCases(files: Readonly<Record<string, string>>): readonly AwsCliCase[] {
  const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
    [[], {}],
    [[], CREDENTIALS],
    [['--profile', 'dr'], {}],
    [['--profile', 'dr'], CREDENTIALS],
    [[], { AWS_PROFILE: 'dr' }],
    [[], { ...CREDENTIALS, AWS_PROFILE: 'dr' }],
    [[], { AWS_PROFILE: 'nobody', AWS_DEFAULT_PROFILE: 'dr' }],
    [['--profile', 'default'], { ...CREDENTIALS, AWS_PROFILE: 'dr' }],
    [[], { AWS_DEFAULT_REGION: 'eu-south-1' }],
    [['--region', 'eu-south-2'], { AWS_DEFAULT_REGION: 'eu-south-1', AWS_PROFILE: 'dr' }],
    [[], { AWS_DEFAULT_OUTPUT: 'json' }],
    [['--output', 'json'], { AWS_DEFAULT_OUTPUT: 'text' }],
    [['--output', 'text'], { AWS_PROFILE: 'dr' }],
    [['--output', 'json'], { ...CREDENTIALS, AWS_DEFAULT_OUTPUT: 'parchment' }],
    [[], { ...CREDENTIALS, AWS_PROFILE: 'nobody' }],
    [['--profile', 'nobody'], CREDENTIALS],
    [[], { ...CREDENTIALS, AWS_PROFILE: 'bare' }],
    [['--output', 'json'], { ...CREDENTIALS, AWS_PROFILE: 'odd' }],
    [['--region', 'eu-south-2'], { AWS_PROFILE: 'bare' }],
    [['--region', 'eu-south-2', '--profile', 'bare'], CREDENTIALS],
  ];
  return cases.map(([options, environment]) => ({
    args: [...options, ...COPY],
    environment: { ...files, ...environment },
  }));
}
