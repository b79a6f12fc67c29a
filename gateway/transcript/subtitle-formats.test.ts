import { describe, expect, it } from 'vitest';
import { recordingTranscript } from '../transcribe/recording-transcript.js';
import { formatSrt, formatWebVtt } from './subtitle-formats.js';
import { gap, meetingOf, spoken } from './testing/spoken-entries.js';
import type { Transcript } from './transcript-entry.js';

const vtt = (transcript: Transcript, options = {}): string => [...formatWebVtt(transcript, options)].join('');
const srt = (transcript: Transcript, options = {}): string => [...formatSrt(transcript, options)].join('');

describe('WebVTT', () => {
  it('has voices, settings, and the beginning of every word', () => {
    expect(vtt(meetingOf(spoken('Ana', 'So be it.', { atMs: 3_723_004, wordMs: 500 })))).toBe(
      `WEBVTT

NOTE council (m1-0123456789ab)

NOTE Began 2026-11-25T09:00:00.000Z

NOTE The meeting goes on.

01:02:03.004 --> 01:02:04.504 align:center size:90%
<v Ana>So <01:02:03.504>be <01:02:04.004>it.
`,
    );
  });

  it('puts who speaks beside another at the side', () => {
    const meeting = meetingOf(
      spoken('Ana', 'I was about to say something long'),
      spoken('Bo', 'Wait a moment', { atMs: 500 }),
      spoken('Ana', 'Yes', { atMs: 9000 }),
    );
    const cues = vtt(meeting).match(/^\d.*\n<v \w+>/gm);
    expect(cues?.map((cue) => [/align:\w+/.exec(cue)?.[0], /<v \w+>/.exec(cue)?.[0]])).toEqual([
      ['align:center', '<v Ana>'],
      ['align:end', '<v Bo>'],
      ['align:center', '<v Ana>'],
    ]);
  });

  it('tells of speech that was not captioned, in three languages', () => {
    const meeting = meetingOf(gap('Ana', 2000, 3000));
    expect(vtt(meeting)).toContain(
      '00:00:02.000 --> 00:00:05.000 align:center size:90%\n<v.gap Ana>[3 s not',
    );
    expect(vtt(meeting, { language: 'fr' })).toContain('[3 s sans sous-titres');
    expect(vtt(meeting, { language: 'de' })).toContain('[3 s ohne Untertitel');
  });

  it('says which words a person wrote', () => {
    const author = { identity: 'cart', name: 'Carol' };
    expect(vtt(meetingOf(spoken('Ana', 'Yes.', { author })))).toContain('<v.captioner Ana>Yes.');
  });

  it('never holds markup that somebody said or is called', () => {
    const text = vtt(meetingOf(spoken('R & <D>\n\nNOTE x', 'a <b> --> & c')));
    expect(text).toContain('<v R &amp; &lt;D&gt; NOTE x>');
    expect(text.replace(/<[\d:.]+>/g, '')).toContain('a &lt;b&gt; --&gt; &amp; c');
  });

  it('tells in its notes when the meeting ended and what is missing', () => {
    const meeting = { ...meetingOf(), endedAtMs: Date.UTC(2026, 10, 25, 10), droppedEntries: 7 };
    expect(vtt(meeting, { language: 'fr' })).toBe(
      'WEBVTT\n\nNOTE council (m1-0123456789ab)\n\nNOTE Début 2026-11-25T09:00:00.000Z\n\n' +
        'NOTE Fin 2026-11-25T10:00:00.000Z\n\nNOTE Les 7 premières entrées ne sont plus conservées.\n',
    );
  });

  it('of nothing is an empty document', () => {
    expect(vtt(recordingTranscript([]))).toBe('WEBVTT\n');
  });
});

describe('SubRip', () => {
  it('has numbers, commas before milliseconds, and names', () => {
    const meeting = meetingOf(spoken('Ana', 'Yes.', { atMs: 500 }), spoken('Bo', 'No.', { atMs: 3000 }));
    expect(srt(meeting)).toBe(
      '1\n00:00:00,500 --> 00:00:01,500\nAna: Yes.\n\n2\n00:00:03,000 --> 00:00:04,000\nBo: No.\n',
    );
  });

  it('orders cues of people who speak at once by their beginning', () => {
    const meeting = meetingOf(
      spoken(
        'Ana',
        'First comes a sentence of some length, which takes a whole cue. Third comes another one.',
        { wordMs: 500 },
      ),
      spoken('Bo', 'Second one in between.', { atMs: 1500, wordMs: 200 }),
    );
    expect(srt(meeting).match(/^(?:Ana|Bo): \w+/gm)).toEqual(['Ana: First', 'Bo: Second', 'Ana: Third']);
  });

  it('has no name where nobody knows who speaks', () => {
    const words = [{ text: 'Hm.', startMs: 1000, endMs: 1000, shownAtMs: 0 }];
    const recording = recordingTranscript([
      { segments: [{ startMs: 1000, endMs: 1000, text: 'Hm.', words }] },
    ]);
    expect(srt(recording, { namesSpeakers: false })).toBe('1\n00:00:01,000 --> 00:00:02,000\nHm.\n');
  });

  it('never holds what a player takes for a tag or another cue', () => {
    const text = srt(meetingOf(spoken('Ana', '<b>{\\an8}00:00:00,000 --> 00:00:01,000')));
    expect(text).not.toContain('<');
    expect(text).not.toContain('{\\');
    expect(text.match(/-->/g)).toHaveLength(1);
  });

  it('of nothing is empty', () => {
    expect(srt(recordingTranscript([]))).toBe('');
  });
});
