import { createHash } from 'node:crypto';
import * as z from 'zod';

/** fauxqs, which is SNS and SQS here, knows this account only. */
const FAUXQS_ACCOUNT = '000000000000';

const notification = z.looseObject({
  Type: z.literal('Notification'),
  TopicArn: z.string(),
  UnsubscribeURL: z.string(),
});
const received = z.looseObject({ Body: z.string() });

/** What users of topics and queues write themselves, in which nothing is to be changed. */
const OF_USERS = /^(Message|Subject|MessageBody|Entries|MessageAttributes(\..*)?)$/;

type Fields = Readonly<Record<string, unknown>>;

/** Lets the topics and queues of another account live in fauxqs: it sees its own account, callers see theirs. */
export class MessagingAccount {
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  /** Form-encoded parameters of SNS, for fauxqs. */
  paramsInside(params: URLSearchParams): URLSearchParams {
    const inside = new URLSearchParams();
    for (const [name, value] of params) inside.append(name, OF_USERS.test(name) ? value : this.#inside(value));
    return inside;
  }

  /** An answer of SNS, for the caller. */
  xmlOutside(xml: string): string {
    return this.#outside(xml).replaceAll(`<Owner>${FAUXQS_ACCOUNT}</Owner>`, `<Owner>${this.#account}</Owner>`);
  }

  /** Input of SQS, for fauxqs. */
  inputInside(input: Fields): Fields {
    return mapped(input, (name, value) =>
      OF_USERS.test(name) ? value : replaced(value, (text) => this.#inside(text)),
    );
  }

  /** Output of SQS, for the caller. */
  outputOutside(output: Fields): Fields {
    return mapped(output, (name, value) => {
      if (name !== 'Messages') return replaced(value, (text) => this.#outside(text));
      return Array.isArray(value) ? value.map((message) => this.#messageOutside(message)) : value;
    });
  }

  /** The body of a message on a queue, which names a topic if it came from one. */
  bodyOutside(body: string): string {
    const parsed = notification.safeParse(parseJson(body));
    if (!parsed.success || this.#account === FAUXQS_ACCOUNT) return body;
    const { TopicArn, UnsubscribeURL } = parsed.data;
    return JSON.stringify({
      ...parsed.data,
      TopicArn: this.#outside(TopicArn),
      UnsubscribeURL: this.#outside(UnsubscribeURL),
    });
  }

  #messageOutside(message: unknown): unknown {
    const { data } = received.safeParse(message);
    if (data === undefined) return message;
    const Body = this.bodyOutside(data.Body);
    // Clients compare it.
    return Body === data.Body ? data : { ...data, Body, MD5OfBody: createHash('md5').update(Body).digest('hex') };
  }

  #inside(text: string): string {
    return inAccount(text, this.#account, FAUXQS_ACCOUNT);
  }

  #outside(text: string): string {
    return inAccount(text, FAUXQS_ACCOUNT, this.#account);
  }
}

/** The text with the ARNs of topics and queues of one account in another one. */
function inAccount(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<=arn:aws:s[nq]s:[a-z0-9-]*:)${from}(?=:)`, 'g'), to);
}

function mapped(fields: Fields, map: (name: string, value: unknown) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(name, value)]));
}

/** ARNs have no characters that JSON escapes. */
function replaced(value: unknown, replace: (text: string) => string): unknown {
  return value === undefined ? undefined : JSON.parse(replace(JSON.stringify(value)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
