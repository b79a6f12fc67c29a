import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { SHORT_MEETING } from '../testing/short-meeting.js';
import { loadMeeting, meetingOfWavFiles, readSpeech } from './meeting.js';
import { playPaced } from './paced-playback.js';
import { textWith } from '../testing/matchers.js';

const SPEECH = join(SHORT_MEETING, '../../speech/short-01-claire.wav');

describe('loadMeeting', () => {
  const afterwards = cleanupsAfterEach();

  it('gives each speaker a track as long as the meeting, with speech where words are', async () => {
    const meeting = await loadMeeting(SHORT_MEETING);
    expect(meeting.tracks.length).toBeGreaterThanOrEqual(3);
    for (const { pcm, spoken, name, identity } of meeting.tracks) {
      expect(pcm.length).toBe(Math.round(meeting.durationMs * 16));
      expect(spoken.length).toBeGreaterThan(0);
      expect([name, identity].every((text) => text !== '')).toBe(true);
      for (const { startMs, endMs } of spoken) {
        expect(endMs).toBeGreaterThan(startMs);
        expect(endMs).toBeLessThanOrEqual(meeting.durationMs);
        const samples = pcm.subarray(Math.round(startMs * 16), Math.round(endMs * 16));
        expect(Math.max(...samples)).toBeGreaterThan(300);
      }
      const firstSample = Math.round((spoken[0]?.startMs ?? 0) * 16);
      expect(pcm.subarray(0, Math.max(0, firstSample - 8000)).every((sample) => sample === 0)).toBe(true);
    }
  });

  it.each([
    ['that is not there', undefined],
    ['that is no JSON', 'a meeting'],
    ['that is a list', '[]'],
    ['without speakers', '{"title":"t","language":"en","durationMs":1000,"speakers":[],"utterances":[]}'],
    [
      'of no duration',
      '{"title":"t","language":"en","durationMs":0,"speakers":[{"identity":"a","name":"A"}],"utterances":[]}',
    ],
    [
      'with words without times',
      '{"title":"t","language":"en","durationMs":9,"speakers":[{"identity":"a","name":"A"}],"utterances":[{"speaker":"a","file":"f","startMs":0,"words":["a"]}]}',
    ],
  ])('refuses a file %s', async (_, content) => {
    const dir = await mkdtemp(join(tmpdir(), 'caption-meeting-'));
    afterwards(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, 'meeting.json');
    if (content !== undefined) await writeFile(file, content);
    await expect(loadMeeting(file)).rejects.toMatchObject({
      code: 'usage_meeting_invalid',
      message: textWith(file),
    });
  });

  it('refuses a meeting whose speech is missing', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'caption-meeting-'));
    afterwards(() => rm(dir, { recursive: true, force: true }));
    const file = join(dir, 'meeting.json');
    const utterances = [{ speaker: 'a', file: 'gone.wav', startMs: 0, words: [] }];
    await writeFile(
      file,
      JSON.stringify({
        title: 't',
        language: 'en',
        durationMs: 1000,
        speakers: [{ identity: 'a', name: 'A' }],
        utterances,
      }),
    );
    await expect(loadMeeting(file)).rejects.toMatchObject({ code: 'file_not_found' });
  });
});

describe('meetingOfWavFiles', () => {
  it('gives each file a speaker of its own, named after it', async () => {
    const { tracks, durationMs } = await meetingOfWavFiles([SPEECH, SPEECH]);
    const speech = await readSpeech(SPEECH);
    expect(tracks.map(({ identity, name }) => [identity, name])).toEqual([
      ['speaker-1', 'short-01-claire'],
      ['speaker-2', 'short-01-claire'],
    ]);
    expect(durationMs).toBeCloseTo(speech.length / 16 + 1000, 3);
    expect(tracks[1]?.pcm.subarray(0, speech.length)).toEqual(speech);
  });
});

describe('playPaced', () => {
  const pcm = Int16Array.from({ length: 5000 }, (_, index) => index);

  it('sends every sample once and in order, never before it was spoken', async () => {
    const startAtMs = performance.now();
    const sent: number[][] = [[], []];
    const early: number[] = [];
    const tracks = sent.map((samples) => ({
      pcm,
      send: (frame: Int16Array) => {
        samples.push(...frame);
        early.push(samples.length / 16 / 4 - (performance.now() - startAtMs));
      },
    }));
    await playPaced(tracks, { startAtMs, speed: 4 });
    expect(sent).toEqual([[...pcm], [...pcm]]);
    expect(Math.max(...early)).toBeLessThanOrEqual(0.001);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    let frames = 0;
    const send = (): void => {
      frames += 1;
      stop.abort();
    };
    await playPaced([{ pcm, send }], { startAtMs: performance.now(), signal: stop.signal });
    expect(frames).toBe(1);
  });
});
