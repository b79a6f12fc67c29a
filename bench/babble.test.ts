import { expect, it } from 'vitest';
import { babbleOf } from './babble.js';

const clip = (...pcm: number[]): { pcm: Int16Array } => ({ pcm: Int16Array.from(pcm) });

it('is four voices at once, backwards, over and over', () => {
  // Backwards 8, 7, …, 1; the voices begin with 8, 6, 4 and 2, then come 7, 5, 3 and 1.
  expect([...babbleOf([clip(1, 2, 3, 4, 5, 6, 7, 8)], 5)]).toEqual([10, 8, 10, 8, 10]);
});

it('is never louder than samples can be', () => {
  expect([...babbleOf([clip(32_767, 32_767)], 2)]).toEqual([32_767, 32_767]);
  expect([...babbleOf([clip(-32_768, -32_768)], 2)]).toEqual([-32_768, -32_768]);
});

it('is silence without clips', () => {
  expect([...babbleOf([], 3)]).toEqual([0, 0, 0]);
});
