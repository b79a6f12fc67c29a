import { describe, expect, it } from 'vitest';
import type { TrackedWord } from '../asr/index.js';
import { type LoadedClip, scheduleOnce } from './clip-schedule.js';
import { creditedByChance, scoreSpeaker, wordsCreditedToOthers } from './accuracy-score.js';
import { formattedWords } from './formatted-words.js';

/** A word a half second, beginning with the clip. */
const clip = (id: string, text: string): LoadedClip => {
  const words = text.split(' ').map((word, at) => ({ text: word, startMs: at * 500, endMs: at * 500 + 400 }));
  const pcm = new Int16Array(16 * 500 * words.length);
  return { id, path: `${id}.wav`, text, words, speech: null, isHandLabelled: false, pcm };
};

const START_EPOCH_MS = 1_000_000;

/** Shown a word a half second, beginning `fromMs` into the meeting. */
const shown = (text: string, fromMs = 0): TrackedWord[] =>
  text.split(' ').map((word, at) => {
    const startMs = START_EPOCH_MS + fromMs + at * 500;
    return {
      text: word,
      startMs,
      endMs: startMs + 400,
      firstShownMs: 0,
      stableSinceMs: 0,
      segment: 's',
      finalAtMs: 0,
    };
  });

const speaker = (clips: readonly LoadedClip[], words: TrackedWord[]) => ({
  clips: scheduleOnce(clips).clips,
  words,
  startEpochMs: START_EPOCH_MS,
});

describe('scoring what was shown of a speaker', () => {
  it('counts errors clip by clip as counted by hand', () => {
    // Said:  we meet at noon | bring the new plan with you
    // Shown: we met  at noon | bring the     plan if   you now
    const scored = scoreSpeaker(
      speaker(
        [clip('a', 'we meet at noon'), clip('b', 'bring the new plan with you')],
        shown('we met at noon bring the plan if you now'),
      ),
    );
    expect(scored.map(({ plain }) => plain)).toEqual([
      { substitutions: 1, deletions: 0, insertions: 0, spoken: 4 },
      { substitutions: 1, deletions: 1, insertions: 1, spoken: 6 },
    ]);
  });

  it('counts capitals and punctuation apart, where the transcript has them', () => {
    // Said:  Well , Paul , it is noon .   (8)
    // Shown: Well   paul   it is noon .   two commas missing, one capital wrong
    const [formatted, capitals] = scoreSpeaker(
      speaker(
        [clip('a', 'Well, Paul, it is noon.'), clip('b', 'ALL IN CAPITALS')],
        shown('Well paul it is noon. ALL IN CAPITALS'),
      ),
    );
    expect(formatted?.plain).toEqual({ substitutions: 0, deletions: 0, insertions: 0, spoken: 5 });
    expect(formatted?.formatted).toEqual({ substitutions: 1, deletions: 2, insertions: 0, spoken: 8 });
    expect(capitals?.formatted).toBeNull();
  });

  it('keeps words, apostrophes and marks, and nothing else', () => {
    expect(formattedWords('“Isn’t it?” he said – (no): well-known!')).toEqual([
      ...["Isn't", 'it', '?', 'he', 'said', 'no', ':', 'well', 'known', '!'],
    ]);
  });
});

describe('words credited to somebody else', () => {
  const one = clip('a', 'we meet at noon today');
  const other = clip('b', 'bring the new plan with you');

  it('are those that are missing with one and too many with another at that moment', () => {
    const room = [
      speaker([one], shown('we meet today')),
      speaker(
        [other],
        [...shown('bring the'), ...shown('at noon', 1000), ...shown('new plan with you', 1000)],
      ),
    ];
    expect(wordsCreditedToOthers(room)).toBe(2);
    expect(creditedByChance(room)).toBe(0);
  });

  it('are none when a word is wrong, missing everywhere, or was said at another time', () => {
    expect(
      wordsCreditedToOthers([
        speaker([one], shown('we meet at new today')),
        speaker([other], shown('bring the new plan with')),
      ]),
    ).toBe(0);
    const late = [...shown('bring the new plan with you'), ...shown('noon', 20_000)];
    expect(wordsCreditedToOthers([speaker([one], shown('we meet at today')), speaker([other], late)])).toBe(
      0,
    );
  });
});
