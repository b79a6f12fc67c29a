import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VocabularyChanges } from './vocabulary-changes.js';

describe('VocabularyChanges', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function changes(): { vocabulary: VocabularyChanges; applied: string[] } {
    const applied: string[] = [];
    return {
      applied,
      vocabulary: new VocabularyChanges(['first'], (phrases) => applied.push(phrases.join())),
    };
  }

  it('applies a change at once, and the newest of those that follow within 5 s at their end', () => {
    const { vocabulary, applied } = changes();
    vocabulary.offer(['a']);
    for (let count = 0; count < 1000; count += 1) vocabulary.offer([`b${count}`]);
    expect(applied).toEqual(['a']);
    expect(vocabulary.current).toEqual(['a']);
    vi.advanceTimersByTime(5000);
    expect(applied).toEqual(['a', 'b999']);
    vocabulary.offer(['c']);
    expect(applied).toEqual(['a', 'b999']);
    vi.advanceTimersByTime(5000);
    expect(applied).toEqual(['a', 'b999', 'c']);
    vi.advanceTimersByTime(5000);
    vocabulary.offer(['d']);
    expect(applied).toEqual(['a', 'b999', 'c', 'd']);
  });

  it('does nothing for a vocabulary that is in force already', () => {
    const { vocabulary, applied } = changes();
    vocabulary.offer(['first']);
    vocabulary.offer(['a']);
    vocabulary.offer(['b']);
    vocabulary.offer(['a']);
    vi.advanceTimersByTime(60_000);
    expect(applied).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('applies nothing more once it is closed', () => {
    const { vocabulary, applied } = changes();
    vocabulary.offer(['a']);
    vocabulary.offer(['b']);
    vocabulary.close();
    vocabulary.offer(['c']);
    vi.advanceTimersByTime(60_000);
    expect(applied).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
