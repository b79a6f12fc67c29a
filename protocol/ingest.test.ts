import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionError } from './errors.js';
import { decodeIngestMessage, INGEST_SAMPLE_RATES_HZ, MAX_INGEST_TEXT_BYTES } from './ingest.js';

const HELLO = {
  kind: 'hello',
  version: 1,
  room: 'council',
  speaker: { identity: 'ana', name: 'Ana' },
  sampleRateHz: 16_000,
} as const;

const CODES = [
  'message_not_json',
  'message_malformed',
  'message_too_large',
  'version_unsupported',
  'sample_rate_unsupported',
];

function codeOf(text: string): string | undefined {
  try {
    decodeIngestMessage(text);
    return undefined;
  } catch (error) {
    if (error instanceof CaptionError) return error.code;
    throw error;
  }
}

const codeOfHello = (changes: object): string | undefined => codeOf(JSON.stringify({ ...HELLO, ...changes }));

describe('decodeIngestMessage', () => {
  it('reads a hello with everything, and leaves unknown fields out', () => {
    const full = {
      ...HELLO,
      language: 'en-GB',
      vocabulary: ['ProConnect', ''],
      resume: { stream: 's1', fromSample: 48_000 },
    };
    expect(
      decodeIngestMessage(JSON.stringify({ ...full, mood: 'good', speaker: { ...full.speaker, age: 3 } })),
    ).toEqual(full);
    expect(decodeIngestMessage(JSON.stringify(HELLO))).toEqual(HELLO);
  });

  it('takes a speaker without a name', () => {
    expect(decodeIngestMessage(JSON.stringify({ ...HELLO, speaker: { identity: 'ana' } }))).toMatchObject({
      speaker: { identity: 'ana', name: '' },
    });
  });

  it.each(INGEST_SAMPLE_RATES_HZ)('takes %i Hz', (sampleRateHz) => {
    expect(codeOfHello({ sampleRateHz })).toBeUndefined();
  });

  it.each([
    { kind: 'mute' },
    { kind: 'unmute' },
    { kind: 'end' },
    { kind: 'vocabulary', vocabulary: ['La Suite'] },
    { kind: 'token', token: 'aa.bb-_.cc' },
  ])('reads $kind', (message) => {
    expect(decodeIngestMessage(JSON.stringify(message))).toEqual(message);
  });

  it('ignores kinds that it does not know', () => {
    expect(decodeIngestMessage('{"kind":"wave"}')).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['another version', { version: 2 }, 'version_unsupported'],
    ['no version', { version: undefined }, 'version_unsupported'],
    ['44.1 kHz', { sampleRateHz: 44_100 }, 'sample_rate_unsupported'],
    ['no rate', { sampleRateHz: undefined }, 'sample_rate_unsupported'],
    ['an empty room', { room: '' }, 'message_malformed'],
    ['a room of 257 characters', { room: 'x'.repeat(257) }, 'message_malformed'],
    ['a speaker who is a text', { speaker: 'ana' }, 'message_malformed'],
    ['no identity', { speaker: { name: 'Ana' } }, 'message_malformed'],
    ['a name that is null', { speaker: { identity: 'ana', name: null } }, 'message_malformed'],
    ['a language of 36 characters', { language: 'x'.repeat(36) }, 'message_malformed'],
    ['an empty language', { language: '' }, 'message_malformed'],
    ['a language in other letters', { language: 'é'.repeat(35) }, 'message_malformed'],
    ['a language with a space', { language: 'en US' }, 'message_malformed'],
    ['a vocabulary that is a text', { vocabulary: 'ProConnect' }, 'message_malformed'],
    ['a resume without a stream', { resume: { fromSample: 0 } }, 'message_malformed'],
    ['a resume at half a sample', { resume: { stream: 's', fromSample: 0.5 } }, 'message_malformed'],
    ['a resume beyond all numbers', { resume: { stream: 's', fromSample: 2 ** 53 } }, 'message_malformed'],
  ])('refuses a hello with %s', (_, changes, code) => {
    expect(codeOfHello(changes)).toBe(code);
  });

  it.each([undefined, null, '', 'two words', 'línea', 'x'.repeat(8193)])('refuses the token %j', (token) => {
    expect(codeOf(JSON.stringify({ kind: 'token', token }))).toBe('message_malformed');
  });

  it('refuses texts beyond its limit without reading them', () => {
    expect(codeOf(`"${'x'.repeat(MAX_INGEST_TEXT_BYTES)}"`)).toBe('message_too_large');
  });

  it('throws nothing but its own errors, whatever comes', () => {
    const almostHello = fc.record(
      {
        kind: fc.constantFrom('hello', 'mute', 'vocabulary', 'token', 'other', 5),
        version: fc.oneof(fc.constant(1), fc.jsonValue()),
        room: fc.oneof(fc.string(), fc.jsonValue()),
        speaker: fc.oneof(fc.record({ identity: fc.jsonValue(), name: fc.jsonValue() }), fc.jsonValue()),
        sampleRateHz: fc.oneof(fc.constant(8000), fc.jsonValue()),
        language: fc.jsonValue(),
        vocabulary: fc.jsonValue(),
        resume: fc.oneof(fc.record({ stream: fc.jsonValue(), fromSample: fc.jsonValue() }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      almostHello.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const code = codeOf(text);
        expect(code === undefined || CODES.includes(code)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
