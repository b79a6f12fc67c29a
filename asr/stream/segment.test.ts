import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { SegmentEvent } from '../engine.js';
import type { Formatter } from '../text/formatter.js';
import type { Hypothesis, Token } from '../token.js';
import { Segment } from './segment.js';

/** Capitals at the beginning of sentences, a full stop at the end, and the last word may still change. */
const formatter: Formatter = {
  format: (words, { startsSentence, endsSentence }) =>
    words.map((word, index) => {
      const start = startsSentence && index === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
      return endsSentence && index === words.length - 1 ? `${start}.` : start;
    }),
  stableCount: (words) => Math.max(0, words.length - 1),
};

interface Setup {
  readonly segment: Segment;
  readonly told: SegmentEvent[];
}

function createSegment(
  options: { number?: number; fromMs?: number; previous?: Segment; punctuatesFinals?: boolean } = {},
): Setup {
  const told: SegmentEvent[] = [];
  const segment = new Segment({
    number: options.number ?? 1,
    fromSample: sampleIndex(msToSamples(options.fromMs ?? 0)),
    previous: options.previous,
    formatter: () => formatter,
    punctuatesFinals: options.punctuatesFinals ?? false,
    emit: (event) => told.push(event),
  });
  return { segment, told };
}

/** One token a word, one word every 400 ms, the first token at `fromMs` + 400. */
function hypothesis(words: string, options: { isFinal?: boolean; fromMs?: number } = {}): Hypothesis {
  const { isFinal = false, fromMs = 0 } = options;
  const tokens = words
    .split(' ')
    .filter((word) => word !== '')
    .map((word, index): Token => ({
      text: ` ${word}`,
      atSample: sampleIndex(msToSamples(fromMs + 400 * (index + 1))),
    }));
  const decodedThroughSample = sampleIndex(msToSamples(fromMs + 400 * (tokens.length + 1)));
  return { committed: tokens, provisional: [], decodedThroughSample, isFinal };
}

const textOf = (event: SegmentEvent | undefined): string =>
  event?.words.map(({ text }) => text).join(' ') ?? '';

const sentence = { kind: 'sentence', endSample: msToSamples(5000) } as const;

describe('Segment', () => {
  it('tells words as they come, which of them are stable, and at last the whole sentence', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis('so'));
    segment.update(hypothesis('so it'));
    segment.end(sentence);
    segment.update(hypothesis('so it works', { isFinal: true }));
    expect(told.map((event) => [textOf(event), event.stableWords, event.isFinal])).toEqual([
      ['So', 0, false],
      ['So it', 1, false],
      ['So it works.', 3, true],
    ]);
    expect(segment.isFinal).toBe(true);
  });

  it('tells nothing when nothing changed, and nothing at all when no word was said', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis(''));
    segment.update(hypothesis('yes'));
    segment.update(hypothesis('yes'));
    expect(told).toHaveLength(1);

    const empty = createSegment();
    empty.segment.update(hypothesis(''));
    empty.segment.update(hypothesis('', { isFinal: true }));
    expect(empty.told).toEqual([]);
    expect(empty.segment.isFinal).toBe(true);
  });

  it('tells that words which were shown early have come to stay', () => {
    const { segment, told } = createSegment();
    const { committed, ...heard } = hypothesis('so it works');
    segment.update({ ...heard, committed: [], provisional: committed });
    segment.update({ ...heard, committed, provisional: [] });
    segment.update({ ...heard, committed, provisional: [] });
    expect(told.map((event) => [textOf(event), event.stableWords])).toEqual([
      ['So it works', 0],
      ['So it works', 2],
    ]);
  });

  it('tells the end of a segment whose words were all taken back', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis('no'));
    segment.update(hypothesis(''));
    segment.update(hypothesis('', { isFinal: true }));
    expect(told.map((event) => [textOf(event), event.isFinal])).toEqual([
      ['No', false],
      ['', false],
      ['', true],
    ]);
  });

  it('takes nothing after its final', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis('yes', { isFinal: true }));
    segment.update(hypothesis('yes no'));
    segment.abandon();
    expect(told).toHaveLength(1);
  });

  it('keeps what was told as stable when a replay hears it otherwise, and goes on where that ended', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis('we wreck a nice beach today'));
    segment.update(hypothesis('we recognise nice speech today and'));
    segment.update(hypothesis('we recognise nice speech today and tomorrow'));
    segment.update(hypothesis('we recognise nice speech today and tomorrow', { isFinal: true }));
    expect(textOf(told[0])).toBe('We wreck a nice beach today');
    expect(told[0]?.stableWords).toBe(5);
    expect(textOf(told.at(-1))).toBe('We wreck a nice beach and tomorrow.');
  });

  it('never changes a stable word, and has at most as many as words, whatever replays say', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(fc.array(fc.array(word, { maxLength: 8 }), { maxLength: 12 }), (versions) => {
        const { segment, told } = createSegment();
        for (const words of versions) segment.update(hypothesis(words.join(' ')));
        segment.update(hypothesis(versions.at(-1)?.join(' ') ?? '', { isFinal: true }));
        let stable: string[] = [];
        for (const event of told) {
          const texts = event.words.map(({ text }) => text);
          expect(event.stableWords).toBeLessThanOrEqual(texts.length);
          expect(event.stableWords).toBeGreaterThanOrEqual(stable.length);
          expect(texts.slice(0, stable.length)).toEqual(stable);
          stable = texts.slice(0, event.stableWords);
        }
        if (told.length > 0) expect(told.at(-1)).toMatchObject({ isFinal: true, stableWords: stable.length });
      }),
    );
  });

  it('ends up with every word once when versions only grow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }),
        fc.array(fc.nat(12)),
        (words, lengths) => {
          const { segment, told } = createSegment();
          for (const length of lengths.sort((a, b) => a - b))
            segment.update(hypothesis(words.slice(0, length).join(' ')));
          segment.update(hypothesis(words.join(' '), { isFinal: true }));
          expect(textOf(told.at(-1)).toLowerCase().replace('.', '')).toBe(words.join(' '));
        },
      ),
    );
  });

  it('leaves out words before its beginning and, after a cut, those of the next segment', () => {
    const { segment, told } = createSegment({ fromMs: 1000 });
    segment.update(hypothesis('one two three four five'));
    expect(textOf(told.at(-1))).toBe('Three four five');
    const cut = msToSamples(1800);
    segment.end({ kind: 'cut', endSample: cut, toSample: cut });
    segment.update(hypothesis('one two three four five', { isFinal: true }));
    expect(textOf(told.at(-1))).toBe('Three four');
    expect(segment.toSample).toBe(cut);
  });

  it('begins no word before it begins itself', () => {
    const { segment, told } = createSegment({ fromMs: 300 });
    segment.update(hypothesis('yes'));
    expect(told[0]?.words[0]?.startSample).toBe(msToSamples(300));
  });

  it('goes on with the sentence after a cut, and begins one after a sentence or a pause', () => {
    const follow = (end: Parameters<Segment['end']>[0], nextMs: number): string => {
      const first = createSegment();
      first.segment.update(hypothesis('and then'));
      first.segment.end(end);
      const second = createSegment({ number: 2, fromMs: nextMs, previous: first.segment });
      second.segment.update(hypothesis('he left', { fromMs: nextMs }));
      first.segment.update(hypothesis('and then', { isFinal: true }));
      return `${textOf(first.told.at(-1))} ${textOf(second.told.at(-1))}`;
    };
    const cutAt = (endMs: number) => ({ kind: 'cut', endSample: msToSamples(endMs) }) as const;
    expect(follow(cutAt(2000), 2000)).toBe('And then he left');
    expect(follow(cutAt(2000), 2700)).toBe('And then He left');
    expect(follow({ kind: 'sentence', endSample: msToSamples(2000) }, 2000)).toBe('And then. He left');
  });

  it('looks past a segment without words to decide whether a sentence begins', () => {
    const first = createSegment();
    first.segment.update(hypothesis('and then'));
    first.segment.end({ kind: 'cut', endSample: msToSamples(2000) });
    const noise = createSegment({ number: 2, fromMs: 2000, previous: first.segment });
    first.segment.update(hypothesis('and then', { isFinal: true }));
    noise.segment.end({ kind: 'sentence', endSample: msToSamples(3000) });
    noise.segment.update(hypothesis('', { isFinal: true, fromMs: 2000 }));
    const third = createSegment({ number: 3, fromMs: 3000, previous: noise.segment });
    third.segment.update(hypothesis('he left', { fromMs: 3000 }));
    expect(textOf(third.told.at(-1))).toBe('he left');
  });

  it('makes what was told final when recognition gives up', () => {
    const { segment, told } = createSegment();
    segment.update(hypothesis('we had'));
    segment.abandon();
    expect(textOf(told.at(-1))).toBe('We had');
    expect(told.at(-1)).toMatchObject({ isFinal: true, stableWords: 2 });

    const silent = createSegment();
    silent.segment.abandon();
    expect(silent.told).toEqual([]);
    expect(silent.segment.isFinal).toBe(true);
  });

  it('holds nothing stable before the final where a model punctuates finals', () => {
    const { segment, told } = createSegment({ punctuatesFinals: true });
    segment.update(hypothesis('so it works'));
    expect(told.at(-1)?.stableWords).toBe(0);
    segment.update(hypothesis('so it works', { isFinal: true }));
    expect(told.at(-1)?.stableWords).toBe(3);
  });
});
