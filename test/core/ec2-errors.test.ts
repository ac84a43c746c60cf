import { createServer, type RequestListener } from 'node:http';
import { CopySnapshotCommand, EC2Client } from '@aws-sdk/client-ec2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AboutCall, inOurWords, readEc2Answer } from '../../core/ec2-errors.ts';
import { NotYetVisibleError } from '../../core/errors.ts';

const copying: AboutCall = { call: 'CopySnapshot', snapshotId: 'snap-0a1b2c3d4e5f60718', region: 'eu-central-1' };
const looking: AboutCall = { call: 'DescribeSnapshots', snapshotId: 'snap-0c0c0c0c0c0c0c0c0', region: 'eu-central-1' };

/** An error as the SDK makes it from EC2's answer. */
function ec2Error(name: string, message = 'EC2 words', httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode, attempts: 1 } });
}

describe("EC2's errors in our words", () => {
  it.each([
    ['ResourceLimitExceeded', 'CopySlotsTakenError'],
    ['RequestLimitExceeded', 'ThrottledError'],
    ['IncorrectState', 'NotYetVisibleError'],
    ['UnauthorizedOperation', 'RequestRefusedError'],
    ['InvalidParameterValue', 'RequestRefusedError'],
    ['DryRunOperation', 'RequestRefusedError'],
    ['BrandNewError', 'RequestRefusedError'],
  ])('%s becomes %s, for whichever call', (code, name) => {
    expect(inOurWords(ec2Error(code), copying).name).toBe(name);
    expect(inOurWords(ec2Error(code), looking).name).toBe(name);
  });

  it.each([
    ['EC2 failed', ec2Error('InternalError', 'x', 500)],
    ['an answer that nobody can read', ec2Error('SyntaxError', 'Unexpected token', 200)],
    ['no answer', Object.assign(new Error('socket hang up'), { name: 'TimeoutError', $metadata: { attempts: 1 } })],
    ['an answer without a snapshot id', new Error('the answer has no SnapshotId')],
    ['something that is no error', 'oops'],
  ])('after %s a copy may have begun, but a look changed nothing', (_, error) => {
    expect(inOurWords(error, copying).name).toBe('CopyOutcomeUnknownError');
    expect(inOurWords(error, looking).name).toBe('ServiceTroubleError');
  });

  it('a copy that was refused for old credentials has not begun', () => {
    expect(inOurWords(ec2Error('RequestExpired', 'x', 400), copying).name).toBe('ServiceTroubleError');
  });

  it('say what, for which snapshot and destination, in whose words, and what to do', () => {
    const error = ec2Error('ResourceLimitExceeded', 'Too many snapshot copies in progress.');
    expect(inOurWords(error, { ...copying, destination: 'eu-central-1-ham-1a' }).message).toBe(
      'All copy slots of eu-central-1-ham-1a are taken: snap-0a1b2c3d4e5f60718 has to wait. Nothing to do but be patient. CopySnapshot of snap-0a1b2c3d4e5f60718 in eu-central-1: EC2 says ResourceLimitExceeded: Too many snapshot copies in progress.',
    );
    expect(inOurWords(ec2Error('TagLimitExceeded', 'Too many.'), { ...looking, call: 'CreateTags' }).message).toBe(
      'EC2 refuses CreateTags of snap-0c0c0c0c0c0c0c0c0 and would refuse it again. A snapshot takes 50 tags: remove some, or copy fewer (tags of the destination in copy-rules.yml). CreateTags of snap-0c0c0c0c0c0c0c0c0 in eu-central-1: EC2 says TagLimitExceeded: Too many.',
    );
  });

  it('hold no secret, and keep the original as the cause', () => {
    const error = ec2Error(
      'UnauthorizedOperation',
      'You are not authorized.\n Encoded authorization failure message: abc_DEF-123 https://ec2.eu-west-1.amazonaws.com/?X-Amz-Signature=00ff',
      403,
    );
    const ours = inOurWords(error, copying);
    expect(ours.message).toMatch(/EC2 says UnauthorizedOperation: You are not authorized\. \(URL left out\)$/);
    expect(ours.cause).toBe(error);
  });

  it('take the code of a system error, which is named just Error', () => {
    const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    expect(inOurWords(refused, looking).message).toMatch(/: no answer from EC2 but ECONNREFUSED: $/);
    expect(inOurWords(Object.assign(new Error('x'), { name: 'two words' }), looking).message).toMatch(
      /no answer from EC2 but UnknownError: x$/,
    );
    expect(inOurWords({ name: '', message: 5, code: '' }, looking).message).toMatch(/but UnknownError: $/);
  });

  it('let our own errors pass, and mistakes in our own code too', () => {
    const own = new NotYetVisibleError('x');
    expect(inOurWords(own, looking)).toBe(own);
    for (const mistake of [new TypeError('x'), new RangeError('x'), new ReferenceError('x'), new SyntaxError('x')]) {
      expect(inOurWords(mistake, copying)).toBe(mistake);
    }
  });
});

describe("EC2's answer in a message", () => {
  it('reads back as it was written, whatever EC2 says', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => text.replaceAll(/\s+/g, ' ').trim());
    const code = fc
      .stringMatching(/^[A-Za-z][A-Za-z.]{0,40}$/)
      .filter((name) => !/^(Error|AggregateError)$/.test(name));
    fc.assert(
      fc.property(code, words, fc.constantFrom(copying, looking), (name, said, about) => {
        const error = ec2Error(name, `${said} CopySnapshot of a in b: EC2 says C: d`, 400);
        expect(readEc2Answer(inOurWords(error, about).message)).toEqual({
          ...about,
          code: name,
          words: `${said} CopySnapshot of a in b: EC2 says C: d`.trim(),
          fromEc2: true,
        });
      }),
    );
  });

  it('is known not to come from EC2 if none came', () => {
    const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    expect(readEc2Answer(inOurWords(error, copying).message)).toMatchObject({
      code: 'ECONNRESET',
      words: 'socket hang up',
      fromEc2: false,
    });
  });

  it.each(['', 'The copy could not begin before its deadline.', 'Reboot of x in y: EC2 says No: no'])(
    'is not seen in "%s"',
    (message) => {
      expect(readEc2Answer(message)).toBeUndefined();
    },
  );

  it('is cut after 1,000 characters', () => {
    expect(readEc2Answer(inOurWords(ec2Error('Blocked', 'no '.repeat(1000)), looking).message)?.words).toHaveLength(
      1000,
    );
  });
});

describe('errors as the SDK throws them', () => {
  const answerWith =
    (status: number, body: string): RequestListener =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    };
  const errorXml = (code: string, message: string) =>
    `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>1</RequestID></Response>`;

  it.each<[string, RequestListener, string, string]>([
    [
      'a busy Region',
      answerWith(400, errorXml('ResourceLimitExceeded', 'Too many.')),
      'CopySlotsTakenError',
      'EC2 says ResourceLimitExceeded: Too many.',
    ],
    [
      'throttling',
      answerWith(503, errorXml('RequestLimitExceeded', 'Slow.')),
      'ThrottledError',
      'EC2 says RequestLimitExceeded: Slow.',
    ],
    [
      'a refusal',
      answerWith(403, errorXml('UnauthorizedOperation', 'No.')),
      'RequestRefusedError',
      'EC2 says UnauthorizedOperation: No.',
    ],
    ['a broken proxy', answerWith(502, '<html>Bad Gateway</html>'), 'CopyOutcomeUnknownError', 'EC2 says '],
    ['an unreadable answer', answerWith(200, 'not XML <'), 'CopyOutcomeUnknownError', 'EC2 says '],
    [
      'a connection that breaks',
      (request) => request.socket.destroy(),
      'CopyOutcomeUnknownError',
      'no answer from EC2 but ',
    ],
  ])('%s', async (_, listener, name, tail) => {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const ours = inOurWords(await errorOfCopy(endpoint), copying);
    server.close();
    expect(ours).toMatchObject({ name });
    expect(ours.message).toContain(`CopySnapshot of snap-0a1b2c3d4e5f60718 in eu-central-1: ${tail}`);
    expect(ours.message).not.toMatch(/X-Amz|PresignedUrl|the-session-token/i);
  });

  it('nobody there', async () => {
    const ours = inOurWords(await errorOfCopy('http://127.0.0.1:1'), copying);
    expect(ours.name).toBe('CopyOutcomeUnknownError');
    expect(ours.message).toContain('no answer from EC2 but ');
  });

  async function errorOfCopy(endpoint: string): Promise<unknown> {
    const credentials = { accessKeyId: 'x', secretAccessKey: 'y', sessionToken: 'the-session-token' };
    const client = new EC2Client({ region: 'eu-central-1', endpoint, credentials, maxAttempts: 1 });
    try {
      return await client.send(
        new CopySnapshotCommand({ SourceRegion: 'eu-west-1', SourceSnapshotId: copying.snapshotId }),
      );
    } catch (error) {
      return error;
    } finally {
      client.destroy();
    }
  }
});
