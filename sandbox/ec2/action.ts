import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import { factsOf } from './authorization.ts';
import { Ec2Error } from './ec2-error.ts';
import { flag, type QueryTree, readParameters } from './query.ts';
import type { Ec2World } from './world.ts';
import type { XmlTree } from './xml.ts';

/** One action of the API. */
export interface Ec2Action {
  readonly name: string;
  /** @throws {Ec2Error} for whatever EC2 answers with an error. */
  readonly run: (world: Ec2World, caller: Caller, tree: QueryTree) => XmlTree;
}

interface ActionParts<S extends z.core.$ZodLooseShape> {
  readonly name: string;
  /** All parameters but DryRun, by their names on the wire; any other is refused. */
  readonly parameters: S;
  /** Refuses what is wrong whatever the state of the world, before DryRun answers. */
  readonly check?: (input: z.output<z.ZodObject<S, z.core.$strict>>, caller: Caller) => void;
  readonly run: (world: Ec2World, caller: Caller, input: z.output<z.ZodObject<S, z.core.$strict>>) => XmlTree;
}

const dryRun = z.object({ DryRun: flag.optional() });

/**
 * Every action takes DryRun: it asks for the permission and does nothing. Wrong parameters come first.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html
 */
export function action<S extends z.core.$ZodLooseShape>({ name, parameters, check, run }: ActionParts<S>): Ec2Action {
  const schema = z.strictObject(parameters);
  return {
    name,
    run: (world, caller, { DryRun, ...tree }) => {
      const input = readParameters(schema, tree);
      check?.(input, caller);
      world.settings.authorize({ caller, action: name, tree, facts: factsOf(world, caller) });
      if (readParameters(dryRun, DryRun === undefined ? {} : { DryRun }).DryRun === true) {
        throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412);
      }
      return run(world, caller, input);
    },
  };
}

/** What actions answer that have nothing to say. */
export const DONE: XmlTree = { return: true };
