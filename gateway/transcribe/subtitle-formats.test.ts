import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSrt, formatText, formatWebVtt } from './subtitle-formats.js';
import type { TranscribedSegment } from './transcribe-pcm.js';

function segment(text: string, startMs = 0, wordMs = 500): TranscribedSegment {
  const words = text.split(' ').map((word, index) => ({
    text: word,
    startMs: startMs + index * wordMs,
    endMs: startMs + (index + 1) * wordMs,
    shownAtMs: 0,
  }));
  return { startMs, endMs: words.at(-1)?.endMs ?? startMs, text, words };
}

describe('subtitles', () => {
  it('are WebVTT with hours, and dots before milliseconds', () => {
    expect(formatWebVtt([{ segments: [segment('So be it.', 3_723_004)] }])).toBe(
      'WEBVTT\n\n01:02:03.004 --> 01:02:04.504\nSo be it.\n',
    );
  });

  it('are SubRip with numbers, and commas before milliseconds', () => {
    expect(formatSrt([{ segments: [segment('Yes.', 500), segment('No.', 2000)] }])).toBe(
      '1\n00:00:00,500 --> 00:00:01,000\nYes.\n\n2\n00:00:02,000 --> 00:00:02,500\nNo.\n',
    );
  });

  it('of several speakers are in the order of time, with their names', () => {
    const speakers = [
      { speaker: 'Ana', segments: [segment('First.', 0), segment('Third.', 4000)] },
      { speaker: 'R & D', segments: [segment('Second.', 2000)] },
    ];
    expect(formatWebVtt(speakers).match(/<v .*/g)).toEqual([
      '<v Ana>First.',
      '<v R &amp; D>Second.',
      '<v Ana>Third.',
    ]);
    expect(formatSrt(speakers).match(/^\D+: .*/gm)).toEqual(['Ana: First.', 'R & D: Second.', 'Ana: Third.']);
  });

  it('never hold markup that somebody said', () => {
    expect(formatWebVtt([{ segments: [segment('a <b> --> & c')] }])).toContain('a &lt;b&gt; --&gt; &amp; c');
  });

  it('are two lines of 42 characters at most, and lose no word', () => {
    const texts = fc.array(fc.stringMatching(/^[a-z]{1,14}$/), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(texts, (words) => {
        const cues = formatWebVtt([{ segments: [segment(words.join(' '))] }])
          .split('\n\n')
          .slice(1);
        const lines = cues.map((cue) => cue.trimEnd().split('\n').slice(1));
        expect(lines.every((cue) => cue.length <= 3 && cue.every((line) => line.length <= 42))).toBe(true);
        expect(lines.flat().join(' ').split(' ')).toEqual(words);
      }),
    );
  });

  it('of nothing are an empty document', () => {
    expect(formatWebVtt([{ segments: [] }])).toBe('WEBVTT\n');
    expect(formatSrt([{ segments: [] }])).toBe('');
    expect(formatText([])).toBe('');
  });

  it('show even a word of no duration', () => {
    expect(formatSrt([{ segments: [segment('Hm.', 1000, 0)] }])).toContain('00:00:01,000 --> 00:00:01,001');
  });
});
