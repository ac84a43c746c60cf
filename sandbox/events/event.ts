/** An event on an EventBridge bus: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  /** The account whose default bus it is on. */
  readonly account: string;
  /** ISO 8601, whole seconds. */
  readonly time: string;
  /** The Region whose default bus it is on. */
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}
