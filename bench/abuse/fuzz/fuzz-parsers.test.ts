import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as protocol from '../../../protocol/index.js';
import { fuzzParsers } from './fuzz-parsers.js';
import { hostileText } from './hostile-text.js';
import { SeededRandom } from './random.js';
import { CAPTION_MESSAGES, CAPTIONER_MESSAGES, INGEST_MESSAGES } from './valid-messages.js';

describe('hostile messages', () => {
  it('are refused by the parsers of the protocol with a CaptionError and nothing else, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { inputs, accepted, refused, failures } = fuzzParsers(protocol, { inputs: 400, seed });
        expect(failures).toEqual([]);
        const refusals = Object.values(refused).reduce((sum, times) => sum + times, 0);
        expect(accepted + refusals).toBe(inputs);
        expect(refusals).toBeGreaterThan(inputs / 4);
      }),
      { numRuns: 15 },
    );
  });

  it('tell apart a parser that throws something else', () => {
    const broken = {
      ...protocol,
      decodeIngestMessage: () => {
        throw new RangeError('broken');
      },
    };
    expect(fuzzParsers(broken, { inputs: 8, seed: 1 }).failures).toEqual([
      'input 1 of seed 1: RangeError: broken',
      'input 5 of seed 1: RangeError: broken',
    ]);
  });

  it('are the same for the same seed', () => {
    const texts = (seed: number): string[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 50 }, () => hostileText(random, INGEST_MESSAGES));
    };
    expect(texts(7)).toEqual(texts(7));
    expect(texts(7)).not.toEqual(texts(8));
  });

  it('are made of messages that are right', () => {
    const encoder = new TextEncoder();
    for (const message of INGEST_MESSAGES)
      expect(protocol.decodeIngestMessage(JSON.stringify(message))?.kind).toBe(message.kind);
    for (const message of CAPTIONER_MESSAGES)
      expect(protocol.decodeCaptionerMessage(JSON.stringify(message))?.kind).toBe(message.kind);
    for (const message of CAPTION_MESSAGES)
      expect(protocol.decodeMessage(encoder.encode(JSON.stringify(message)))?.kind).toBe(message.kind);
  });
});
