import { sampleIndex, samplesToMs, msToSamples } from '../../protocol/index.js';
import {
  type AsrEngine,
  type AsrStream,
  monotonicNow,
  type SegmentEvent,
  WordTracker,
} from '../../asr/index.js';

const FRAME_SAMPLES = msToSamples(100);
/** Audio that recognition may be behind before more is fed. */
const MAX_BEHIND_SAMPLES = msToSamples(5000);
const BEHIND_CHECK_MS = 2;

export interface TranscribedWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Position in the audio by which the word had first been shown. */
  readonly shownAtMs: number;
}

export interface TranscribedSegment {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly words: readonly TranscribedWord[];
}

export interface TranscribeOptions {
  readonly engine: AsrEngine;
  readonly language?: string;
  readonly vocabulary?: readonly string[];
  /** Feed the audio at the pace of speech. Default: as fast as recognition takes it. */
  readonly realtime?: boolean;
  readonly signal?: AbortSignal;
}

/** One track of 16 kHz mono through the same pipeline as a live speaker. The same audio gives the same text. */
export async function transcribePcm(
  pcm: Int16Array,
  options: TranscribeOptions,
): Promise<TranscribedSegment[]> {
  const { engine, language, vocabulary } = options;
  const stream = engine.openStream({
    ...(language === undefined ? {} : { language }),
    ...(vocabulary === undefined ? {} : { vocabulary }),
  });
  try {
    const reading = readSegments(stream);
    await feed(stream, pcm, options);
    await stream.close();
    return await reading;
  } finally {
    stream.destroy();
  }
}

async function feed(stream: AsrStream, pcm: Int16Array, options: TranscribeOptions): Promise<void> {
  const startedAtMs = performance.now();
  for (let first = 0; first < pcm.length; first += FRAME_SAMPLES) {
    options.signal?.throwIfAborted();
    const frame = pcm.subarray(first, first + FRAME_SAMPLES);
    if (options.realtime === true)
      await waitMs(startedAtMs + samplesToMs(first + frame.length) - performance.now());
    stream.push({ pcm: frame, firstSample: sampleIndex(first), receivedAtMs: monotonicNow() });
    // Frame by frame, so that what the voice gate does never depends on how fast this machine is.
    await stream.settled();
    while (stream.receivedThroughSample - stream.recognisedThroughSample > MAX_BEHIND_SAMPLES) {
      options.signal?.throwIfAborted();
      await waitMs(BEHIND_CHECK_MS);
    }
  }
}

const waitMs = (durationMs: number): Promise<void> =>
  durationMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, durationMs));

async function readSegments(stream: AsrStream): Promise<TranscribedSegment[]> {
  const finals = new Map<number, SegmentEvent>();
  const tracker = new WordTracker();
  for await (const event of stream.events) {
    if (event.kind !== 'segment') continue;
    tracker.observe({
      segment: String(event.segment),
      words: event.words.map(timed),
      isFinal: event.isFinal,
      nowMs: samplesToMs(event.decodedThroughSample),
    });
    if (event.isFinal) finals.set(event.segment, event);
  }
  const tracked = tracker.result().words;
  return [...finals.values()]
    .sort((a, b) => a.segment - b.segment)
    .map((final) => {
      const shown = tracked.filter(({ segment }) => segment === String(final.segment));
      const words = final.words.map((word, index) => ({
        ...timed(word),
        shownAtMs: Math.round(shown[index]?.firstShownMs ?? samplesToMs(final.decodedThroughSample)),
      }));
      return {
        startMs: words[0]?.startMs ?? 0,
        endMs: words.at(-1)?.endMs ?? 0,
        text: words.map(({ text }) => text).join(' '),
        words,
      };
    })
    .filter(({ words }) => words.length > 0);
}

const timed = (word: SegmentEvent['words'][number]): { text: string; startMs: number; endMs: number } => ({
  text: word.text,
  startMs: Math.round(samplesToMs(word.startSample)),
  endMs: Math.round(samplesToMs(word.endSample)),
});
