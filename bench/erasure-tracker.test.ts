import { describe, expect, it } from 'vitest';
import { ErasureTracker } from './erasure-tracker.js';

const shownInTurn = (...versions: readonly string[]): ErasureTracker => {
  const tracker = new ErasureTracker();
  for (const version of versions) tracker.update('s', version === '' ? [] : version.split(' '));
  return tracker;
};

describe('erasure', () => {
  it('is nothing while words are only added, and repeated versions are no updates', () => {
    expect(shownInTurn('we', 'we meet', 'we meet', 'we meet at noon').result()).toEqual([
      { segment: 's', erasedWords: 0, finalWords: 4, updates: 3 },
    ]);
  });

  it('counts what has to go from the end until the new version continues the old', () => {
    // "met at" goes for "meet at", then "noon" for "noon."
    expect(shownInTurn('we met at', 'we meet at', 'we meet at noon', 'we meet at noon.').result()).toEqual([
      { segment: 's', erasedWords: 3, finalWords: 4, updates: 4 },
    ]);
  });

  it('counts what vanishes altogether', () => {
    expect(shownInTurn('um', '').result()).toEqual([
      { segment: 's', erasedWords: 1, finalWords: 0, updates: 2 },
    ]);
  });
});
