import { expect, it } from 'vitest';
import { textAgreement } from './text-agreement.js';

it('measures each text against the other, whatever their case', () => {
  expect(textAgreement(['A B C D', 'yes'], ['a b c d', 'Yes.'])).toEqual({
    clips: 2,
    clipsThatDiffer: 0,
    firstAgainstSecond: 0,
    secondAgainstFirst: 0,
  });
  expect(textAgreement(['a b c d', 'yes'], ['a b c', 'yes'])).toEqual({
    clips: 2,
    clipsThatDiffer: 1,
    firstAgainstSecond: 1 / 4,
    secondAgainstFirst: 1 / 5,
  });
});
