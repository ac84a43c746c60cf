import type { Clock } from '../clock.ts';
import type { Random } from '../ids.ts';
import type { Principal } from './types.ts';

/** Temporary keys, as STS gives them out. */
export interface SessionKeys {
  /** Begins with `ASIA`: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Session extends SessionKeys {
  readonly principal: Principal;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The temporary keys that were given out. */
export class Sessions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #random: Random;
  readonly #sessions = new Map<string, Session>();

  constructor(options: { readonly clock: Pick<Clock, 'now'>; readonly random: Random }) {
    this.#clock = options.clock;
    this.#random = options.random;
  }

  give(principal: Principal, seconds: number): SessionKeys {
    const accessKeyId = `ASIA${this.#letters(16)}`;
    const session = {
      accessKeyId,
      secretAccessKey: `sandbox-${this.#letters(32)}`,
      sessionToken: `sandbox-${this.#letters(64)}`,
      expiresAt: this.#clock.now() + seconds * 1000,
      principal,
    };
    this.#sessions.set(accessKeyId, session);
    return session;
  }

  find(accessKeyId: string): Session | undefined {
    return this.#sessions.get(accessKeyId);
  }

  isExpired({ expiresAt }: Pick<Session, 'expiresAt'>): boolean {
    return this.#clock.now() >= expiresAt;
  }

  #letters(length: number): string {
    return Array.from({ length }, () => LETTERS.charAt(Math.floor(this.#random() * LETTERS.length))).join('');
  }
}
