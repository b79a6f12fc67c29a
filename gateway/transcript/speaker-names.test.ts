import { describe, expect, it } from 'vitest';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { clipTranscript } from './clip-transcript.js';
import { formatJson, formatMarkdown, formatText } from './document-formats.js';
import { formatSrt, formatWebVtt } from './subtitle-formats.js';
import { meetingOf, spoken } from './testing/spoken-entries.js';
import type { Transcript, TranscriptSegment } from './transcript-entry.js';

const join = (parts: Iterable<string>): string => [...parts].join('');
const says = (
  [identity, name]: readonly [string, string],
  text: string,
  atMs: number,
): TranscriptSegment => ({
  ...spoken('x', text, { atMs }),
  speaker: { identity: participantIdentity(identity), name },
});
const FORMATS = {
  txt: (transcript: Transcript) => join(formatText(transcript)),
  md: (transcript: Transcript) => join(formatMarkdown(transcript)).replaceAll('\\', ''),
  srt: (transcript: Transcript) => join(formatSrt(transcript)),
  vtt: (transcript: Transcript) => join(formatWebVtt(transcript)),
  json: (transcript: Transcript) => join(formatJson(transcript)),
};

describe.each(Object.entries(FORMATS))('people in a transcript as %s', (_, format) => {
  const two = meetingOf(
    says(['ana-1', 'Ana'], 'Good morning.', 0),
    says(['ana-2', 'Ana'], 'Hello.', 2000),
    says(['ana-1', 'Ana'], 'Shall we begin?', 4000),
  );

  it('are told apart by a number where they are called the same, in every part too', () => {
    for (const transcript of [two, clipTranscript(two, { fromMs: 1500 })]) {
      const text = format(transcript);
      expect(text.match(/Ana \(2\)/g)).toHaveLength(1);
      expect(text).not.toContain('Ana (3)');
    }
    expect(format(clipTranscript(two, { fromMs: 3500 }))).not.toContain('(2)');
  });

  it('keep their number where somebody is called like it, and where a long name is cut', () => {
    const text = format(
      meetingOf(
        says(['a', 'Ana'], 'One.', 0),
        says(['b', 'Ana (2)'], 'Two.', 2000),
        says(['c', 'ANA'], 'Three.', 4000),
        says(['d', 'Wolfeschlegelsteinhausenbergerdorff'], 'Four.', 6000),
        says(['e', 'Wolfeschlegelsteinhausenbergerdorff'], 'Five.', 8000),
      ),
    );
    expect(text).toContain('Ana (2)');
    expect(text).toContain('ANA (3)');
    expect(text).toMatch(/Wolf\S* \(2\)/);
  });

  it('keep their number on their other tracks, whatever others are called', () => {
    const screenOf = ([identity, name]: readonly [string, string], atMs: number): TranscriptSegment => {
      const segment = says([identity, name], 'Look.', atMs);
      return { ...segment, speaker: { ...segment.speaker, label: 'screen' } };
    };
    const text = format(
      meetingOf(
        says(['a', 'Ana'], 'One.', 0),
        screenOf(['b', 'Ana'], 2000),
        says(['c', 'Ana (2) (screen)'], 'Three.', 4000),
        says(['b', 'Ana'], 'Four.', 6000),
      ),
    );
    expect(text).toContain('Ana (2) (screen)');
    expect(text).toContain('Ana (2) (screen) (2)');
    expect(text).toMatch(/Ana \(2\)(?! \()/);
  });

  it('are told apart where only the ends of their names differ', () => {
    const text = format(
      meetingOf(
        says(['a', 'Maximiliane Wolfeschlegelstein'], 'One.', 0),
        says(['b', 'Maximiliane Wolfeschlegelmann'], 'Two.', 2000),
      ),
    );
    const names = text.match(/Maximil[^:>*"(]*(?:\(2\))?/g) ?? [];
    expect(new Set(names).size).toBeGreaterThan(1);
  });

  it('say nothing that turns around what others say', () => {
    const text = format(
      meetingOf(says(['a', 'Ana'], 'I \u202eagree\u2066 \u200b.', 0), says(['b', 'Bea'], 'Good.', 2000)),
    );
    expect(text).not.toMatch(/[\u202a-\u202e\u2066\u200b]/);
  });

  it('are not invisible, and turn nothing around', () => {
    const text = format(
      meetingOf(
        says(['mallory', '\u202eretsiniM ehT'], 'One.', 0),
        says(['nobody', '\u3164\u2800'], 'Two.', 2000),
        says(['sara', 'שרה'], 'Three.', 4000),
      ),
    );
    const shown = text.replaceAll(/"name":"[^"]*"/g, '');
    expect(shown).toContain('retsiniM ehT');
    expect(shown).toContain('nobody');
    expect(shown).toContain('שרה');
    expect(shown).not.toMatch(/[\u202a-\u202e\u3164\u2800]/);
  });
});

describe('a name that is written from right to left', () => {
  it.each(['txt', 'md', 'srt'] as const)('is isolated from the rest of its line in %s', (format) => {
    expect(FORMATS[format](meetingOf(says(['sara', 'שרה'], 'Good morning.', 0)))).toContain(
      '\u2068שרה\u2069',
    );
  });
});

describe('two people of the same name', () => {
  it('have paragraphs of their own in Markdown', () => {
    const text = FORMATS.md(meetingOf(says(['1', 'Ana'], 'One.', 0), says(['2', 'Ana'], 'Two.', 1000)));
    expect(text).toContain('**Ana** (00:00:00)  \nOne.\n\n**Ana (2)** (00:00:01)  \nTwo.');
  });

  it('do not make a subtitle of one beside one of the other look like one of theirs', () => {
    const text = FORMATS.vtt(meetingOf(says(['1', 'Ana'], 'One.', 0), says(['2', 'Ana'], 'Two.', 100)));
    expect(text).toMatch(/position:95%[^\n]*\n<v Ana \(2\)>/);
  });
});

describe('sentences in Markdown', () => {
  it.each(['1. First of all.', '2) Second.', '===', '$x$', '&copy; <b>'])('"%s" stays text', (text) => {
    const markdown = [...formatMarkdown(meetingOf(says(['1', 'Ana'], text, 0)))].join('');
    const [last = ''] = markdown.trimEnd().split('\n').slice(-1);
    expect(last.replaceAll(/\\(.)/g, '$1')).toBe(text);
    expect(last).not.toMatch(/^(?:\d+[.)]|=+$)|(?<!\\)[$<&]/);
  });
});

describe('arrows of any length', () => {
  it('stand in no note and no text', () => {
    const said = {
      ...meetingOf(says(['1', 'A--->B'], 'a ----> b', 0)),
      room: roomName('x ---> y'),
    };
    for (const format of ['srt', 'vtt'] as const) {
      const times = /^\d\d:\d\d:\d\d[.,]\d{3} --> \d\d:\d\d:\d\d[.,]\d{3}.*$/gm;
      expect(FORMATS[format](said).replaceAll(times, '')).not.toContain('-->');
    }
  });
});
