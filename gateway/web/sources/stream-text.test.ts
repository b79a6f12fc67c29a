import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpenStreams, readStreamText } from './stream-text.js';

describe('a text stream', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  /** A megabyte in a thousand parts; tells how many were taken. */
  function bomb(): { parts: AsyncIterable<string>; taken: () => number } {
    let taken = 0;
    async function* parts(): AsyncGenerator<string> {
      for (; taken < 1000; taken += 1) {
        await vi.advanceTimersByTimeAsync(1);
        yield 'x'.repeat(1000);
      }
    }
    return { parts: parts(), taken: () => taken };
  }

  it('is read as far as a caption can be long, and no further', async () => {
    const { parts, taken } = bomb();
    const grown = vi.fn();
    const { text, isWhole } = await readStreamText(parts, grown);
    expect({ length: text.length, isWhole }).toEqual({ length: 10_000, isWhole: false });
    expect(taken()).toBeLessThanOrEqual(11);
    // A part a millisecond, told every 50.
    expect(grown).not.toHaveBeenCalled();
  });

  it('is told as it grows, every 50 ms at most, and as it is in the end', async () => {
    async function* parts(): AsyncGenerator<string> {
      for (let part = 0; part < 200; part += 1) {
        await vi.advanceTimersByTimeAsync(1);
        yield 'ab ';
      }
    }
    const grown: number[] = [];
    const { text, isWhole } = await readStreamText(parts(), (sofar) => grown.push(sofar.length));
    expect({ length: text.length, isWhole }).toEqual({ length: 600, isWhole: true });
    expect(grown.length).toBeGreaterThanOrEqual(2);
    expect(grown.length).toBeLessThanOrEqual(4);
  });

  it('that breaks off is none, and leaves nothing behind', async () => {
    async function* parts(): AsyncGenerator<string> {
      await Promise.resolve();
      yield 'half a';
      throw new Error('gone');
    }
    await expect(readStreamText(parts())).rejects.toThrow('gone');
  });

  it('is one of few: of one participant eight at a time, of all sixty-four', () => {
    const open = new OpenStreams();
    const leave = Array.from({ length: 8 }, () => open.enter('eve'));
    expect(leave.every((end) => end !== undefined)).toBe(true);
    expect(open.enter('eve')).toBeUndefined();
    expect(open.enter('ana')).toBeDefined();
    leave[0]?.();
    expect(open.enter('eve')).toBeDefined();
    const crowd = Array.from({ length: 200 }, (_, index) => open.enter(`p${index}`));
    expect(crowd.filter((end) => end !== undefined)).toHaveLength(64 - 9);
  });
});
