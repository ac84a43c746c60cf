import { XMLBuilder } from 'fast-xml-parser';

type XmlValue = string | number | boolean | undefined | XmlTree | readonly XmlTree[];

/** The inside of an answer. `undefined` is left out. */
export interface XmlTree {
  readonly [name: string]: XmlValue;
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
const declaration = { '@version': '1.0', '@encoding': 'UTF-8' };

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#structure-of-a-query-response */
export function answerXml(action: string, requestId: string, body: XmlTree): string {
  return builder.build({
    '?xml': declaration,
    [`${action}Response`]: { '@xmlns': 'http://ec2.amazonaws.com/doc/2016-11-15/', requestId, ...body },
  });
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#api-error-response */
export function errorXml(requestId: string, code: string, message: string): string {
  return builder.build({
    '?xml': declaration,
    Response: { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId },
  });
}

/** A list as EC2 writes it. */
export function items(list: readonly XmlTree[]): XmlTree {
  return { item: list };
}

/** The virtual clock puts a Date in its place that is several times slower. */
const PlainDate = Date;

export function isoTime(ms: number): string {
  return new PlainDate(ms).toISOString();
}
