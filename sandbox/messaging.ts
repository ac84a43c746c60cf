import { buildApp } from 'fauxqs';
import * as z from 'zod';
import { type Home, homeArn } from './home.ts';
import { MessagingAccount } from './messaging-account.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A raw call of SNS or SQS, as it comes over HTTP. */
export interface MessagingCall {
  readonly service: 'sns' | 'sqs';
  readonly region: string;
  readonly contentType: string;
  /** Header X-Amz-Target; SQS only. */
  readonly target: string;
  readonly body: string;
}

export interface MessagingAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message on a queue, or one that was published to a topic. */
export interface Message {
  /** ISO 8601: when it was sent. */
  readonly time: string;
  /** SNS only. */
  readonly subject?: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Publication {
  readonly topicArn: string;
  readonly message: string;
  readonly subject?: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
}

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue: string;
}

/** A subscription that its endpoint has not confirmed yet. */
export interface PendingSubscription {
  readonly topicArn: string;
  readonly protocol: string;
  /** For example an e-mail address. */
  readonly endpoint: string;
  /** What ConfirmSubscription wants; on AWS it is in the message that the endpoint gets. */
  readonly token: string;
}

/** SNS or SQS refused. `code` is AWS's. */
export class MessagingError extends Error {
  override readonly name = 'MessagingError';
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const attributeSchema = z.object({ DataType: z.string(), StringValue: z.string().optional() });
const queueContents = z.object({
  messages: z.object({
    ready: z.array(z.unknown()),
    delayed: z.array(z.unknown()),
    inflight: z.array(z.object({ message: z.unknown() })),
  }),
});
const queuedMessage = z.object({
  body: z.string(),
  sentTimestamp: z.number(),
  messageAttributes: z.record(z.string(), attributeSchema),
});
const jsonObject = z.record(z.string(), z.unknown());

/**
 * SNS and SQS. The work is fauxqs's; added here are what it leaves out (the rules for subjects and attributes, the
 * memory of what was published, that nobody sees the ARN of a pending subscription), and queue URLs that lead to the
 * sandbox's own endpoint.
 */
export class Messaging {
  readonly #app = buildApp({ logger: false });
  readonly #clock: VirtualClock;
  readonly #home: Home;
  readonly #account: MessagingAccount;
  readonly #endpoint: () => string;
  readonly #published = new Map<string, Message[]>();
  /** By the ARN that the subscription will have, which is fauxqs's token as well. */
  readonly #pending = new Map<string, PendingSubscription>();
  readonly #confirmed = new Set<string>();

  constructor(options: { readonly clock: VirtualClock; readonly home: Home; readonly endpoint: () => string }) {
    this.#clock = options.clock;
    this.#home = options.home;
    this.#account = new MessagingAccount(options.home.account);
    this.#endpoint = options.endpoint;
  }

  /** Answers a raw call. Expected trouble is an answer. */
  async handle(call: MessagingCall): Promise<MessagingAnswer> {
    try {
      return call.service === 'sns' ? await this.#handleSns(call) : await this.#handleSqs(call);
    } catch (error) {
      if (!(error instanceof MessagingError)) throw error;
      return call.service === 'sns' ? snsError(error) : sqsError(error);
    }
  }

  /** Answers the URL of the new queue. */
  async createQueue(name: string, attributes: Readonly<Record<string, string>>): Promise<string> {
    await this.#sqs('CreateQueue', { QueueName: name, Attributes: attributes });
    return this.queueUrl(name);
  }

  queueUrl(name: string): string {
    return `${this.#endpoint()}/${this.#home.account}/${name}`;
  }

  async createTopic(name: string, displayName: string | undefined): Promise<void> {
    const attributes =
      displayName === undefined
        ? {}
        : { 'Attributes.entry.1.key': 'DisplayName', 'Attributes.entry.1.value': displayName };
    await this.#sns({ Action: 'CreateTopic', Name: name, ...attributes });
  }

  async subscribe(
    topicArn: string,
    protocol: string,
    endpoint: string,
    attributes: Readonly<Record<string, string>>,
  ): Promise<void> {
    const entries = Object.entries(attributes).flatMap(([key, value], index) => [
      [`Attributes.entry.${index + 1}.key`, key],
      [`Attributes.entry.${index + 1}.value`, value],
    ]);
    await this.#sns({
      Action: 'Subscribe',
      TopicArn: topicArn,
      Protocol: protocol,
      Endpoint: endpoint,
      ...Object.fromEntries(entries),
    });
  }

  /** Subscriptions of all topics that wait for a confirmation, oldest first. */
  pendingSubscriptions(): readonly PendingSubscription[] {
    return [...this.#pending.values()];
  }

  /** Confirms what waits for this endpoint, as if somebody there clicked the links. Answers how many that were. */
  async confirmSubscriptions(endpoint: string): Promise<number> {
    const waiting = this.pendingSubscriptions().filter((each) => each.endpoint === endpoint);
    for (const { topicArn, token } of waiting) {
      await this.#sns({ Action: 'ConfirmSubscription', TopicArn: topicArn, Token: token });
    }
    return waiting.length;
  }

  /** Whether there is a queue or topic with that ARN. */
  async exists(arn: string): Promise<boolean> {
    const [, , service, region, account] = arn.split(':');
    if (account !== this.#home.account) return false;
    const answer =
      service === 'sqs'
        ? await this.handle({
            service: 'sqs',
            region: region ?? '',
            contentType: 'application/x-amz-json-1.0',
            target: 'AmazonSQS.GetQueueUrl',
            body: JSON.stringify({ QueueName: arn.split(':').at(-1) }),
          })
        : await this.handle({
            service: 'sns',
            region: region ?? '',
            contentType: 'application/x-www-form-urlencoded',
            target: '',
            body: new URLSearchParams({ Action: 'GetTopicAttributes', TopicArn: arn }).toString(),
          });
    return answer.status === 200;
  }

  /**
   * Sends a text to a queue, or publishes it to a topic, by ARN.
   * @throws MessagingError
   */
  async sendTo(arn: string, body: string, attributes: Readonly<Record<string, MessageAttribute>> = {}): Promise<void> {
    const [, , service, region, account] = arn.split(':');
    if (region !== this.#home.region || account !== this.#home.account) {
      throw new MessagingError('NotFound', `${arn} is not in account ${this.#home.account}, ${this.#home.region}`);
    }
    if (service === 'sns') await this.publish({ topicArn: arn, message: body, attributes });
    else {
      const name = arn.split(':').at(-1) ?? '';
      await this.#sqs('SendMessage', {
        QueueUrl: this.queueUrl(name),
        MessageBody: body,
        MessageAttributes: attributes,
      });
    }
  }

  /**
   * Publishes to a topic and answers the message id.
   * @throws MessagingError
   */
  async publish({ topicArn, message, subject, attributes = {} }: Publication): Promise<string> {
    const entries = Object.entries(attributes).flatMap(([name, { DataType, StringValue }], index) => [
      [`MessageAttributes.entry.${index + 1}.Name`, name],
      [`MessageAttributes.entry.${index + 1}.Value.DataType`, DataType],
      [`MessageAttributes.entry.${index + 1}.Value.StringValue`, StringValue],
    ]);
    const answer = await this.#sns({
      Action: 'Publish',
      TopicArn: topicArn,
      Message: message,
      ...(subject === undefined ? {} : { Subject: subject }),
      ...Object.fromEntries(entries),
    });
    return elementOf(answer, 'MessageId');
  }

  /**
   * What is on a queue now, received or not, or what was published to a topic so far.
   * @param nameOrArn of a queue or topic of the home Region
   */
  async messages(nameOrArn: string): Promise<readonly Message[]> {
    const isArn = nameOrArn.startsWith('arn:');
    const published = this.#published.get(isArn ? nameOrArn : homeArn(this.#home, 'sns', nameOrArn));
    if (published !== undefined) return published;
    const name = nameOrArn.split(':').at(-1) ?? '';
    const response = await this.#app.inject(`/_fauxqs/queues/${name}`);
    if (response.statusCode === 200) {
      const { ready, delayed, inflight } = queueContents.parse(response.json()).messages;
      const all = [...ready, ...delayed, ...inflight.map(({ message }) => message)];
      const messages = all.map((unread) => fromQueue(queuedMessage.parse(unread)));
      return messages.map((message) => ({ ...message, body: this.#account.bodyOutside(message.body) }));
    }
    const topicArn = isArn ? nameOrArn : homeArn(this.#home, 'sns', nameOrArn);
    if (topicArn.split(':')[2] === 'sns' && (await this.exists(topicArn))) return [];
    throw new MessagingError('NotFound', `There is no queue or topic ${nameOrArn}`, 404);
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }

  async #handleSns(call: MessagingCall): Promise<MessagingAnswer> {
    const params = new URLSearchParams(call.body);
    const action = params.get('Action');
    const topicArn = params.get('TopicArn');
    const [, , , region, account] = topicArn?.split(':') ?? [];
    if (topicArn !== null && region !== call.region) {
      throw new MessagingError('InvalidParameter', 'Invalid parameter: TopicArn');
    }
    if (topicArn !== null && account !== this.#home.account) {
      throw new MessagingError('AuthorizationError', 'In the sandbox, topics are for their own account alone', 403);
    }
    if (action === 'PublishBatch') throw new MessagingError('InvalidAction', 'PublishBatch is not in the sandbox');
    const publication = action === 'Publish' ? readPublication(params) : undefined;
    const inside = await this.#inject(call, this.#account.paramsInside(params).toString());
    const answer = { ...inside, body: this.#account.xmlOutside(inside.body) };
    if (publication !== undefined && topicArn !== null && answer.status === 200) {
      const earlier = this.#published.get(topicArn) ?? [];
      this.#published.set(topicArn, earlier);
      earlier.push({ time: new Date(this.#clock.now()).toISOString(), ...publication });
    }
    return answer.status === 200 ? { ...answer, body: this.#withPending(action, params, answer.body) } : answer;
  }

  /**
   * "pending confirmation" instead of the ARN, unless ReturnSubscriptionArn asks for it:
   * https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html ; in lists it is "PendingConfirmation":
   * https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
   */
  #withPending(action: string | null, params: URLSearchParams, body: string): string {
    switch (action) {
      case 'Subscribe': {
        const arn = elementOf(body, 'SubscriptionArn');
        const [topicArn = '', protocol = '', endpoint = ''] = ['TopicArn', 'Protocol', 'Endpoint'].map(
          (name) => params.get(name) ?? '',
        );
        if (protocol === 'sqs' || this.#confirmed.has(arn)) return body;
        this.#pending.set(arn, { topicArn, protocol, endpoint, token: arn });
        return params.get('ReturnSubscriptionArn') === 'true' ? body : body.replace(arn, 'pending confirmation');
      }
      case 'ConfirmSubscription': {
        const arn = elementOf(body, 'SubscriptionArn');
        this.#pending.delete(arn);
        this.#confirmed.add(arn);
        return body;
      }
      case 'Unsubscribe':
        this.#pending.delete(params.get('SubscriptionArn') ?? '');
        return body;
      case 'DeleteTopic':
        for (const { topicArn, token } of this.pendingSubscriptions()) {
          if (topicArn === params.get('TopicArn')) this.#pending.delete(token);
        }
        return body;
      case 'ListSubscriptions':
      case 'ListSubscriptionsByTopic':
        return body.replaceAll(/(?<=<SubscriptionArn>)[^<]*/g, (arn) =>
          this.#pending.has(arn) ? 'PendingConfirmation' : arn,
        );
      default:
        return body;
    }
  }

  /** fauxqs takes the Region of a queue from the host of its URL; ours has none, so the call's own Region is put in. */
  async #handleSqs(call: MessagingCall): Promise<MessagingAnswer> {
    const body = jsonObject.safeParse(parseJson(call.body));
    if (!body.success) throw new MessagingError('MalformedInput', 'The body is not a JSON object');
    const url = body.data['QueueUrl'];
    if (typeof url === 'string' && url.split('/').at(-2) !== this.#home.account) {
      throw new MessagingError('AccessDenied', 'In the sandbox, queues are for their own account alone', 403);
    }
    const inside = typeof url === 'string' ? { QueueUrl: insideUrl(call.region, url.split('/').at(-1) ?? '') } : {};
    const answer = await this.#inject(call, JSON.stringify({ ...this.#account.inputInside(body.data), ...inside }));
    const result = jsonObject.safeParse(parseJson(answer.body));
    if (!result.success) return answer;
    const output = this.#account.outputOutside(result.data);
    const { QueueUrl: one, QueueUrls: many } = output;
    const outside = {
      ...(typeof one === 'string' ? { QueueUrl: this.queueUrl(nameOf(one)) } : {}),
      ...(Array.isArray(many)
        ? {
            QueueUrls: many
              .filter((each) => typeof each === 'string' && each.startsWith(`http://sqs.${call.region}.`))
              .map((each) => this.queueUrl(nameOf(String(each)))),
          }
        : {}),
    };
    return { ...answer, body: JSON.stringify({ ...output, ...outside }) };
  }

  async #inject(call: MessagingCall, body: string): Promise<MessagingAnswer> {
    const response = await this.#app.inject({
      method: 'POST',
      url: '/',
      headers: {
        // Only the Region in it is read.
        authorization: `AWS4-HMAC-SHA256 Credential=sandbox/20260101/${call.region}/${call.service}/aws4_request`,
        'content-type': call.contentType,
        'x-amz-target': call.target,
      },
      payload: body,
    });
    const headers = Object.fromEntries(
      ['content-type', 'x-amzn-query-error', 'x-amz-request-id'].flatMap((name) => {
        const value = response.headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    return { status: response.statusCode, headers, body: response.body };
  }

  /** A call of the sandbox itself, during which time does not jump. */
  #work(call: MessagingCall): Promise<MessagingAnswer> {
    return this.#clock.during(this.handle(call));
  }

  async #sns(params: Record<string, string>): Promise<string> {
    const { status, body } = await this.#work({
      service: 'sns',
      region: this.#home.region,
      contentType: 'application/x-www-form-urlencoded',
      target: '',
      body: new URLSearchParams(params).toString(),
    });
    if (status !== 200) throw new MessagingError(elementOf(body, 'Code'), elementOf(body, 'Message'), status);
    return body;
  }

  async #sqs(action: string, input: Record<string, unknown>): Promise<void> {
    const { status, body } = await this.#work({
      service: 'sqs',
      region: this.#home.region,
      contentType: 'application/x-amz-json-1.0',
      target: `AmazonSQS.${action}`,
      body: JSON.stringify(input),
    });
    if (status === 200) return;
    const error = z.object({ __type: z.string(), message: z.string() }).parse(parseJson(body));
    throw new MessagingError(error.__type.split('#').at(-1) ?? '', error.message, status);
  }
}

/**
 * fauxqs takes any subject and attribute; SNS does not.
 * https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
function readPublication(params: URLSearchParams): Omit<Message, 'time'> {
  const subject = params.get('Subject') ?? undefined;
  if (subject !== undefined && !/^[!-~][ -~]{0,98}$/.test(subject)) {
    throw new MessagingError('InvalidParameter', 'Invalid parameter: Subject');
  }
  const attributes: Record<string, string> = {};
  for (let entry = 1; params.has(`MessageAttributes.entry.${entry}.Name`); entry += 1) {
    const name = params.get(`MessageAttributes.entry.${entry}.Name`) ?? '';
    const value = params.get(`MessageAttributes.entry.${entry}.Value.StringValue`);
    if (value === null || value === '') {
      throw new MessagingError(
        'ParameterValueInvalid',
        `The message attribute '${name}' must contain non-empty message attribute value for message attribute type 'String'.`,
      );
    }
    attributes[name] = value;
  }
  return { ...(subject === undefined ? {} : { subject }), body: params.get('Message') ?? '', attributes };
}

function fromQueue(message: z.output<typeof queuedMessage>): Message {
  const attributes = Object.entries(message.messageAttributes).map(([name, value]) => [name, value.StringValue ?? '']);
  return {
    time: new Date(message.sentTimestamp).toISOString(),
    body: message.body,
    attributes: Object.fromEntries(attributes),
  };
}

/** The form in which fauxqs reads a Region from a queue's URL. */
function insideUrl(region: string, name: string): string {
  return `http://sqs.${region}.localhost/000000000000/${name}`;
}

function nameOf(queueUrl: string): string {
  return queueUrl.split('/').at(-1) ?? '';
}

function elementOf(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}

function snsError({ code, message, status }: MessagingError): MessagingAnswer {
  const body = `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function sqsError({ code, message, status }: MessagingError): MessagingAnswer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-query-error': `${code};Sender` },
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
