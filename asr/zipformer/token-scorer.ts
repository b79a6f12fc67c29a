/** k2-fsa's blank, in every model. */
export const BLANK_ID = 0;

/** As sherpa-onnx has it (`temperature_scale`). */
export const DEFAULT_TEMPERATURE = 2;

export interface ScoringOptions {
  /**
   * Taken off the blank's score before anything else (k2-fsa's `blank_penalty`): above 0, words are left out less and made up
   * more. Default 0.
   */
  readonly blankPenalty?: number;
  /**
   * Divides the scores of which a token's probability is worked out (sherpa-onnx's `temperature_scale`). Above 1 it brings
   * confidences down, which are too high without. Which tokens are found does not depend on it. Default 2.
   */
  readonly temperature?: number;
}

/** Rows of scores, as the joiner gives them, read as probabilities. */
export class TokenScorer {
  readonly #vocabularySize: number;
  readonly #blankPenalty: number;
  readonly #temperature: number;

  constructor(
    vocabularySize: number,
    { blankPenalty = 0, temperature = DEFAULT_TEMPERATURE }: ScoringOptions,
  ) {
    this.#vocabularySize = vocabularySize;
    this.#blankPenalty = blankPenalty;
    this.#temperature = temperature;
  }

  /** The token with the largest score in the row that begins at `offset`. */
  likeliest(scores: Float32Array, offset: number): number {
    let best = BLANK_ID;
    let bestScore = (scores[offset] ?? 0) - this.#blankPenalty;
    for (let id = 1; id < this.#vocabularySize; id++) {
      const score = scores[offset + id] ?? 0;
      if (score > bestScore) {
        best = id;
        bestScore = score;
      }
    }
    return best;
  }

  /** What to say of a token's probability: without the blank's penalty, at the temperature. */
  logProbability(scores: Float32Array, offset: number, id: number): number {
    const own = scores[offset + id] ?? 0;
    let sum = 0;
    for (let other = 0; other < this.#vocabularySize; other++)
      sum += Math.exp(((scores[offset + other] ?? 0) - own) / this.#temperature);
    return Math.min(0, -Math.log(sum));
  }

  /** Turns a row into what a search adds up, in place: logarithms of probabilities after the blank's penalty. */
  normalise(scores: Float32Array, offset: number): void {
    scores[offset] = (scores[offset] ?? 0) - this.#blankPenalty;
    const end = offset + this.#vocabularySize;
    let largest = -Infinity;
    for (let at = offset; at < end; at++) largest = Math.max(largest, scores[at] ?? 0);
    let sum = 0;
    for (let at = offset; at < end; at++) sum += Math.exp((scores[at] ?? 0) - largest);
    const shift = largest + Math.log(sum);
    for (let at = offset; at < end; at++) scores[at] = (scores[at] ?? 0) - shift;
  }
}
