import { describe, expect, it } from 'vitest';
import { redact } from '../../core/redact.ts';

describe('text for logs and mail', () => {
  it.each([
    [
      'a presigned URL',
      'bad PresignedUrl https://ec2.eu-west-1.amazonaws.com/?Action=CopySnapshot&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEX%2F&X-Amz-Signature=00ff here',
      'bad PresignedUrl (URL left out) here',
    ],
    [
      'a presigned URL inside a request body',
      'PresignedUrl=https%3A%2F%2Fec2.eu-west-1.amazonaws.com%2F%3FAction%3DCopySnapshot%26X-Amz-Signature%3D00ff here',
      'PresignedUrl=(URL left out) here',
    ],
    [
      'parts of a signature',
      'X-Amz-Signature=00ff, X-Amz-Security-Token: abc "X-Amz-Credential=ASIA/x"',
      '(signature left out) (signature left out) "(signature left out)"',
    ],
    ['an access key', 'key ASIAIOSFODNN7EXAMPLE is old', 'key (access key left out) is old'],
    ['a session token', 'SessionToken=IQoJb3Jp&x session_token: "IQoJ"', '(token left out)&x (token left out)"'],
    ['a bare token', `token ${'Ab1+/='.repeat(30)} end`, 'token (left out) end'],
    [
      'an encoded authorisation message',
      'You are not authorized. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm-abc_def',
      'You are not authorized.',
    ],
  ])('has no %s', (_, given, left) => {
    expect(redact(given)).toBe(left);
  });

  it('keeps ids, ARNs, plain links and times', () => {
    const plain = [
      'Source snapshot snap-0a1b2c3d4e5f60718 is not found at 2026-03-02T04:09:51.204Z',
      `arn:aws:states:eu-west-1:444455556666:execution:${'m'.repeat(80)}:${'e'.repeat(80)}`,
      'arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666',
      'https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html',
    ].join(' ');
    expect(redact(plain)).toBe(plain);
  });
});
