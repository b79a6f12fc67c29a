import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { formatJson, formatMarkdown, formatText } from './document-formats.js';
import { gap, meetingOf, spoken } from './testing/spoken-entries.js';
import { clipTranscript } from './clip-transcript.js';
import type { Transcript } from './transcript-entry.js';

const join = (parts: Iterable<string>): string => [...parts].join('');
const carol = { identity: 'cart', name: 'Carol' };
const schema = JSON.parse(readFileSync(new URL('transcript.schema.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

const meeting: Transcript = {
  ...meetingOf(
    spoken('Ana', 'Good morning.', { atMs: 1000 }),
    spoken('Ana', 'Shall we begin?', { atMs: 3000 }),
    gap('Bo', 5000, 2000),
    spoken('Bo', 'Yes.', { atMs: 8000, author: carol }),
  ),
  endedAtMs: Date.UTC(2026, 10, 25, 10),
};

describe('the text', () => {
  it('has one line for each segment: when, who, what', () => {
    expect(join(formatText(meeting))).toBe(
      `Transcript: council
Began 2026-11-25T09:00:00.000Z (m1-0123456789ab)
Ended 2026-11-25T10:00:00.000Z

[00:00:01] Ana: Good morning.
[00:00:03] Ana: Shall we begin?
[00:00:05] Bo: [2 s not captioned: recognition could not keep up]
[00:00:08] Bo (written by Carol): Yes.
`,
    );
  });

  it('keeps a line a line, whatever people are called', () => {
    const text = join(formatText(meetingOf(spoken('A\n[00:00:09] Bo: no\u2028', 'Yes.'))));
    expect(text.trimEnd().split('\n').slice(4)).toEqual(['[00:00:00] A [00:00:09] Bo: no: Yes.']);
  });
});

describe('Markdown', () => {
  it('has a paragraph for each turn, and takes nothing that was said for markup', () => {
    const said = meetingOf(
      spoken('Ana', '# <b>*hi*</b> [x](y)', { atMs: 0 }),
      spoken('Ana', 'More.', { atMs: 3000 }),
    );
    expect(join(formatMarkdown(said)).split('\n').slice(4)).toEqual([
      '',
      '**Ana** (00:00:00)  ',
      '\\# \\<b\\>\\*hi\\*\\</b\\> \\[x\\](y)',
      'More.',
      '',
    ]);
    expect(join(formatMarkdown(meeting))).toContain('**Bo (written by Carol)** (00:00:08)  \nYes.');
  });
});

describe('JSON', () => {
  it('is what the schema says, also of an empty meeting', () => {
    const validate = new Ajv2020({ strict: true, formats: { 'date-time': true } }).compile(schema);
    for (const transcript of [meeting, meetingOf()]) {
      const document: unknown = JSON.parse(join(formatJson(transcript)));
      expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(validate({ ...(JSON.parse(join(formatJson(meeting))) as object), version: 2 })).toBe(false);
  });

  it('has words with times from the beginning, gaps, and who wrote what', () => {
    expect(JSON.parse(join(formatJson(meeting)))).toMatchObject({
      format: 'caption-gateway.transcript',
      version: 1,
      room: 'council',
      startedAt: '2026-11-25T09:00:00.000Z',
      endedAt: '2026-11-25T10:00:00.000Z',
      speakers: [{ name: 'Ana' }, { name: 'Bo' }],
      entries: [
        {
          kind: 'segment',
          speaker: 0,
          text: 'Good morning.',
          words: [
            { text: 'Good', startMs: 1000, endMs: 1300 },
            { text: 'morning.', startMs: 1300 },
          ],
        },
        { kind: 'segment', speaker: 0 },
        { kind: 'gap', speaker: 1, startMs: 5000, endMs: 7000, reason: 'overloaded' },
        { kind: 'segment', speaker: 1, author: carol },
      ],
    });
  });
});

describe('a part of a meeting', () => {
  it('has what overlaps it, at the same times', () => {
    const part = clipTranscript(meeting, { fromMs: 3500, toMs: 6000 });
    expect(join(formatText(part)).match(/^\[.*?\]/gm)).toEqual(['[00:00:03]', '[00:00:05]']);
  });
});
