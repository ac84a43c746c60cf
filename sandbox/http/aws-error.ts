import { XMLBuilder } from 'fast-xml-parser';
import { errorXml } from '../ec2/xml.ts';
import type { Answer } from './answer.ts';

/** How an API writes its errors. `rest-json` is Lambda's, `ec2` is EC2's own Query protocol. */
export type ErrorForm = 'ec2' | 'json' | 'query' | 'rest-json';

/** Of a request that EC2 itself never saw. */
const NO_REQUEST = '00000000-0000-4000-8000-000000000000';

/** An error in a form that the clients of an API can read. */
export function awsError(form: ErrorForm, code: string, message: string, status: number): Answer {
  switch (form) {
    case 'json': {
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      return { status, headers, body: JSON.stringify({ __type: code, message }) };
    }
    case 'rest-json': {
      const headers = { 'content-type': 'application/json', 'x-amzn-errortype': code };
      return { status, headers, body: JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message }) };
    }
    case 'ec2':
      return { status, headers: { 'content-type': 'text/xml' }, body: errorXml(NO_REQUEST, code, message) };
    case 'query': {
      const error = { Type: 'Sender', Code: code, Message: message };
      const body = new XMLBuilder().build({ ErrorResponse: { Error: error } });
      return { status, headers: { 'content-type': 'text/xml' }, body };
    }
    default:
      return form satisfies never;
  }
}

/** The code of an answer that is an error, in whatever form. */
export function codeOf({ headers, body }: Answer): string | undefined {
  const named =
    headers?.['x-amzn-errortype'] ?? /"__type":\s*"([^"]+)"/.exec(body)?.[1] ?? /<Code>([^<]+)</.exec(body)?.[1];
  return named?.split('#').at(-1);
}
