import { describe, expect, it } from 'vitest';
import type { Profiles } from '../../../aws/shared-config.ts';
import { parseArguments } from '../../../cli/aws-cli/arguments.ts';
import { regionIn, settingsOf } from '../../../cli/aws-cli/settings.ts';
import { CliProblem } from '../../../cli/cli-problem.ts';

const COPY = ['--source-region', 'eu-west-1', '--source-snapshot-id', 'snap-1'];
const PROFILES: Profiles = new Map([
  ['default', { region: 'eu-central-1', output: 'table', ca_bundle: '/etc/bundle.pem' }],
  ['dr', { region: 'eu-north-1' }],
]);

const settings = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  settingsOf(parseArguments([...COPY, ...args]), environment, PROFILES);

describe('settings that version 1 of the AWS command line does not know, or knows otherwise', () => {
  it('AWS_REGION wins over AWS_DEFAULT_REGION, as in version 2; what is empty is not there', () => {
    expect(settings([], { AWS_REGION: 'eu-west-3', AWS_DEFAULT_REGION: 'eu-west-2' }).region).toBe('eu-west-3');
    expect(settings([], { AWS_REGION: '', AWS_DEFAULT_REGION: '' }).region).toBe('eu-central-1');
    expect(settings(['--region', ''], {}).region).toBe('eu-central-1');
  });

  it('there are no tables: who usually has them gets JSON, and is told so', () => {
    expect(settings([])).toMatchObject({
      output: 'json',
      remarks: [expect.stringMatching(/^There is no output as a table/)],
    });
    expect(settings(['--json'])).toMatchObject({ output: 'json', remarks: [] });
    expect(settings(['--output', 'text'])).toMatchObject({ output: 'text', remarks: [] });
    expect(settings(['--profile', 'dr'], { AWS_DEFAULT_OUTPUT: 'text' })).toMatchObject({
      output: 'text',
      remarks: [],
    });
    expect(settings(['--profile', 'dr', '--json'], { AWS_DEFAULT_OUTPUT: 'text' })).toMatchObject({ output: 'json' });
  });

  it.each([
    [['--output', 'table'], {}, /^\n--output table is not possible/],
    [['--no-sign-request'], {}, /^\n--no-sign-request is not possible/],
    [[], { AWS_DEFAULT_OUTPUT: 'yaml' }, /^\nUnknown output type: yaml$/],
  ] as const)('%j with %j is refused', (args, environment, message) => {
    expect(() => settings(args, environment)).toThrow(message);
  });

  it('whom to trust may stand in three places', () => {
    expect(settings([]).caBundle).toBe('/etc/bundle.pem');
    expect(settings([], { AWS_CA_BUNDLE: 'env.pem' }).caBundle).toBe('env.pem');
    expect(settings(['--ca-bundle', 'own.pem'], { AWS_CA_BUNDLE: 'env.pem' }).caBundle).toBe('own.pem');
  });

  it('--debug is no error, and shows nothing', () => {
    expect(settings(['--debug', '--json']).remarks).toEqual([expect.stringMatching(/^--debug shows nothing/)]);
  });

  it('a Region has to be one', () => {
    expect(regionIn(settings(['--profile', 'dr']))).toBe('eu-north-1');
    expect(() => regionIn({ output: 'json', remarks: [] })).toThrow(CliProblem);
  });
});

describe('our own options', () => {
  it('stand anywhere, and change no abbreviation of the AWS command line', () => {
    const { own, globals, given } = parseArguments([
      '--stack',
      'prod',
      '--d',
      '--wait',
      '--descr',
      'x',
      '--direct',
      '--stack-region=eu-west-1',
      '--json',
      ...COPY,
    ]);
    expect(own).toEqual({ wait: true, direct: true, json: true, stack: 'prod', stackRegion: 'eu-west-1' });
    expect(globals.debug).toBe(true);
    expect(Object.fromEntries(given)).toEqual({
      Description: 'x',
      SourceRegion: 'eu-west-1',
      SourceSnapshotId: 'snap-1',
    });
    expect(parseArguments(COPY).own).toEqual({ wait: false, direct: false, json: false });
    expect(() => parseArguments([...COPY, '--st', 'x'])).toThrow(
      /^usage: snapshot-copier [\s\S]*Unknown options: --st, x$/,
    );
  });

  it('of version 2 of the AWS command line are no mistake', () => {
    const options = ['--no-cli-pager', '--no-cli-auto-prompt', '--cli-binary-format', 'raw-in-base64-out'];
    expect(parseArguments([...COPY, ...options]).given.size).toBe(2);
  });

  it('`help` is help, wherever it stands, and whatever else is wrong', () => {
    expect(parseArguments(['help', '--foo', ...COPY]).help).toBe(true);
    expect(parseArguments([...COPY, '--encrypted', 'help']).help).toBe(true);
  });
});
