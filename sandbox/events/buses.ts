import * as z from 'zod';
import type { Home } from '../home.ts';
import { type PolicyDocument, parsePolicy } from '../iam/policy-document.ts';
import { busArn, busNameOf, placeOf } from './bus-arn.ts';

/** An event bus. */
export interface Bus {
  readonly arn: string;
  readonly name: string;
  readonly description: string | undefined;
  /** Of its policy, as they were written. */
  readonly statements: readonly Statement[];
  /** Undefined: it lets in its own account only. */
  readonly policy: PolicyDocument | undefined;
}

type Statement = Readonly<Record<string, unknown>>;

const written = z.object({
  Statement: z.union([z.array(z.record(z.string(), z.unknown())), z.record(z.string(), z.unknown())]),
});

/** The event buses of all accounts and Regions. A default bus is there without being made. */
export class Buses {
  readonly #buses = new Map<string, Bus>();

  /**
   * Makes a custom bus.
   * @param about.policy a policy document, as an object or as JSON text
   * @throws Error if there is one with that ARN
   * @throws PolicyError if the policy has something that the sandbox does not know
   */
  add(arn: string, about: { readonly description?: string | undefined; readonly policy?: unknown } = {}): void {
    if (this.find(arn) !== undefined) throw new Error(`Event bus ${busNameOf(arn)} already exists.`);
    const { description, policy } = about;
    const document = typeof policy === 'string' ? JSON.parse(policy) : policy;
    const statements = document === undefined ? [] : [written.parse(document).Statement].flat();
    this.#set({ arn, description, statements });
  }

  remove(arn: string): void {
    this.#buses.delete(arn);
  }

  find(arn: string): Bus | undefined {
    const known = this.#buses.get(arn);
    if (known !== undefined || arn !== busArn(placeOf(arn))) return known;
    return { arn, name: busNameOf(arn), description: undefined, statements: [], policy: undefined };
  }

  /** Those of an account and Region, the default bus first. */
  in(place: Home): readonly Bus[] {
    const ofDefault = this.find(busArn(place));
    const others = [...this.#buses.values()].filter(({ arn }) => arn === busArn(place, busNameOf(arn)));
    return [...(ofDefault === undefined ? [] : [ofDefault]), ...others.filter(({ arn }) => arn !== ofDefault?.arn)];
  }

  /**
   * Adds a statement to a bus's policy, in place of one with the same Sid.
   * @throws Error if there is no such bus
   * @throws PolicyError if the sandbox does not know something in it
   */
  putStatement(arn: string, statement: Statement & { readonly Sid: string }): void {
    const bus = this.find(arn);
    if (bus === undefined) throw new Error(`Event bus ${busNameOf(arn)} does not exist.`);
    this.#set({ ...bus, statements: [...bus.statements.filter(({ Sid }) => Sid !== statement.Sid), statement] });
  }

  removeStatement(arn: string, sid: string): void {
    const bus = this.#buses.get(arn);
    if (bus !== undefined) this.#set({ ...bus, statements: bus.statements.filter(({ Sid }) => Sid !== sid) });
  }

  #set({ arn, description, statements }: Omit<Bus, 'name' | 'policy'>): void {
    const policy =
      statements.length === 0 ? undefined : parsePolicy('resource', policyOf(statements), `policy of ${arn}`);
    this.#buses.set(arn, { arn, name: busNameOf(arn), description, statements, policy });
  }
}

/** The policy document with these statements. */
export function policyOf(statements: readonly Statement[]): Readonly<Record<string, unknown>> {
  return { Version: '2012-10-17', Statement: statements };
}
