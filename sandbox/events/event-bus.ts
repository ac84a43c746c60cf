import type { Home } from '../home.ts';
import { type Random, uuid } from '../ids.ts';
import { Recent } from '../recent.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { busArn, busNameOf, busOfRule } from './bus-arn.ts';
import { Buses } from './buses.ts';
import { Deliverer, type DeliveryOptions, type DroppedEvent } from './delivery.ts';
import type { BusEvent } from './event.ts';
import { EventFaults } from './event-faults.ts';
import type { Rule } from './rule.ts';

/** An event that is to be put, with what its source says. */
export interface NewEvent {
  readonly 'detail-type': string;
  readonly source: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[] | undefined;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly id?: string | undefined;
  readonly time?: string | undefined;
}

/** An event on a bus. */
interface Arrival {
  readonly event: BusEvent;
  /** ARN. */
  readonly bus: string;
  /** Whether it came from another bus. */
  readonly wasForwarded: boolean;
}

/** From an event to its target; EventBridge usually needs about half a second. */
const DELIVERY_MS = 500;
const EVENTS_KEPT = 100_000;

/** EventBridge: the event buses of all accounts and Regions, and their rules. */
export class EventBus {
  readonly faults: EventFaults;
  readonly buses: Buses = new Buses();
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #deliverer: Deliverer;
  /** By the ARN of the bus and of the rule. */
  readonly #rules = new Map<string, Map<string, Rule>>();
  /** ARNs. */
  readonly #enabled = new Set<string>();
  readonly #events: Recent<BusEvent>;
  readonly #dropped: Recent<DroppedEvent>;
  #held: { readonly arrivals: Arrival[]; readonly cancel: () => void } | undefined;

  constructor(
    options: Pick<DeliveryOptions, 'clock' | 'iam' | 'policies' | 'targetsIn'> & {
      readonly random: Random;
      /** Where an event is that does not say so. */
      readonly home: Home;
      /** How many events are remembered. Default 100,000. */
      readonly eventsKept?: number | undefined;
    },
  ) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#events = new Recent(options.eventsKept ?? EVENTS_KEPT);
    this.#dropped = new Recent(options.eventsKept ?? EVENTS_KEPT);
    this.faults = new EventFaults(options.random);
    this.#deliverer = new Deliverer({
      ...options,
      faults: this.faults,
      buses: this.buses,
      forward: (event, bus) => this.#route({ event, bus, wasForwarded: true }, 0),
      drop: (dropped) => this.#dropped.add(dropped),
    });
  }

  /** @throws Error if its bus is not there, or has a rule of that name */
  addRule(rule: Rule): void {
    const bus = busOfRule(rule.arn);
    if (this.buses.find(bus) === undefined) throw new Error(`Event bus ${busNameOf(bus)} does not exist.`);
    const ofBus = this.#rules.get(bus) ?? new Map<string, Rule>();
    if (ofBus.has(rule.arn)) throw new Error(`${rule.arn} already exists`);
    this.#rules.set(bus, ofBus.set(rule.arn, rule));
    this.setEnabled(rule, rule.enabled);
  }

  removeRule(arn: string): void {
    this.#rules.get(busOfRule(arn))?.delete(arn);
    this.#enabled.delete(arn);
  }

  /**
   * The rules on a bus, enabled or not.
   * @param bus ARN
   */
  rules(bus: string): readonly Rule[] {
    return [...(this.#rules.get(bus)?.values() ?? [])];
  }

  isEnabled({ arn }: Rule): boolean {
    return this.#enabled.has(arn);
  }

  /** A rule that is not enabled sees no event. AWS needs a moment until that has effect. */
  setEnabled({ arn }: Rule, enabled: boolean): void {
    if (enabled) this.#enabled.add(arn);
    else this.#enabled.delete(arn);
  }

  /**
   * Puts an event on a bus, as it is. Delivery follows a moment later.
   * @param bus ARN; without it, the default bus of the event's account and Region
   */
  put(event: BusEvent, bus: string = busArn(event)): void {
    this.#events.add(event);
    if (!this.#isHeard(bus)) return;
    const arrival = { event, bus, wasForwarded: false };
    const fault = this.faults.befalls(event);
    switch (fault?.kind) {
      case 'lose-event':
        return;
      case 'duplicate-event':
        this.#route(arrival, 0);
        this.#route(arrival, fault.seconds);
        return;
      case 'delay-event':
        this.#route(arrival, fault.seconds);
        return;
      case 'reorder-events':
        this.#hold(arrival, fault.times, fault.seconds);
        return;
      case undefined:
        this.#route(arrival, 0);
        return;
      default:
        fault satisfies never;
    }
  }

  /** Completes an event with what EventBridge adds; without account and Region it is one of the home bus. */
  fill(event: NewEvent): BusEvent {
    return {
      version: '0',
      id: event.id ?? uuid(this.#random),
      'detail-type': event['detail-type'],
      source: event.source,
      account: event.account ?? this.#home.account,
      time: event.time ?? `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`,
      region: event.region ?? this.#home.region,
      resources: event.resources ?? [],
      detail: event.detail,
    };
  }

  /** The last events that were put, on any bus, in order. A forwarded event is there once. */
  events(): readonly BusEvent[] {
    return this.#events.all();
  }

  dropped(): readonly DroppedEvent[] {
    return this.#dropped.all();
  }

  /** An event without rules is not worth a fault that others wait for, but at home. */
  #isHeard(bus: string): boolean {
    return bus === busArn(this.#home) || this.rules(bus).some((rule) => this.isEnabled(rule));
  }

  /** Keeps events back until there are `count` of them, then sends them in the opposite order. */
  #hold(arrival: Arrival, count: number, seconds: number): void {
    if (this.#held === undefined) {
      const cancel = this.#clock.after(seconds * 1000, () => this.#releaseHeld());
      this.#held = { arrivals: [], cancel };
    }
    this.#held.arrivals.push(arrival);
    if (this.#held.arrivals.length >= count) this.#releaseHeld();
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.cancel();
    for (const arrival of held?.arrivals.toReversed() ?? []) this.#route(arrival, 0);
  }

  #route({ event, bus, wasForwarded }: Arrival, lateSeconds: number): void {
    this.#clock.after(DELIVERY_MS + lateSeconds * 1000, () => {
      const rules = this.rules(bus).filter((rule) => this.isEnabled(rule) && rule.matches(event));
      for (const rule of rules) {
        for (const target of rule.targets) {
          const delivery = { event, wasForwarded, rule, target, firstTriedAt: this.#clock.now() };
          void this.#clock.during(this.#deliverer.deliver(delivery));
        }
      }
    });
  }
}
