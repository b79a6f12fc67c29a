import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CodecError,
  type CaptionerClientMessage,
  type CaptionerServerMessage,
  decodeCaptionerAnswer,
  decodeCaptionerMessage,
  DEFAULT_CORRECTABLE_LINES,
  DEFAULT_SETTLE_AFTER_MS,
  epochMs,
  MAX_CAPTIONER_LINE_CHARS,
  MAX_CAPTIONER_MESSAGE_BYTES,
  participantIdentity,
} from './index.js';

const HELLO = { kind: 'hello', version: 1, captioner: { identity: 'carol', name: 'Carol' } };
const CODES = ['message_not_json', 'message_malformed', 'message_too_large', 'version_unsupported'];

function codeOf(decode: (text: string) => unknown, value: unknown): string | undefined {
  try {
    decode(typeof value === 'string' ? value : JSON.stringify(value));
    return undefined;
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
}

const name = fc.string({ minLength: 1, maxLength: 256 });
const identity = name.map(participantIdentity);
const line = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'binary', maxLength: 200 });
const replaces = fc.oneof(fc.constant('everybody' as const), fc.array(identity, { maxLength: 5 }));
const ms = fc.nat({ max: 120_000 });
const noNullPrototype = true;

const clientMessage: fc.Arbitrary<CaptionerClientMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('hello' as const),
      version: fc.constant(1),
      captioner: fc.record({ identity, name: fc.string({ maxLength: 256 }) }, { noNullPrototype }),
      language: fc.constantFrom('en', 'fr', 'de-CH'),
      replaces,
      correctableLines: fc.nat({ max: 10 }),
      settleAfterMs: ms,
      session: fc.uuid(),
    },
    {
      noNullPrototype,
      requiredKeys: ['kind', 'version', 'captioner', 'replaces', 'correctableLines', 'settleAfterMs'],
    },
  ),
  fc.record(
    { kind: fc.constant('line' as const), line, text, as: identity, isCommitted: fc.boolean() },
    { noNullPrototype, requiredKeys: ['kind', 'line', 'text', 'isCommitted'] },
  ),
  fc.record({ kind: fc.constant('settle' as const), line }, { noNullPrototype }),
  fc.record({ kind: fc.constant('replace' as const), replaces }, { noNullPrototype }),
  fc.constant({ kind: 'end' as const }),
  fc.constant({ kind: 'token' as const, token: 'aa.bb.cc' }),
);

const serverMessage: fc.Arbitrary<CaptionerServerMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('welcome' as const),
      version: fc.constant(1),
      session: fc.uuid(),
      nextLine: line,
      correctableLines: fc.nat({ max: 10 }),
      settleAfterMs: ms,
    },
    { noNullPrototype },
  ),
  fc.record(
    {
      kind: fc.constant('speakers' as const),
      speakers: fc.array(
        fc.record(
          { identity, name: fc.string({ maxLength: 256 }), isReplaced: fc.boolean() },
          { noNullPrototype },
        ),
        { maxLength: 4 },
      ),
    },
    { noNullPrototype },
  ),
  fc.record({ kind: fc.constant('shown' as const), line }, { noNullPrototype }),
  fc.record({ kind: fc.constant('settled' as const), line, text }, { noNullPrototype }),
  fc.constant({ kind: 'ended' as const }),
  fc.constant({ kind: 'access' as const }),
  fc.constant({
    kind: 'access' as const,
    expiresAtMs: epochMs(1000),
    refusal: { code: 'token_refused', message: '' },
  }),
  fc.record(
    { kind: fc.constant('error' as const), code: name, message: text, retryable: fc.boolean() },
    { noNullPrototype },
  ),
);

it('takes null for what may be absent in a hello, and languages in any spelling', () => {
  const nulls = { replaces: null, correctableLines: null, settleAfterMs: null, session: null };
  const read = decodeCaptionerMessage(
    JSON.stringify({ ...HELLO, ...nulls, captioner: { identity: 'carol', name: null }, language: 'fr_ch' }),
  );
  expect(read).toEqual({
    ...HELLO,
    captioner: { identity: 'carol', name: '' },
    language: 'fr-CH',
    replaces: [],
    correctableLines: DEFAULT_CORRECTABLE_LINES,
    settleAfterMs: DEFAULT_SETTLE_AFTER_MS,
  });
});

describe.each([
  ['what captioners send', decodeCaptionerMessage, clientMessage],
  ['what the gateway answers', decodeCaptionerAnswer, serverMessage],
] as const)('%s', (_, decode, message) => {
  it('is read as it was sent, with what is unknown left out', () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decode(JSON.stringify({ ...sent, mood: 'good' }))).toEqual(sent);
      }),
    );
  });

  it('is refused with an error of the codec, or ignored, whatever it is', () => {
    const any = fc.oneof(
      fc.string(),
      fc.json(),
      fc.anything().map((value) => (JSON.stringify(value) as string | undefined) ?? 'undefined'),
    );
    fc.assert(
      fc.property(any, (value) => {
        const code = codeOf(decode, value);
        expect(code === undefined || CODES.includes(code)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(message, fc.string(), fc.anything(), (sent, field, value) => {
        const keys = Object.keys(sent);
        const changed = { ...sent, [keys[field.length % keys.length] ?? 'kind']: value };
        const code = codeOf(decode, JSON.stringify(changed));
        expect(code === undefined || CODES.includes(code)).toBe(true);
      }),
    );
    expect(decode('{"kind":"wave"}')).toBeUndefined();
  });
});

describe('decodeCaptionerMessage', () => {
  it('takes a hello with nothing but a name, and fills in what is usual', () => {
    expect(decodeCaptionerMessage(JSON.stringify({ ...HELLO, captioner: { identity: 'carol' } }))).toEqual({
      ...HELLO,
      captioner: { identity: 'carol', name: '' },
      replaces: [],
      correctableLines: DEFAULT_CORRECTABLE_LINES,
      settleAfterMs: DEFAULT_SETTLE_AFTER_MS,
    });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', 'Hello everybody', 'message_not_json'],
    [
      'too much',
      `{"kind":"line","text":"${'é'.repeat(MAX_CAPTIONER_MESSAGE_BYTES / 2)}"}`,
      'message_too_large',
    ],
    ['another version', { ...HELLO, version: 2 }, 'version_unsupported'],
    ['no captioner', { kind: 'hello', version: 1 }, 'message_malformed'],
    ['an empty identity', { ...HELLO, captioner: { identity: '' } }, 'message_malformed'],
    ['replacing by a word', { ...HELLO, replaces: 'nobody' }, 'message_malformed'],
    ['replacing too many', { ...HELLO, replaces: Array(101).fill('x') }, 'message_malformed'],
    ['eleven correctable lines', { ...HELLO, correctableLines: 11 }, 'message_malformed'],
    ['line 0', { kind: 'line', line: 0, text: '' }, 'message_malformed'],
    ['half a line', { kind: 'line', line: 1.5, text: '' }, 'message_malformed'],
    ['a line without text', { kind: 'line', line: 1 }, 'message_malformed'],
    [
      'a long line',
      { kind: 'line', line: 1, text: 'x'.repeat(MAX_CAPTIONER_LINE_CHARS + 1) },
      'message_malformed',
    ],
    ['a list', [], 'message_malformed'],
  ])('refuses %s', (_, value, code) => {
    expect(codeOf(decodeCaptionerMessage, value)).toBe(code);
  });

  it('never quotes what somebody wrote', () => {
    for (const value of ['secret words', { kind: 'line', line: 1, text: ['secret words'] }]) {
      try {
        decodeCaptionerMessage(typeof value === 'string' ? value : JSON.stringify(value));
        expect.fail('it was taken');
      } catch (error) {
        expect(String(error)).not.toContain('secret');
      }
    }
  });
});
