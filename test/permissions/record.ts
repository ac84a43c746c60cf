import type { EvaluatedRequest } from '../../sandbox/iam/usage.ts';
import type { Recording } from './coverage.ts';
import { SCENARIOS } from './scenarios.ts';
import { DEPLOYMENT, type Deployed, play, type Scenario } from './scene.ts';

/** All scenarios, one after the other. */
export interface Recorded {
  /** The first one is of the deployment, the others of a scenario each. */
  readonly recordings: readonly Recording[];
  /** Names of scenarios, and what went otherwise than it should; undefined: nothing. */
  readonly troubles: ReadonlyMap<string, string | undefined>;
}

export async function recordAll(deployed: Deployed): Promise<Recorded> {
  const recordings: Recording[] = [];
  const troubles = new Map<string, string | undefined>();
  for (const scenario of SCENARIOS) {
    const { roles, atDeployment, requests, trouble } = await play(scenario, deployed);
    if (recordings.length === 0) recordings.push({ scenario: DEPLOYMENT, roles, requests: atDeployment });
    recordings.push({ scenario: scenario.name, roles, requests });
    troubles.set(scenario.name, trouble?.what ?? refusedIn(scenario, requests));
  }
  return { recordings, troubles };
}

/** Nothing is asked for in vain, beside what policies of others refuse. */
function refusedIn({ refuses = [] }: Scenario, requests: readonly EvaluatedRequest[]): string | undefined {
  const refused = new Set(requests.flatMap(({ verdict, call }) => (verdict.allowed ? [] : [call.action])));
  const others = [...refused.symmetricDifference(new Set(refuses))];
  return others.length === 0 ? undefined : `refused, or not refused: ${others.join(', ')}`;
}
