import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CodecError,
  MAX_LABEL_CHARS,
  MAX_LANGUAGE_CHARS,
  MAX_MESSAGE_BYTES,
  MAX_NAME_CHARS,
  MAX_SEGMENT_ID_CHARS,
  MAX_TRACK_SID_CHARS,
  MAX_WORD_CHARS,
  MAX_EPOCH_MS,
  decodeMessage,
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  type CaptionDelta,
  type CaptionMessage,
  type CaptionSnapshot,
  type GapState,
} from './index.js';
import { arbitraryMessage } from './testing/arbitrary-messages.js';

const encoder = new TextEncoder();
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** One message of every kind, with and without its optional fields, and its exact text on the wire. */
const golden: { name: string; message: CaptionMessage; wire: string }[] = [
  {
    name: 'delta with every optional field',
    message: {
      kind: 'delta',
      room: roomName('council'),
      epochMs: epochMs(1_700_000_000_000),
      seq: 7,
      speaker: { identity: participantIdentity('room-4'), name: 'Room 4', label: 'A' },
      trackSid: 'TR_abc',
      segment: segmentId('s1'),
      revision: 2,
      keep: 1,
      words: [
        {
          text: 'Élan,',
          startMs: epochMs(1_700_000_001_000),
          endMs: epochMs(1_700_000_001_400),
          confidence: 0.5,
        },
      ],
      stable: 1,
      isFinal: false,
      language: 'fr',
    },
    wire: '{"v":1,"kind":"delta","room":"council","epochMs":1700000000000,"seq":7,"speaker":{"identity":"room-4","name":"Room 4","label":"A"},"trackSid":"TR_abc","segment":"s1","revision":2,"keep":1,"words":[{"text":"Élan,","startMs":1700000001000,"endMs":1700000001400,"confidence":0.5}],"stable":1,"isFinal":false,"language":"fr"}',
  },
  {
    name: 'delta without optional fields',
    message: {
      kind: 'delta',
      room: roomName('council'),
      epochMs: epochMs(1_700_000_000_000),
      seq: 1,
      speaker: { identity: participantIdentity('ana'), name: '' },
      segment: segmentId('s1'),
      revision: 1,
      keep: 0,
      words: [],
      stable: 0,
      isFinal: true,
      language: '',
    },
    wire: '{"v":1,"kind":"delta","room":"council","epochMs":1700000000000,"seq":1,"speaker":{"identity":"ana","name":""},"segment":"s1","revision":1,"keep":0,"words":[],"stable":0,"isFinal":true,"language":""}',
  },
  {
    name: 'gap',
    message: {
      kind: 'gap',
      room: roomName('council'),
      epochMs: epochMs(1_700_000_000_000),
      seq: 8,
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      startMs: epochMs(1_700_000_002_000),
      endMs: epochMs(1_700_000_003_000),
      reason: 'overloaded',
    },
    wire: '{"v":1,"kind":"gap","room":"council","epochMs":1700000000000,"seq":8,"speaker":{"identity":"ana","name":"Ana"},"startMs":1700000002000,"endMs":1700000003000,"reason":"overloaded"}',
  },
  {
    name: 'status',
    message: {
      kind: 'status',
      room: roomName('council'),
      epochMs: epochMs(1_700_000_000_000),
      seq: 9,
      state: 'degraded',
      reason: 'Recognition is being restarted.',
    },
    wire: '{"v":1,"kind":"status","room":"council","epochMs":1700000000000,"seq":9,"state":"degraded","reason":"Recognition is being restarted."}',
  },
  {
    name: 'snapshot',
    message: {
      kind: 'snapshot',
      room: roomName('council'),
      epochMs: epochMs(1_700_000_000_000),
      seq: 9,
      part: 0,
      parts: 2,
      segments: [
        {
          segment: segmentId('s1'),
          speaker: { identity: participantIdentity('ana'), name: 'Ana' },
          trackSid: 'TR_abc',
          revision: 3,
          firstWord: 0,
          words: [{ text: 'Yes.', startMs: epochMs(1_700_000_001_000), endMs: epochMs(1_700_000_001_400) }],
          stable: 1,
          isFinal: true,
          language: 'en',
        },
      ],
      gaps: [
        {
          speaker: { identity: participantIdentity('ana'), name: 'Ana' },
          startMs: epochMs(1_700_000_002_000),
          endMs: epochMs(1_700_000_003_000),
          reason: 'audio_missing',
        },
      ],
      state: 'live',
      reason: '',
    },
    wire: '{"v":1,"kind":"snapshot","room":"council","epochMs":1700000000000,"seq":9,"part":0,"parts":2,"segments":[{"segment":"s1","speaker":{"identity":"ana","name":"Ana"},"trackSid":"TR_abc","revision":3,"firstWord":0,"words":[{"text":"Yes.","startMs":1700000001000,"endMs":1700000001400}],"stable":1,"isFinal":true,"language":"en"}],"gaps":[{"speaker":{"identity":"ana","name":"Ana"},"startMs":1700000002000,"endMs":1700000003000,"reason":"audio_missing"}],"state":"live","reason":""}',
  },
  {
    name: 'resync',
    message: { kind: 'resync', room: roomName('council'), lastSeq: 6 },
    wire: '{"v":1,"kind":"resync","room":"council","lastSeq":6}',
  },
  {
    name: 'shown',
    message: { kind: 'shown', room: roomName('council'), epochMs: epochMs(1_700_000_000_000), seq: 7 },
    wire: '{"v":1,"kind":"shown","room":"council","epochMs":1700000000000,"seq":7}',
  },
  {
    name: 'token',
    message: { kind: 'token', token: 'aa.bb-_.cc' },
    wire: '{"v":1,"kind":"token","token":"aa.bb-_.cc"}',
  },
  {
    name: 'access',
    message: { kind: 'access', expiresAtMs: epochMs(1_700_000_000_000) },
    wire: '{"v":1,"kind":"access","expiresAtMs":1700000000000}',
  },
  {
    name: 'refused access',
    message: {
      kind: 'access',
      expiresAtMs: epochMs(1_700_000_000_000),
      refusal: { code: 'token_refused', message: 'It ends before.' },
    },
    wire: '{"v":1,"kind":"access","expiresAtMs":1700000000000,"refusal":{"code":"token_refused","message":"It ends before."}}',
  },
];

const delta = golden[0]!.message as CaptionDelta;
const status = golden[3]!.message;
const snapshot = golden[4]!.message as CaptionSnapshot;

const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
  return 'no error';
};
const wireOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));
/** A message as a careless caller could build it. */
const careless = (fields: object): CaptionMessage => fields as unknown as CaptionMessage;

/** The promise for any input: a `CodecError`, nothing (unknown kind), or a message that can be sent on unchanged. */
const expectHonestDecoding = (input: Uint8Array | string): void => {
  let decoded: CaptionMessage | undefined;
  try {
    decoded = decodeMessage(input);
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    return;
  }
  if (decoded === undefined) return;
  const message = decoded;
  try {
    expect(decodeMessage(encodeMessage(message))).toStrictEqual(message);
  } catch (error) {
    // Numbers can be written shorter than we write them ("1e15"), so what just fitted may not fit any more.
    if (!(error instanceof CodecError)) throw error;
    expect(error.code).toBe('message_too_large');
  }
};

describe('the wire', () => {
  it.each(golden)('has golden bytes: $name', ({ message, wire }) => {
    expect(textOf(encodeMessage(message))).toBe(wire);
    expect(decodeMessage(encoder.encode(wire))).toStrictEqual(message);
    expect(decodeMessage(wire)).toStrictEqual(message);
  });

  it('does not depend on the order in which the caller set the fields, and drops what it does not know', () => {
    const shuffled = Object.fromEntries([...Object.entries(delta).toReversed(), ['mood', 'good']]);
    expect(textOf(encodeMessage(careless(shuffled)))).toBe(golden[0]!.wire);
  });

  it('gives back every message equal to what was encoded, or refuses it for its size alone', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const sizeBytes = wireOf({ v: 1, ...message }).length;
        if (sizeBytes > MAX_MESSAGE_BYTES) {
          expect(codeOf(() => encodeMessage(message))).toBe('message_too_large');
          return;
        }
        const bytes = encodeMessage(message);
        expect(bytes).toHaveLength(sizeBytes);
        expect(decodeMessage(bytes)).toStrictEqual(message);
        expect(decodeMessage(textOf(bytes))).toStrictEqual(message);
      }),
      { numRuns: 500 },
    );
  });
});

describe('zero', () => {
  it('has no sign, so that a message stays equal to itself', () => {
    const decoded = decodeMessage('{"v":1,"kind":"resync","room":"r","lastSeq":-0}');
    expect(decoded).toStrictEqual({ kind: 'resync', room: 'r', lastSeq: 0 });
  });
});

describe('versions and unknown things', () => {
  it('ignores a kind it does not know, and only that', () => {
    expect(decodeMessage('{"v":1,"kind":"applause","hands":4}')).toBeUndefined();
    expect(decodeMessage('{"v":1,"kind":"__proto__"}')).toBeUndefined();
    expect(codeOf(() => decodeMessage('{"v":1}'))).toBe('message_malformed');
    expect(codeOf(() => decodeMessage('{"v":1,"kind":5}'))).toBe('message_malformed');
  });

  it('drops fields it does not know, at every depth', () => {
    const wire = golden[4]!.wire.replaceAll('{"', '{"extra":{"deep":[1]},"');
    expect(decodeMessage(wire)).toStrictEqual(snapshot);
  });

  it('refuses every other version, also for kinds it does not know', () => {
    for (const v of [0, 2, 1000]) {
      expect(codeOf(() => decodeMessage(wireOf({ ...status, v })))).toBe('version_unsupported');
      expect(codeOf(() => decodeMessage(wireOf({ v, kind: 'applause' })))).toBe('version_unsupported');
    }
    for (const v of [undefined, null, '1', 1.5, -1]) {
      expect(codeOf(() => decodeMessage(wireOf({ ...status, v })))).toBe('message_malformed');
    }
  });

  it('does not encode a kind it does not know', () => {
    expect(codeOf(() => encodeMessage(careless({ kind: 'applause' })))).toBe('message_malformed');
  });

  it('takes __proto__ for a field like any other', () => {
    const wire = `{"__proto__":${golden[5]!.wire},"v":1,"kind":"resync"}`;
    expect(codeOf(() => decodeMessage(wire))).toBe('message_malformed');
    const named = { kind: 'resync' as const, room: roomName('__proto__'), lastSeq: 0 };
    expect(decodeMessage(encodeMessage(named))).toStrictEqual(named);
  });
});

describe('size', () => {
  const ofSize = (sizeBytes: number): string => {
    const start = '{"v":1,"kind":"resync","room":"r","lastSeq":0,"padding":"';
    return `${start}${'x'.repeat(sizeBytes - start.length - 2)}"}`;
  };

  it('accepts the limit and refuses one byte more, as bytes and as text', () => {
    for (const convert of [(text: string) => text, (text: string) => encoder.encode(text)]) {
      expect(decodeMessage(convert(ofSize(MAX_MESSAGE_BYTES)))).toBeDefined();
      expect(codeOf(() => decodeMessage(convert(ofSize(MAX_MESSAGE_BYTES + 1))))).toBe('message_too_large');
    }
  });

  it('encodes up to the limit and refuses one byte more', () => {
    const ofWords = (lastChars: number): CaptionDelta => ({
      ...delta,
      words: [...Array<number>(14).fill(950), lastChars].map((chars) => ({
        ...delta.words[0]!,
        text: 'x'.repeat(chars),
      })),
    });
    const missingBytes = MAX_MESSAGE_BYTES - encodeMessage(ofWords(1)).length;
    expect(missingBytes).toBeLessThan(MAX_WORD_CHARS);
    expect(encodeMessage(ofWords(1 + missingBytes))).toHaveLength(MAX_MESSAGE_BYTES);
    expect(codeOf(() => encodeMessage(ofWords(2 + missingBytes)))).toBe('message_too_large');
  });

  it('counts bytes, not characters, of a text', () => {
    const padding = 'é'.repeat(MAX_MESSAGE_BYTES / 2);
    const text = `{"v":1,"kind":"resync","room":"r","lastSeq":0,"padding":"${padding}"}`;
    expect(text.length).toBeLessThan(MAX_MESSAGE_BYTES);
    expect(codeOf(() => decodeMessage(text))).toBe('message_too_large');
  });

  it('fits a delta, a gap or a snapshot part with one item whatever its texts are', () => {
    const longest = (chars: number): string => '\u0001'.repeat(chars);
    const moment = epochMs(MAX_EPOCH_MS);
    const number = Number.MAX_SAFE_INTEGER;
    const word = {
      text: longest(MAX_WORD_CHARS),
      startMs: moment,
      endMs: moment,
      confidence: 0.0000012345678901234567,
    };
    const common = {
      speaker: {
        identity: participantIdentity(longest(MAX_NAME_CHARS)),
        name: longest(MAX_NAME_CHARS),
        label: longest(MAX_LABEL_CHARS),
      },
      trackSid: longest(MAX_TRACK_SID_CHARS),
      segment: segmentId(longest(MAX_SEGMENT_ID_CHARS)),
      revision: number,
      words: [word],
      isFinal: false,
      language: longest(MAX_LANGUAGE_CHARS),
    };
    const header = { room: roomName(longest(MAX_NAME_CHARS)), epochMs: moment, seq: number };
    const largestDelta: CaptionDelta = {
      kind: 'delta',
      ...header,
      ...common,
      keep: number - 1,
      stable: number,
    };
    const gap: GapState = {
      speaker: common.speaker,
      startMs: moment,
      endMs: moment,
      reason: 'gateway_restarted',
    };
    const emptyPart: CaptionSnapshot = {
      kind: 'snapshot',
      ...header,
      part: 999,
      parts: 1000,
      segments: [],
      gaps: [],
      state: 'unavailable',
      reason: longest(MAX_NAME_CHARS),
    };
    const segments = [{ ...common, firstWord: number, stable: number }];
    for (const largest of [largestDelta, { ...emptyPart, segments }, { ...emptyPart, gaps: [gap] }]) {
      expect(decodeMessage(encodeMessage(largest))).toStrictEqual(largest);
    }
  });
});

describe('broken rules', () => {
  const word = delta.words[0]!;
  const broken: { field: string; message: object }[] = [
    { field: 'room', message: { ...status, room: '' } },
    { field: 'room', message: { ...status, room: 'r'.repeat(257) } },
    { field: 'epochMs', message: { ...status, epochMs: 1.5 } },
    { field: 'epochMs', message: { ...status, epochMs: -1 } },
    { field: 'epochMs', message: { ...status, epochMs: MAX_EPOCH_MS + 1 } },
    { field: 'seq', message: { ...status, seq: 0 } },
    { field: 'seq', message: { ...status, seq: 2 ** 53 } },
    { field: 'seq', message: { ...status, seq: Number.NaN } },
    { field: 'seq', message: { ...status, seq: Number.POSITIVE_INFINITY } },
    { field: 'seq', message: { ...status, seq: '1' } },
    { field: 'state', message: { ...status, state: 'toString' } },
    { field: 'reason', message: { ...status, reason: 'r'.repeat(257) } },
    { field: 'speaker', message: { ...delta, speaker: null } },
    { field: 'speaker', message: { ...delta, speaker: [] } },
    { field: 'speaker.identity', message: { ...delta, speaker: { identity: '', name: '' } } },
    { field: 'speaker.name', message: { ...delta, speaker: { identity: 'a' } } },
    { field: 'speaker.label', message: { ...delta, speaker: { identity: 'a', name: '', label: '' } } },
    { field: 'trackSid', message: { ...delta, trackSid: null } },
    { field: 'segment', message: { ...delta, segment: 's'.repeat(129) } },
    { field: 'revision', message: { ...delta, revision: 0 } },
    { field: 'keep', message: { ...delta, revision: 1, keep: 1 } },
    { field: 'keep', message: { ...delta, keep: -1 } },
    { field: 'words', message: { ...delta, words: { length: 1 } } },
    { field: 'words[1]', message: { ...delta, words: [word, 'word'] } },
    { field: 'words[1].text', message: { ...delta, words: [word, { ...word, text: '' }] } },
    { field: 'words[1].text', message: { ...delta, words: [word, { ...word, text: 'x'.repeat(1001) }] } },
    { field: 'words[0].endMs', message: { ...delta, words: [{ ...word, endMs: word.startMs - 1 }] } },
    { field: 'words[0].confidence', message: { ...delta, words: [{ ...word, confidence: 1.1 }] } },
    { field: 'words[0].confidence', message: { ...delta, words: [{ ...word, confidence: Number.NaN }] } },
    { field: 'stable', message: { ...delta, stable: -1 } },
    { field: 'stable', message: { ...delta, stable: 3 } },
    { field: 'isFinal', message: { ...delta, isFinal: 0 } },
    { field: 'language', message: { ...delta, language: 'x'.repeat(36) } },
    { field: 'reason', message: { ...golden[2]!.message, reason: 'lazy' } },
    { field: 'endMs', message: { ...golden[2]!.message, endMs: 0 } },
    { field: 'part', message: { ...snapshot, part: 2 } },
    { field: 'parts', message: { ...snapshot, parts: 0 } },
    { field: 'parts', message: { ...snapshot, parts: 1001 } },
    {
      field: 'segments[0].firstWord',
      message: { ...snapshot, segments: [{ ...snapshot.segments[0]!, firstWord: -1 }] },
    },
    { field: 'gaps[0].speaker', message: { ...snapshot, gaps: [{ ...snapshot.gaps[0]!, speaker: 'a' }] } },
    { field: 'lastSeq', message: { ...golden[5]!.message, lastSeq: -1 } },
  ];

  it.each(broken)('are refused both ways, naming $field', ({ field, message }) => {
    const expected = expect.objectContaining({
      code: 'message_malformed',
      retryable: false,
      message: expect.stringContaining(`: ${field} must be `) as string,
    }) as Error;
    expect(() => encodeMessage(careless(message))).toThrow(expected);
    expect(() => decodeMessage(wireOf({ v: 1, ...message }))).toThrow(expected);
  });

  it('never quote what somebody said', () => {
    const secret = 'strictly-confidential';
    const inputs = [`{"v":1,"kind":"${secret}`, secret, wireOf({ v: 1, ...delta, words: [secret] })];
    for (const input of inputs) {
      try {
        decodeMessage(input);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
        expect(`${(error as Error).message} ${String((error as Error).cause)}`).not.toContain(secret);
      }
    }
  });
});

describe('garbage', () => {
  it('is not JSON: invalid UTF-8, a byte order mark, nothing, a truncated message', () => {
    const wire = golden[0]!.wire;
    const inputs = [
      new Uint8Array([0xff, 0xfe, 0x7b]),
      Uint8Array.from(encoder.encode(wire), (byte) => (byte === 0xc3 ? 0xff : byte)),
      encoder.encode(`\ufeff${wire}`),
      `\ufeff${wire}`,
      new Uint8Array(),
      '',
      encoder.encode(wire.slice(0, -1)),
      '{"v":1,"kind":"resync","room":"r","lastSeq":NaN}',
    ];
    for (const input of inputs) expect(codeOf(() => decodeMessage(input))).toBe('message_not_json');
  });

  it('is malformed where it is JSON but no message', () => {
    for (const input of ['null', '1', '"delta"', '[]', '[{"v":1}]', '{}', 'true']) {
      expect(codeOf(() => decodeMessage(input))).toBe('message_malformed');
    }
    const deep = '['.repeat(7000) + ']'.repeat(7000);
    expect(codeOf(() => decodeMessage(deep))).toMatch(/^message_(malformed|not_json)$/);
    expect(codeOf(() => decodeMessage('{"v":1,"kind":"resync","room":"r","lastSeq":1e999}'))).toBe(
      'message_malformed',
    );
  });

  it('of any bytes or any text gives a CodecError and nothing else', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectHonestDecoding));
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), expectHonestDecoding));
    fc.assert(fc.property(fc.json(), expectHonestDecoding));
  });

  it('made by damaging the bytes of a message is decoded honestly', () => {
    const damage = fc.array(
      fc.record({ at: fc.nat(), removed: fc.nat({ max: 4 }), added: fc.uint8Array({ maxLength: 4 }) }),
      { minLength: 1, maxLength: 4 },
    );
    const goldenBytes = fc.constantFrom(...golden.map(({ wire }) => encoder.encode(wire)));
    fc.assert(
      fc.property(goldenBytes, damage, fc.nat(), (bytes, cuts, end) => {
        const damaged = [...bytes];
        for (const { at, removed, added } of cuts)
          damaged.splice(at % damaged.length || 0, removed, ...added);
        expectHonestDecoding(Uint8Array.from(damaged));
        expectHonestDecoding(bytes.slice(0, end % bytes.length));
      }),
      { numRuns: 2000 },
    );
  });

  it('made by putting any value into any field of a message is decoded, and encoded, honestly', () => {
    const oddValue = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown[]>(undefined, Number.NaN, -0, 1e308, Number.MAX_SAFE_INTEGER, 0, '', 'live'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...golden), fc.nat(), oddValue, ({ message }, which, value) => {
        const odd = replaceNthField(message, which, value);
        expectHonestDecoding(JSON.stringify({ v: 1, ...odd }));
        const code = codeOf(() => encodeMessage(careless(odd)));
        expect(['no error', 'message_malformed', 'message_too_large']).toContain(code);
      }),
      { numRuns: 2000 },
    );
  });
});

/** A copy of `root` with one field, somewhere within, replaced; `which` counts fields in the order of the wire. */
function replaceNthField(root: object, which: number, value: unknown): object {
  let fields = 0;
  JSON.stringify(root, (key, field: unknown) => {
    if (key !== '') fields += 1;
    return field;
  });
  const target = which % fields;
  let index = -1;
  const copy = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    const replaced = Object.entries(node).map(([key, field]): [string, unknown] => {
      index += 1;
      return index === target ? [key, value] : [key, copy(field)];
    });
    return Array.isArray(node) ? replaced.map(([, field]) => field) : Object.fromEntries(replaced);
  };
  return copy(root) as object;
}
