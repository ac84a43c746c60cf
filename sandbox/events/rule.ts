import type { Transform } from './input-transformer.ts';
import type { EventMatcher } from './pattern.ts';

/** An `AWS::Events::Rule`. */
export interface Rule {
  /** Names the bus that it is on, see `busOfRule`. */
  readonly arn: string;
  /** As it is deployed; see `EventBus.isEnabled`. */
  readonly enabled: boolean;
  /** What only the API tells. */
  readonly shown: {
    readonly description: string | undefined;
    readonly pattern: Readonly<Record<string, unknown>>;
    readonly targets: readonly Readonly<Record<string, unknown>>[];
  };
  readonly matches: EventMatcher;
  readonly targets: readonly Target[];
}

export interface Target {
  /** Of a function, topic, queue or state machine of the rule's account and Region, or of another event bus. */
  readonly arn: string;
  /** Of the role that EventBridge takes on to reach a state machine or bus. */
  readonly roleArn?: string;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly deadLetterQueueArn?: string;
  /** Without it the target gets the event itself. */
  readonly transform?: Transform;
}
