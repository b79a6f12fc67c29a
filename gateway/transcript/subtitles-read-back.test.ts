/** What players make of our subtitles: ffmpeg and Chromium read them, and must find the same text at the same times. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { withChromium } from '../web/testing/chromium.js';
import { formatSrt, formatWebVtt } from './subtitle-formats.js';
import { gap, meetingOf, spoken } from './testing/spoken-entries.js';
import { cuesOf, lineText } from './transcript-cues.js';
import { withFfmpeg } from './testing/ffmpeg.js';

/** Two who interrupt each other, revised and long speech, a gap, hostile text, and an hour later another word. */
const meeting = meetingOf(
  spoken(
    'Ana',
    'Good morning everybody, and welcome to the council of this week. We have three points today.',
    {
      atMs: 400,
    },
  ),
  spoken('Bo', 'Sorry, I am late.', { atMs: 2000, wordMs: 250 }),
  gap('Ana', 14_000, 3000),
  spoken('Zoë <i>', 'R & D asks: is 1 < 2? é 漢字 🙂', { atMs: 20_000 }),
  spoken('Bo', Array.from({ length: 60 }, (_, index) => `word${index}`).join(' '), {
    atMs: 3_700_000,
    wordMs: 180,
  }),
);

interface ReadCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

const ours = (namesInText: boolean): ReadCue[] =>
  [...cuesOf(meeting, { namesInText })].map(({ startMs, endMs, lines }) => ({
    startMs,
    endMs,
    text: lines.map(lineText).join('\n'),
  }));

/** ffmpeg's packets: their times, and their text as decoded. */
async function readByFfmpeg(ffmpeg: { ffprobe: string }, file: string): Promise<ReadCue[]> {
  const args = ['-v', 'error', '-show_packets', '-show_data', '-print_format', 'json', file];
  const { stdout } = await promisify(execFile)(ffmpeg.ffprobe, args, { maxBuffer: 1 << 24 });
  const { packets } = JSON.parse(stdout) as {
    packets: { pts_time: string; duration_time: string; data: string }[];
  };
  return packets.map(({ pts_time: start, duration_time: duration, data }) => {
    const startMs = Math.round(Number(start) * 1000);
    return { startMs, endMs: startMs + Math.round(Number(duration) * 1000), text: textOfDump(data) };
  });
}

/** `00000000: 5361 7920 …  Say …` as the bytes it shows. */
const textOfDump = (dump: string): string =>
  Buffer.from(
    dump
      .trim()
      .split('\n')
      .map((line) => line.slice(10, 49).replaceAll(' ', ''))
      .join(''),
    'hex',
  ).toString('utf8');

/** What WebVTT's tags and escapes stand for. */
const plain = (text: string): string =>
  text
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');

describe('subtitles', () => {
  withFfmpeg((ffmpeg) => {
    const afterwards = cleanupsAfterEach();
    const fileWith = async (name: string, content: string): Promise<string> => {
      const folder = await mkdtemp(join(tmpdir(), 'caption-gateway-subtitles-'));
      afterwards(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };

    it('in WebVTT are read by ffmpeg with the same text and times', async () => {
      const file = await fileWith('meeting.vtt', [...formatWebVtt(meeting)].join(''));
      const cues = await readByFfmpeg(ffmpeg, file);
      expect(cues.length).toBeGreaterThan(8);
      expect(cues.map((cue) => ({ ...cue, text: plain(cue.text) }))).toEqual(ours(false));
    });

    it('in SubRip are read by ffmpeg with the same text and times', async () => {
      const file = await fileWith('meeting.srt', [...formatSrt(meeting)].join(''));
      const expected = ours(true).map((cue) => ({ ...cue, text: cue.text.replaceAll('<', '‹') }));
      expect(await readByFfmpeg(ffmpeg, file)).toEqual(expected);
    });
  });

  withChromium((launch) => {
    const afterwards = cleanupsAfterEach();

    it('in WebVTT are read by a browser with the same text, times, voices and word times', async () => {
      const browser = await launch();
      afterwards(() => browser.close());
      const page = await browser.browser.newPage();
      const cues = await page.evaluate(
        async (content) => {
          const video = document.createElement('video');
          const track = document.createElement('track');
          track.src = URL.createObjectURL(new Blob([content], { type: 'text/vtt' }));
          const loaded = new Promise((resolve, reject) => {
            track.addEventListener('load', resolve);
            track.addEventListener('error', () => reject(new Error('the track was refused')));
          });
          video.append(track);
          document.body.append(video);
          track.track.mode = 'hidden';
          await loaded;
          return Array.from(track.track.cues ?? [], (cue) => {
            const { startTime, endTime, align, size } = cue as VTTCue;
            const fragment = (cue as VTTCue).getCueAsHTML();
            const marks: string[] = [];
            const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_PROCESSING_INSTRUCTION);
            while (walker.nextNode() !== null) marks.push(walker.currentNode.nodeValue ?? '');
            return {
              startMs: Math.round(startTime * 1000),
              endMs: Math.round(endTime * 1000),
              text: fragment.textContent,
              voice: fragment.querySelector('span')?.title ?? '',
              align,
              size,
              marks,
            };
          });
        },
        [...formatWebVtt(meeting)].join(''),
      );
      expect(cues.map(({ startMs, endMs, text }) => ({ startMs, endMs, text }))).toEqual(ours(false));
      expect(new Set(cues.map(({ voice }) => voice))).toEqual(new Set(['Ana', 'Bo', 'Zoë <i>']));
      expect(cues.every(({ size }) => size === 90)).toBe(true);
      expect(cues.find(({ voice }) => voice === 'Bo')?.align).toBe('end');
      // "Sorry," begins with the cue; "I", "am" and "late." have a mark each.
      expect(cues.find(({ voice }) => voice === 'Bo')?.marks).toEqual([
        '00:00:02.250',
        '00:00:02.500',
        '00:00:02.750',
      ]);
    });
  });
});
