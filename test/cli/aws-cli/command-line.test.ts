import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../cli/aws-cli/arguments.ts';
import { printed } from '../../../cli/aws-cli/output.ts';
import type { Files } from '../../../cli/aws-cli/param-files.ts';
import { applyQuery } from '../../../cli/aws-cli/query.ts';
import { inputSkeleton, outputSkeleton } from '../../../cli/aws-cli/skeleton.ts';
import { unpackParameters } from '../../../cli/aws-cli/unpack.ts';
import { validInput } from '../../../cli/aws-cli/validation.ts';
import { CliProblem } from '../../../cli/cli-problem.ts';

// All of this is compared with the AWS command line itself in side-by-side.test.ts, where that is installed.

const COPY = ['--source-region', 'eu-west-1', '--source-snapshot-id', 'snap-1'];

const FILES: Files = {
  read: (path) => {
    if (path === '/home/me/tags.json') return new TextEncoder().encode('[{"ResourceType":"snapshot"}]');
    if (path === 'two-lines') return new TextEncoder().encode('one\r\ntwo\r');
    if (path === 'binary') return Uint8Array.of(0x22, 0xff, 0x0a);
    throw Object.assign(new Error('open'), { errno: -2 });
  },
  environment: { HOME: '/home/me', NAME: 'two' },
};

const read = (...args: readonly string[]) => validInput(unpackParameters(parseArguments(args), FILES));

/** What is said, and the exit code. */
function problem(...args: readonly string[]): string {
  try {
    read(...args);
  } catch (error) {
    if (error instanceof CliProblem) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('the parameters', () => {
  it('come from options, in shorthand and in JSON', () => {
    expect(
      read(
        ...COPY,
        '--encrypted',
        '--completion-duration-minutes',
        '60',
        '--tag-specifications',
        'Tags={Key=a,Value=b}',
      ),
    ).toEqual({
      SourceRegion: 'eu-west-1',
      SourceSnapshotId: 'snap-1',
      Encrypted: true,
      CompletionDurationMinutes: 60,
      TagSpecifications: [{ Tags: [{ Key: 'a', Value: 'b' }] }],
    });
    expect(
      read(...COPY, '--tag-specifications', '{"ResourceType":"a"}', '{"ResourceType":"b"}').TagSpecifications,
    ).toEqual([{ ResourceType: 'a' }, { ResourceType: 'b' }]);
  });

  it('come from files', () => {
    expect(read(...COPY, '--tag-specifications', 'file://~/tags.json').TagSpecifications).toEqual([
      { ResourceType: 'snapshot' },
    ]);
    expect(read(...COPY, '--description', 'file://$NAME-lines').Description).toBe('one\ntwo\n');
    expect(read(...COPY, '--description', ['file://$', 'NAME}-lines'].join('{')).Description).toBe('one\ntwo\n');
    expect(problem(...COPY, '--description', 'fileb://binary')).toBe(
      `255 \nParameter validation failed:\nInvalid type for parameter Description, value: b'"\\xff\\n', type: <class 'bytes'>, valid types: <class 'str'>`,
    );
    expect(problem(...COPY, '--description', 'file://binary')).toContain(
      "255 \nError parsing parameter '--description': Unable to load paramfile (binary), text contents could not be decoded.",
    );
    expect(problem(...COPY, '--description', 'file://$NOBODY')).toBe(
      "255 \nError parsing parameter '--description': Unable to load paramfile file://$NOBODY: [Errno 2] No such file or directory: '$NOBODY'",
    );
    expect(problem(...COPY, '--tag-specifications', 'fileb://binary')).toContain('use file:// for fileb://binary');
  });

  it('come from JSON as a whole, and an option wins', () => {
    const json = '{"SourceRegion":"us-east-1","SourceSnapshotId":"snap-2","Encrypted":true}';
    expect(read('--cli-input-json', json, '--source-region', 'eu-west-1', '--no-encrypted')).toEqual({
      SourceRegion: 'eu-west-1',
      SourceSnapshotId: 'snap-2',
      Encrypted: false,
    });
  });
});

describe('a mistake', () => {
  it.each<[readonly string[], string]>([
    [
      ['--source-region', 'x'],
      '2 usage: snapshot-copier copy-snapshot [options]\nTo see help text, you can run:\n\n  snapshot-copier copy-snapshot --help\n\nsnapshot-copier: error: the following arguments are required: --source-snapshot-id',
    ],
    [
      [...COPY, '--foo'],
      '255 usage: snapshot-copier copy-snapshot [options]\nTo see help text, you can run:\n\n  snapshot-copier copy-snapshot --help\n\nUnknown options: --foo',
    ],
    [[...COPY, '--completion-duration-minutes', '1h'], "255 \ninvalid literal for int() with base 10: '1h'"],
    [
      ['--cli-input-json', '{"SourceRegion":5,"Tags":{}}'],
      '255 \nParameter validation failed:\nMissing required parameter in input: "SourceSnapshotId"\nUnknown parameter in input: "Tags", must be one of: Description, DestinationOutpostArn, DestinationRegion, Encrypted, KmsKeyId, PresignedUrl, SourceRegion, SourceSnapshotId, TagSpecifications, CompletionDurationMinutes, DestinationAvailabilityZone, DryRun\nInvalid type for parameter SourceRegion, value: 5, type: <class \'int\'>, valid types: <class \'str\'>',
    ],
    [
      [...COPY, '--cli-input-json', '[]'],
      "255 \nError parsing parameter 'cli-input-json': Invalid JSON: it takes an object\nJSON received: []",
    ],
    [[...COPY, '--query', 'a b'], '255 \nBad value for --query a b: '],
    [[...COPY, '--endpoint-url', 'localhost'], '255 \nBad value for --endpoint-url "localhost": scheme is missing.'],
    [
      [...COPY, '--tag-specifications', 'a'],
      "255 \nError parsing parameter '--tag-specifications': Expected: '=', received: 'EOF' for input:\na\n ^",
    ],
  ])('%j is told, and the exit code is that of aws', (args, said) => {
    expect(problem(...args)).toContain(said);
  });
});

describe('what is printed', () => {
  it('is JSON with four spaces, or lines with tabs, as aws has them', () => {
    const answer = { Tags: [{ Key: 'a', Value: 'b' }], SnapshotId: 'snap-1' };
    expect(printed(answer, 'json')).toBe(
      '{\n    "Tags": [\n        {\n            "Key": "a",\n            "Value": "b"\n        }\n    ],\n    "SnapshotId": "snap-1"\n}',
    );
    expect(printed(answer, 'text')).toBe('snap-1\nTAGS\ta\tb');
    expect(printed(applyQuery('[SnapshotId, Nothing, `true`]', answer), 'text')).toBe('snap-1\tNone\tTrue');
    expect(printed({}, 'json')).toBeUndefined();
    expect(printed([], 'text')).toBeUndefined();
  });

  it('is what a query finds, also with the literals of old', () => {
    const answer = { Tags: [{ Key: 'Name', Value: 'b' }] };
    expect(applyQuery('Tags[?Key==`Name`].Value | [0]', answer)).toBe('b');
    expect(applyQuery('Tags[?Key==`"Name"`].Value | [0]', answer)).toBe('b');
    expect(applyQuery("Tags[?Key=='`Name`'].Value | [0]", answer)).toBeNull();
  });

  it('is a skeleton that --cli-input-json takes', () => {
    const skeleton = inputSkeleton();
    expect(
      Object.keys(
        validInput(
          unpackParameters(
            parseArguments([
              '--cli-input-json',
              JSON.stringify({ ...Object(skeleton), CompletionDurationMinutes: 15 }),
            ]),
            FILES,
          ),
        ),
      ),
    ).toHaveLength(12);
    expect(outputSkeleton()).toEqual({ Tags: [{ Key: 'Key', Value: 'Value' }], SnapshotId: 'SnapshotId' });
  });
});
