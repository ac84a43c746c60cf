/** A policy has something that is wrong, or that the sandbox does not know. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  /** @param where the place in the policy */
  constructor(where: string, what: string) {
    super(`${where}: ${what}`);
  }
}
