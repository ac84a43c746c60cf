import type { Ended } from './real-aws-cli.ts';
import type { RecordingEc2 } from './recording-ec2.ts';

/** What a command line did, as far as a script can tell, and what EC2 heard of it. */
interface Seen {
  readonly code: number | null;
  readonly stdout: string;
  readonly said: string;
  readonly asked: readonly string[] | 'nothing';
}

/** The same for both command lines, if they do the same. */
export function seen({ code, stdout, stderr }: Ended, ec2: RecordingEc2, caller: string): Seen {
  const call = ec2.call(caller);
  return {
    code,
    // The skeleton of `aws` has any of the resource types, by chance.
    stdout: stdout.replace(/"ResourceType": "[a-z0-9-]+"/, '"ResourceType": "snapshot"'),
    said: inEssence(stderr),
    asked: call === undefined ? 'nothing' : [call.signedBy, ...parametersOf(call.asked)],
  };
}

/** But for the order, and for what makes a presigned URL one of its moment, and of its endpoint. */
function parametersOf(call: URLSearchParams): readonly string[] {
  return [...call]
    .flatMap(([name, value]) => {
      if (name !== 'PresignedUrl' || !URL.canParse(value)) return [`${name}=${value}`];
      return (
        [...new URL(value).searchParams]
          .filter(([each]) => !/^X-Amz-(?:Credential|Date|Signature|Security-Token)$/.test(each))
          // The SDK for JavaScript signs the text [object Object] here; EC2 takes the tags from the call itself.
          .filter(([each]) => !each.startsWith('TagSpecification'))
          .map((each) => `PresignedUrl: ${each.join('=')}`)
      );
    })
    .toSorted();
}

/** What is said, without the usage, which the two have of their own, and the retries, which ours has not. */
function inEssence(stderr: string): string {
  return (
    stderr
      .replace(/^[\s\S]*?\n(?:aws|snapshot-copier): error: /, 'error: ')
      .replace(/^usage: [\s\S]*?\n\n(?=Unknown options: )/, '')
      .replace(' (reached max retries: 0)', '')
      // This version of `aws` has a mistake here, and prints no location.
      .replace(/(for input:\n)[\s\S]*/, '$1')
      // What is wrong with JSON each language says in its own way.
      .replace(/(Invalid JSON: )[^\n]*/, '$1')
  );
}
