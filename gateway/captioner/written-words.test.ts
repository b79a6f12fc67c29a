import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CaptionWord, MAX_WORD_CHARS } from '../../protocol/index.js';
import { writtenWords } from './written-words.js';

/** A line that is sent again and again, half a second apart. */
function write(...texts: string[]): { words: readonly CaptionWord[]; keeps: number[] } {
  let words: readonly CaptionWord[] = [];
  const keeps: number[] = [];
  for (const [index, text] of texts.entries()) {
    const beforeMs = index === 0 ? undefined : 10_000 + (index - 1) * 500;
    const written = writtenWords(words, { text, nowMs: 10_000 + index * 500, beforeMs, notBeforeMs: 9000 });
    words = written.words;
    keeps.push(written.keep);
  }
  return { words, keeps };
}

const textsOf = (words: readonly CaptionWord[]): string[] => words.map(({ text }) => text);

describe('written words', () => {
  it('have nothing in them that cannot be seen or turns the line around', () => {
    const { words } = write(
      '\u202eYes\u202c,\u2066 we \u200b do\u0007. \ufeff Mon\u00adday \u{1f468}\u200d\u{1f469}',
    );
    expect(textsOf(words)).toEqual(['Yes,', 'we', 'do.', 'Monday', '\u{1f468}\u200d\u{1f469}']);
  });

  it('are those of the text, in order of time, whatever is changed', () => {
    const text = fc.array(fc.stringMatching(/^[a-d]{1,3}$/), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (versions) => {
        let former: readonly CaptionWord[] = [];
        for (const [index, version] of versions.entries()) {
          const nowMs = 10_000 + index * 700;
          const { keep, words } = writtenWords(former, {
            text: version.join('  '),
            nowMs,
            beforeMs: index === 0 ? undefined : nowMs - 700,
            notBeforeMs: 8000,
          });
          expect(textsOf(words)).toEqual(version);
          expect(words.slice(0, keep)).toEqual(former.slice(0, keep));
          for (const [place, { startMs, endMs }] of words.entries()) {
            expect(endMs).toBeGreaterThanOrEqual(startMs);
            expect(startMs).toBeGreaterThanOrEqual(words[place - 1]?.endMs ?? 8000);
            expect(endMs).toBeLessThanOrEqual(nowMs);
          }
          former = words;
        }
      }),
    );
  });

  it('begin when their first character came, and end when the next one began', () => {
    const { words, keeps } = write('H', 'He', 'Hello', 'Hello ev', 'Hello everybody');
    expect(textsOf(words)).toEqual(['Hello', 'everybody']);
    expect(words[1]).toMatchObject({ startMs: 11_000, endMs: 12_000 });
    expect(keeps).toEqual([0, 0, 0, 1, 1]);
  });

  it('keep their times when another word is corrected', () => {
    const before = write('the quick brawn fox').words;
    const { words, keep } = writtenWords(before, {
      text: 'the quick brown fox',
      nowMs: 20_000,
      beforeMs: 10_000,
      notBeforeMs: 0,
    });
    expect(keep).toBe(2);
    expect([words[0], words[1], words[3]]).toEqual([before[0], before[1], before[3]]);
    expect(words[2]).toMatchObject({ text: 'brown', startMs: before[2]?.startMs, endMs: before[3]?.startMs });
  });

  it('that come at once were written in the time that this takes', () => {
    const { words } = write('twenty characters ok');
    expect(words[0]?.startMs).toBe(9000);
    expect(words.at(-1)?.endMs).toBe(10_000);
  });

  it('hold no control characters, and none is longer than a caption may have', () => {
    const { words } = write(`a\u0000b\n\tc${'🙂'.repeat(700)}`);
    expect(words.every(({ text }) => text.length <= MAX_WORD_CHARS && !/\p{Cc}/u.test(text))).toBe(true);
    expect(textsOf(words).join('')).toBe(`abc${'🙂'.repeat(700)}`);
  });
});
