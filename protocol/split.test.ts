import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CodecError,
  MAX_EPOCH_MS,
  MAX_MESSAGE_BYTES,
  MAX_SIGNABLE_BYTES,
  MAX_WORD_CHARS,
  applyMessage,
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
  splitDelta,
  startEpoch,
  type CaptionDelta,
  type CaptionWord,
} from './index.js';
import { arbitraryDelta, arbitraryWord } from './testing/arbitrary-messages.js';

const wordOf = (text: string): CaptionWord => ({ text, startMs: epochMs(1000), endMs: epochMs(1200) });
const deltaOf = (words: CaptionWord[], change: Partial<CaptionDelta> = {}): CaptionDelta => ({
  kind: 'delta',
  room: roomName('council'),
  epochMs: epochMs(1_700_000_000_000),
  seq: 1,
  speaker: { identity: participantIdentity('ana'), name: 'Ana' },
  segment: segmentId('s1'),
  revision: 1,
  keep: 0,
  words,
  stable: 0,
  isFinal: false,
  language: 'en',
  ...change,
});
const sizeBytes = (message: CaptionDelta): number =>
  new TextEncoder().encode(JSON.stringify({ v: 1, ...message })).length;

describe('splitDelta', () => {
  it('gives back the delta itself exactly where it fits', () => {
    fc.assert(
      fc.property(arbitraryDelta, (delta) => {
        const parts = splitDelta(delta);
        if (sizeBytes(delta) <= MAX_SIGNABLE_BYTES) {
          expect(parts).toHaveLength(1);
          expect(parts[0]).toBe(delta);
        } else {
          expect(parts.length).toBeGreaterThan(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('splits at the very byte above the limit', () => {
    const full = [...Array.from({ length: 14 }, () => wordOf('x'.repeat(MAX_WORD_CHARS - 50))), wordOf('x')];
    const missing = MAX_SIGNABLE_BYTES - sizeBytes(deltaOf(full));
    const fitting = deltaOf([...full.slice(0, -1), wordOf('x'.repeat(1 + missing))]);
    const above = deltaOf([...full.slice(0, -1), wordOf('x'.repeat(2 + missing))]);
    expect(encodeMessage(fitting)).toHaveLength(MAX_SIGNABLE_BYTES);
    expect(splitDelta(fitting)).toStrictEqual([fitting]);
    expect(splitDelta(above)).toHaveLength(2);
  });

  describe('never takes a delta for smaller than it is', () => {
    const moment = epochMs(MAX_EPOCH_MS);
    const number = Number.MAX_SAFE_INTEGER - 1;
    const costlyWord = (chars: number): CaptionWord => ({
      text: '\u0001'.repeat(chars),
      startMs: moment,
      endMs: moment,
      confidence: 0.0000012345678901234567,
    });
    const costlyHeader: Partial<CaptionDelta> = {
      epochMs: moment,
      seq: number,
      speaker: { identity: participantIdentity('\u0001'), name: '\u0001', label: '\u0001' },
      trackSid: '\u0001',
      revision: number,
      keep: number - 3,
      stable: number,
    };

    it('with the most costly numbers around short words', () => {
      const delta = deltaOf(Array.from({ length: 140 }, () => costlyWord(1)));
      expect(sizeBytes(delta)).toBeGreaterThan(MAX_SIGNABLE_BYTES);
      expect(splitDelta(delta)).toHaveLength(2);
    });

    it('with the most costly header around few, long words', () => {
      const ofLastWord = (chars: number): CaptionDelta =>
        deltaOf([MAX_WORD_CHARS, MAX_WORD_CHARS, chars].map(costlyWord), costlyHeader);
      let chars = 1;
      while (sizeBytes(ofLastWord(chars)) <= MAX_SIGNABLE_BYTES) chars += 1;
      expect(chars).toBeLessThan(MAX_WORD_CHARS);
      expect(splitDelta(ofLastWord(chars - 1))).toHaveLength(1);
      expect(splitDelta(ofLastWord(chars))).toHaveLength(2);
    });
  });

  it('counts on, keeps what stands, caps stable and ends only with the last part', () => {
    const words = Array.from({ length: 400 }, (_, index) => wordOf(`word${index}`));
    const parts = splitDelta(deltaOf(words, { revision: 5, seq: 9, keep: 3, stable: 300, isFinal: true }));
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.map(({ seq }) => seq)).toStrictEqual(parts.map((_, index) => 9 + index));
    expect(parts.map(({ revision }) => revision)).toStrictEqual(parts.map((_, index) => 5 + index));
    expect(parts.map(({ isFinal }) => isFinal)).toStrictEqual(
      parts.map((_, index) => index === parts.length - 1),
    );
    let standing = 3;
    for (const part of parts) {
      expect(part.keep).toBe(standing);
      standing += part.words.length;
      expect(part.stable).toBe(Math.min(300, standing));
    }
    expect(standing).toBe(403);
  });

  it('leaves the segment as the delta alone would, and every part can be encoded', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryWord, { minLength: 1, maxLength: 400, size: 'max' }),
        fc.nat(),
        fc.boolean(),
        (words, anyStable, isFinal) => {
          const delta = deltaOf(words, { stable: anyStable % (words.length + 1), isFinal });
          const parts = splitDelta(delta);
          for (const part of parts)
            expect(encodeMessage(part).length).toBeLessThanOrEqual(MAX_SIGNABLE_BYTES);
          const start = startEpoch(delta.room, delta.epochMs);
          const [whole] = segmentsOf(applyMessage(start, delta));
          const end = parts.reduce(applyMessage, start);
          expect(end.needsResync).toBe(false);
          expect(segmentsOf(end)).toStrictEqual([{ ...whole, revision: parts.length }]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses a word that is too long, however few there are', () => {
    const delta = deltaOf([wordOf('fine'), wordOf('x'.repeat(MAX_WORD_CHARS + 1))]);
    expect(() => splitDelta(delta)).toThrow(CodecError);
    expect(() => splitDelta(delta)).toThrow(/words\[1\]\.text/);
  });

  it('leaves a header that breaks its limits to the encoder, and loses no delta', () => {
    const speaker = { identity: participantIdentity('ana'), name: 'x'.repeat(MAX_MESSAGE_BYTES) };
    for (const words of [[], [wordOf('word')]]) {
      const parts = splitDelta(deltaOf(words, { speaker }));
      expect(parts).toHaveLength(1);
      expect(() => encodeMessage(parts[0]!)).toThrow(/speaker\.name/);
    }
  });
});
