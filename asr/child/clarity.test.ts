import { expect, it } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import { Clarity } from './clarity.js';

const tokens = (count: number, logProbability?: number) =>
  Array.from({ length: count }, () => ({
    text: ' w',
    atSample: sampleIndex(0),
    ...(logProbability === undefined ? {} : { logProbability }),
  }));

it('an utterance is clear until several tokens were doubtful, and again when the next ones are not', () => {
  const clarity = new Clarity();
  clarity.hear(tokens(3, -2));
  expect(clarity.isClear).toBe(true);
  clarity.hear(tokens(1, -2));
  expect(clarity.isClear).toBe(false);
  clarity.hear(tokens(5, -0.3));
  expect(clarity.isClear).toBe(true);
});

it('one doubtful word does not make a sentence unclear', () => {
  const clarity = new Clarity();
  clarity.hear([...tokens(6, -0.4), ...tokens(1, -5)]);
  expect(clarity.isClear).toBe(true);
});

it('models that give no probabilities are clear', () => {
  const clarity = new Clarity();
  clarity.hear(tokens(20));
  expect(clarity.isClear).toBe(true);
});
