/** Messages that are right, for each parser: what hostile ones are made of. */
export const CAPTION_MESSAGES = [
  { v: 1, kind: 'resync', room: 'fuzz', lastSeq: 3 },
  { v: 1, kind: 'shown', room: 'fuzz', epochMs: 1_700_000_000_000, seq: 3 },
  {
    ...{ v: 1, kind: 'delta', room: 'fuzz', epochMs: 1_700_000_000_000, seq: 1, segment: 's1', revision: 1 },
    ...{ speaker: { identity: 'ana', name: 'Ana', label: 'A' }, keep: 0, stable: 1, isFinal: false },
    words: [{ text: 'hello', startMs: 1_700_000_000_000, endMs: 1_700_000_000_400, confidence: 0.5 }],
    language: 'en',
  },
  {
    ...{ v: 1, kind: 'snapshot', room: 'fuzz', epochMs: 1_700_000_000_000, seq: 1, part: 0, parts: 1 },
    ...{ segments: [], gaps: [], state: 'live', reason: '' },
  },
] as const;

export const INGEST_MESSAGES = [
  {
    ...{ kind: 'hello', version: 1, room: 'fuzz', speaker: { identity: 'eve', name: 'Eve' } },
    ...{ sampleRateHz: 16_000, language: 'en', vocabulary: ['Quillmoor'] },
    resume: { stream: 'abc', fromSample: 0 },
  },
  { kind: 'mute' },
  { kind: 'unmute' },
  { kind: 'vocabulary', vocabulary: ['Zephyrine', 'Quillmoor'] },
  { kind: 'end' },
] as const;

export const CAPTIONER_MESSAGES = [
  {
    ...{ kind: 'hello', version: 1, captioner: { identity: 'eve', name: 'Eve' }, language: 'en' },
    ...{ replaces: ['ana'], correctableLines: 3, settleAfterMs: 1000, session: 'abc' },
  },
  { kind: 'line', line: 1, text: 'Good morning.', as: 'ana', isCommitted: true },
  { kind: 'settle', line: 1 },
  { kind: 'replace', replaces: 'everybody' },
  { kind: 'end' },
] as const;
