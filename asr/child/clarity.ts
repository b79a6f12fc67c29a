import type { Token } from '../token.js';

/** Weight of the newest token in the running mean, once there are enough for that. */
const SMOOTHING = 0.15;
/** Fewer tell nothing. */
const LEAST_TOKENS = 4;
/**
 * Of the running mean of log probabilities. In 46 clips of speech it was never below -1.30, mostly -0.4; in babble of four voices that
 * talk backwards never above -1.58 (default model).
 */
const CLEAR_FROM = -1.5;

/**
 * Whether a recogniser is sure of what it hears in one utterance, or makes words of noise. Those change in every third look (in speech
 * one in twenty): they are not worth a look, and say nothing of how daring looks at others may be. One person from whom babble came had
 * the words of two others come 70 to 100 ms later.
 */
export class Clarity {
  #tokens = 0;
  #mean = 0;

  hear(tokens: readonly Token[]): void {
    for (const { logProbability } of tokens) {
      if (logProbability === undefined) continue;
      this.#tokens += 1;
      this.#mean += Math.max(SMOOTHING, 1 / this.#tokens) * (logProbability - this.#mean);
    }
  }

  get isClear(): boolean {
    return this.#tokens < LEAST_TOKENS || this.#mean >= CLEAR_FROM;
  }
}
