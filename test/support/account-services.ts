import { Buses } from '../../sandbox/events/buses.ts';
import type { Rule } from '../../sandbox/events/rule.ts';
import { Iam } from '../../sandbox/iam/iam.ts';
import { KeyStore } from '../../sandbox/kms/key-store.ts';
import type { AccountServices } from '../../sandbox/stack/account-resources.ts';
import { manualClock } from './manual-clock.ts';

/** What a companion is deployed to, and what became of it there. No event ever comes. */
export interface TestServices extends AccountServices {
  readonly iam: Iam;
  readonly keys: KeyStore;
  /** The rules that are there now, in the order in which they were made. */
  rules(): readonly Rule[];
}

export function accountServices(): TestServices {
  const clock = manualClock();
  const iam = new Iam({ clock });
  const rules = new Map<string, Rule>();
  return {
    iam,
    keys: new KeyStore({ clock, iam }),
    bus: {
      buses: new Buses(),
      addRule: (rule) => void rules.set(rule.arn, rule),
      removeRule: (arn) => void rules.delete(arn),
    },
    rules: () => [...rules.values()],
  };
}
