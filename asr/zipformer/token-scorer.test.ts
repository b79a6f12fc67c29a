import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenScorer } from './token-scorer.js';

const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 5, maxLength: 5 });

describe('TokenScorer', () => {
  it('gives probabilities that add up to one, at any temperature', () => {
    fc.assert(
      fc.property(row, fc.double({ min: 0.5, max: 4, noNaN: true }), (values, temperature) => {
        const scores = Float32Array.from(values);
        const scorer = new TokenScorer(5, { temperature });
        const sum = scores.reduce((all, _, id) => all + Math.exp(scorer.logProbability(scores, 0, id)), 0);
        expect(sum).toBeCloseTo(1, 4);
        scorer.normalise(scores, 0);
        expect(scores.reduce((all, value) => all + Math.exp(value), 0)).toBeCloseTo(1, 4);
      }),
    );
  });

  it('divides scores by the temperature for what it says of a token, and not for which token it is', () => {
    const scores = Float32Array.of(1, 3, 2);
    const probability = (temperature: number): number => {
      const scorer = new TokenScorer(3, { temperature });
      expect(scorer.likeliest(scores, 0)).toBe(1);
      return Math.exp(scorer.logProbability(scores, 0, 1));
    };
    expect(probability(1)).toBeCloseTo(Math.exp(3) / (Math.exp(1) + Math.exp(3) + Math.exp(2)), 6);
    expect(probability(2)).toBeCloseTo(Math.exp(1.5) / (Math.exp(0.5) + Math.exp(1.5) + Math.exp(1)), 6);
  });

  it('takes the penalty off the blank alone, and leaves it out of what it says of a token', () => {
    const scores = Float32Array.of(3, 2.5, -1);
    expect(new TokenScorer(3, {}).likeliest(scores, 0)).toBe(0);
    const scorer = new TokenScorer(3, { blankPenalty: 1 });
    expect(scorer.likeliest(scores, 0)).toBe(1);
    expect(scorer.logProbability(scores, 0, 1)).toBe(new TokenScorer(3, {}).logProbability(scores, 0, 1));
    scorer.normalise(scores, 0);
    expect((scores[1] ?? 0) - (scores[0] ?? 0)).toBeCloseTo(0.5, 5);
  });
});
