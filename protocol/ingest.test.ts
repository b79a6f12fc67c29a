import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionError } from './errors.js';
import {
  decodeIngestAnswer,
  decodeIngestMessage,
  INGEST_SAMPLE_RATES_HZ,
  MAX_INGEST_TEXT_BYTES,
} from './ingest.js';

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

  it('takes null for everything that may be absent', () => {
    const nulls = {
      speaker: { identity: 'ana', name: null },
      language: null,
      vocabulary: null,
      resume: null,
    };
    expect(decodeIngestMessage(JSON.stringify({ ...HELLO, ...nulls }))).toEqual({
      ...HELLO,
      speaker: { identity: 'ana', name: '' },
    });
  });

  it.each([
    ['en_US', 'en-US'],
    ['EN', 'en'],
    ['', undefined],
  ])('reads the language "%s" as %s', (language, read) => {
    const hello = decodeIngestMessage(JSON.stringify({ ...HELLO, language }));
    expect(hello?.kind === 'hello' ? hello.language : 'no hello').toBe(read);
  });

  it('says how to write a language that it does not understand', () => {
    expect(() => decodeIngestMessage(JSON.stringify({ ...HELLO, language: 'english language' }))).toThrow(
      /^Malformed message: language must be .*"en-GB"/,
    );
  });

  it.each(INGEST_SAMPLE_RATES_HZ)('takes %i Hz', (sampleRateHz) => {
    expect(codeOfHello({ sampleRateHz })).toBeUndefined();
  });

  it.each([
    { kind: 'mute' },
    { kind: 'unmute' },
    { kind: 'end' },
    { kind: 'vocabulary', vocabulary: ['La Suite'] },
    { kind: 'spoken', behindMs: 1500 },
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
    ['a language of 36 characters', { language: 'x'.repeat(36) }, 'message_malformed'],
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

describe('decodeIngestAnswer', () => {
  it.each([
    { kind: 'welcome', version: 1, stream: 's1', expectSample: 0 },
    { kind: 'welcome', version: 1, stream: 's1', expectSample: 5, finalThroughSample: 3 },
    { kind: 'ack', receivedThroughSample: 9, recognisedThroughSample: 8, behindMs: 7 },
    { kind: 'ack', receivedThroughSample: 9, recognisedThroughSample: 8, finalThroughSample: 6, behindMs: 7 },
    { kind: 'ended', receivedThroughSample: 9 },
    { kind: 'access', expiresAtMs: 1000, refusal: { code: 'token_refused', message: '' } },
    { kind: 'warning', code: 'vocabulary_not_favoured', message: 'Not all of it.' },
    { kind: 'error', code: 'audio_too_fast', message: 'Slower.', retryable: true },
  ])('reads $kind', (answer) => {
    expect(decodeIngestAnswer(JSON.stringify({ ...answer, mood: 'good' }))).toEqual(answer);
  });

  it('ignores kinds that it does not know', () => {
    expect(decodeIngestAnswer('{"kind":"wave"}')).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['another version', { kind: 'welcome', version: 2, stream: 's', expectSample: 0 }, 'version_unsupported'],
    ['a welcome without a stream', { kind: 'welcome', version: 1, expectSample: 0 }, 'message_malformed'],
    [
      'an error that does not say whether it may pass',
      { kind: 'error', code: 'c', message: '' },
      'message_malformed',
    ],
    ['a place before the beginning', { kind: 'ended', receivedThroughSample: -1 }, 'message_malformed'],
  ])('refuses %s', (_, answer, code) => {
    expect(() => decodeIngestAnswer(JSON.stringify(answer))).toThrow(expect.objectContaining({ code }));
  });
});
