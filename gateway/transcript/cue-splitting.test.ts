import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CueWord,
  MAX_CUE_LINES,
  MAX_LINE_COLUMNS,
  READING_SPEED,
  splitIntoCues,
  type SplitCue,
} from './cue-splitting.js';
import { textColumns } from './text-columns.js';

const timed = (texts: readonly string[], wordMs = 300): CueWord[] =>
  texts.map((text, index) => ({ text, startMs: index * wordMs, endMs: (index + 1) * wordMs }));

const lineOf = (line: SplitCue['lines'][number]): string =>
  line.map(({ text, continues }, index) => (index === 0 || continues ? text : ` ${text}`)).join('');
const linesOf = (cue: SplitCue): string[] => cue.lines.map(lineOf);
/** As one text, with a space for every line break that does not cut a word. */
const columnsOf = (cue: SplitCue): number =>
  cue.lines.reduce(
    (sum, line, index) =>
      sum + textColumns(lineOf(line)) + (index > 0 && line[0]?.continues === false ? 1 : 0),
    0,
  );
/** Words again, pieces of one word joined. */
const wordsOf = (cues: readonly SplitCue[]): string[] => {
  const words: string[] = [];
  for (const { text, continues } of cues.flatMap(({ lines }) => lines.flat())) {
    if (continues) words.push(`${words.pop() ?? ''}${text}`);
    else words.push(text);
  }
  return words;
};

const text = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-zàéüß']{1,14}[.,!?]?$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z]{30,200}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[漢字かな]{1,60}$/) },
  { weight: 1, arbitrary: fc.constantFrom('👩‍👩‍👧‍👦'.repeat(30), '\u200d\u200d', 'é́́́', '‮abc‬', '🙂') },
);
/** Words of any pace, with pauses; sometimes all at one moment. */
const speech = fc
  .array(fc.record({ text, gapMs: fc.nat({ max: 4000 }), lengthMs: fc.nat({ max: 900 }) }), {
    minLength: 1,
    maxLength: 120,
  })
  .map((words) => {
    let atMs = 0;
    return words.map(({ text: word, gapMs, lengthMs }): CueWord => {
      const startMs = atMs + (gapMs > 3000 ? gapMs : 0);
      atMs = startMs + lengthMs;
      return { text: word, startMs, endMs: atMs };
    });
  });
const options = fc.record({
  labelColumns: fc.nat({ max: 22 }),
  pauseAfterMs: fc.option(fc.nat({ max: 5000 }), { nil: undefined }),
});

const split = (
  words: readonly CueWord[],
  option: { labelColumns: number; pauseAfterMs?: number | undefined },
) => {
  const { labelColumns, pauseAfterMs } = option;
  const nextStartMs = pauseAfterMs === undefined ? Infinity : (words.at(-1)?.endMs ?? 0) + pauseAfterMs;
  return { nextStartMs, cues: splitIntoCues(words, { labelColumns, nextStartMs }) };
};

describe('splitting into cues', () => {
  it('loses no word, doubles none, and keeps their order', () => {
    fc.assert(
      fc.property(speech, options, (words, option) => {
        expect(wordsOf(split(words, option).cues)).toEqual(words.map((word) => word.text));
      }),
    );
  });

  it('keeps to two lines of 42 columns, the name included', () => {
    fc.assert(
      fc.property(speech, options, (words, option) => {
        for (const cue of split(words, option).cues) {
          expect(cue.lines.length).toBeGreaterThan(0);
          expect(cue.lines.length).toBeLessThanOrEqual(MAX_CUE_LINES);
          for (const [index, line] of linesOf(cue).entries()) {
            const label = index === 0 ? option.labelColumns : 0;
            expect(textColumns(line) + label).toBeLessThanOrEqual(MAX_LINE_COLUMNS);
          }
        }
      }),
    );
  });

  it('shows every cue for long enough to be read, unless the next one must come', () => {
    fc.assert(
      fc.property(speech, options, (words, option) => {
        const { cues, nextStartMs } = split(words, option);
        for (const [index, cue] of cues.entries()) {
          const nextMs = cues[index + 1]?.startMs ?? nextStartMs;
          const readableMs = Math.max(1000, (columnsOf(cue) / READING_SPEED) * 1000);
          expect(cue.endMs).toBeGreaterThan(cue.startMs);
          if (cue.endMs - cue.startMs < readableMs) expect(cue.endMs).toBe(Math.max(nextMs, cue.startMs + 1));
          // Never beside the same speaker's next one, and never gone before the last word is spoken.
          expect(cue.endMs).toBeLessThanOrEqual(Math.max(nextMs, cue.startMs + 1));
        }
      }),
    );
  });

  it('begins every cue with its first word', () => {
    fc.assert(
      fc.property(speech, (words) => {
        for (const cue of splitIntoCues(words)) expect(cue.startMs).toBe(cue.lines[0]?.[0]?.startMs);
      }),
    );
  });

  it('ends cues where sentences end, rather than where the lines are full', () => {
    const words =
      'We have three points on the agenda today. The first one is the budget for next year, which Paul is going to present.';
    expect(splitIntoCues(timed(words.split(' '))).map(linesOf)).toEqual([
      ['We have three points on the agenda today.'],
      ['The first one is the budget for next year,', 'which Paul is going to present.'],
    ]);
  });

  it('breaks lines so that both are about as long', () => {
    expect(
      splitIntoCues(timed('one two three four five six seven eight nine ten'.split(' '))).map(linesOf),
    ).toEqual([['one two three four five', 'six seven eight nine ten']]);
  });

  it('does not hold words before a long pause together with those after it', () => {
    const words = [...timed(['Well']), { text: 'yes', startMs: 9000, endMs: 9300 }];
    expect(splitIntoCues(words)).toMatchObject([
      { startMs: 0, endMs: 1000 },
      { startMs: 9000, endMs: 10_000 },
    ]);
  });

  it('lets words that were spoken fast stay for as long as reading them takes', () => {
    const [cue] = splitIntoCues(timed('forty-two characters of very fast speaking'.split(' '), 100));
    expect(cue?.endMs).toBe(Math.ceil((42 / READING_SPEED) * 1000));
  });

  it('is quick for an hour of one segment', () => {
    const words = timed(Array.from({ length: 9000 }, (_, index) => `word${index}`));
    expect(wordsOf(splitIntoCues(words))).toHaveLength(9000);
  });
});
