import { setTimeout } from 'node:timers/promises';
import { ServiceTroubleError, ThrottledError } from '../../core/errors.ts';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
const GROWTH = 1.5;
/** So many times in a row AWS may be in trouble, before that is told instead: with the pauses about a minute. */
const MOST_TROUBLES = 12;

/**
 * Looks again and again until there is an answer: often at first, for most of what is waited for comes soon.
 *
 * @throws what `look` throws, but of trouble that passes only what does not pass
 */
export async function lookAgain<Answer>(look: (round: number) => Promise<Answer | undefined>): Promise<Answer> {
  let pause = FIRST_PAUSE_MS;
  let troubles = 0;
  for (let round = 1; ; round++) {
    try {
      const answer = await look(round);
      if (answer !== undefined) return answer;
      troubles = 0;
    } catch (error) {
      troubles += 1;
      const passes = error instanceof ThrottledError || error instanceof ServiceTroubleError;
      if (!passes || troubles > MOST_TROUBLES) throw error;
    }
    await setTimeout(pause);
    pause = Math.min(pause * GROWTH, LONGEST_PAUSE_MS);
  }
}
