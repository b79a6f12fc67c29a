import { CaptionError, samplesToMs } from '../../protocol/index.js';
import { type Summary, summarise, type TrackingResult } from '../../asr/index.js';
import { CaptionWatch, measureSpeaker } from '../meeting/caption-measurement.js';
import { playPaced } from '../meeting/paced-playback.js';
import { PROBE_SPEAKER, type ProbeConnection, type ProbeRoad } from './probe-road.js';
import type { ProbeSentence } from './probe-sentences.js';
import { epochOfMonotonic } from '../clock.js';

/** From the end of a sentence to its final; what comes later is too late for anybody. */
const FINAL_DEADLINE_MS = 10_000;
const POLL_INTERVAL_MS = 50;
/** Times of words are estimates: so much earlier than it was said a word may stand. */
const EARLY_MS = 1000;

export type ProbeOutcome =
  | 'ok'
  /** A server could not be reached, or refused. */
  | 'unreachable'
  /** Nobody captions the room. */
  | 'no_captioner'
  /** No word of the sentence came. */
  | 'no_captions'
  /** Words came, but no final. */
  | 'unfinished'
  /** Words came later than they may. */
  | 'slow'
  /** Other words came than were said. */
  | 'wrong';

export const PROBE_OUTCOMES: readonly ProbeOutcome[] = [
  'ok',
  'unreachable',
  'no_captioner',
  'no_captions',
  'unfinished',
  'slow',
  'wrong',
];

/** One sentence, said and read. */
export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  /** For a person; empty when all is well. */
  readonly reason: string;
  /** Of the error, where one stood in the way. */
  readonly code: string | null;
  readonly road: 'livekit' | 'websocket';
  readonly sentence: string;
  /** How long it took to be in a captioned room; null where it was in one already. */
  readonly joinMs: number | null;
  /** End of each word to the moment it stood in the viewer's reducer. */
  readonly wordLatenciesMs: readonly number[];
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: number | null;
  readonly spokenWords: number;
  readonly wordErrors: number;
}

export interface ProberOptions {
  readonly road: ProbeRoad;
  /** At least one; one after the other. */
  readonly sentences: readonly ProbeSentence[];
  /** Highest word latency, p95. */
  readonly maxLatencyMs: number;
  /** Highest word error rate, 0 to 1. */
  readonly maxWer: number;
  readonly signal: AbortSignal;
  /** Default 10 s. */
  readonly finalDeadlineMs?: number;
}

/** Speaks as people do and reads as they do, and tells how it went. It stays in the room until `close`. */
export class Prober {
  readonly #options: ProberOptions;
  #connection: ProbeConnection | undefined;
  #watch = new CaptionWatch();
  #round = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Never rejects, except with the signal's reason. */
  async probe(): Promise<ProbeResult> {
    const { sentences, signal } = this.#options;
    const sentence = sentences[this.#round++ % sentences.length];
    if (sentence === undefined) throw new CaptionError('internal_error', 'The probe has nothing to say.');
    let joinMs: number | null = null;
    try {
      joinMs = await this.#join();
      return await this.#say(sentence, joinMs);
    } catch (error) {
      signal.throwIfAborted();
      await this.close();
      return this.#failed(sentence, { error, joinMs });
    }
  }

  /** Leaves the room; the next `probe` joins again. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  async #join(): Promise<number | null> {
    if (this.#connection?.isAlive === true) return null;
    await this.close();
    const startedAtMs = performance.now();
    this.#connection = await this.#options.road.open({
      watch: (state, message) => this.#watch.observe(state, message, performance.now()),
      signal: this.#options.signal,
    });
    return performance.now() - startedAtMs;
  }

  async #say(sentence: ProbeSentence, joinMs: number | null): Promise<ProbeResult> {
    const connection = this.#connection;
    if (connection === undefined) throw new CaptionError('internal_error', 'The probe is in no room.');
    const { signal } = this.#options;
    this.#watch = new CaptionWatch();
    connection.unmute();
    const startAtMs = performance.now();
    await playPaced([{ pcm: sentence.pcm, send: (frame) => connection.send(frame) }], { startAtMs, signal });
    connection.mute();
    const isFinished = await this.#untilFinal(connection, startAtMs);
    return this.#judge(sentence, { joinMs, startAtMs, isFinished, statusReason: connection.state.reason });
  }

  /** False when the deadline came first. */
  async #untilFinal(connection: ProbeConnection, startAtMs: number): Promise<boolean> {
    const { signal, finalDeadlineMs = FINAL_DEADLINE_MS } = this.#options;
    const givesUpAtMs = performance.now() + finalDeadlineMs;
    while (performance.now() < givesUpAtMs) {
      signal.throwIfAborted();
      const { segments } = this.#trackedSince(startAtMs);
      if (segments.length > 0 && segments.every(({ finalAtMs }) => finalAtMs !== null)) return true;
      if (!connection.isAlive) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
    return false;
  }

  #trackedSince(startAtMs: number): TrackingResult {
    const tracking = this.#watch.resultOf(PROBE_SPEAKER);
    const fromMs = epochOfMonotonic(startAtMs) - EARLY_MS;
    const words = tracking.words.filter(({ startMs }) => startMs >= fromMs);
    const names = new Set(words.map(({ segment }) => segment));
    return { ...tracking, words, segments: tracking.segments.filter(({ segment }) => names.has(segment)) };
  }

  #judge(
    sentence: ProbeSentence,
    round: { joinMs: number | null; startAtMs: number; isFinished: boolean; statusReason: string },
  ): ProbeResult {
    const { joinMs, startAtMs, isFinished, statusReason } = round;
    const { maxLatencyMs, maxWer, road } = this.#options;
    const measured = measureSpeaker(this.#trackedSince(startAtMs), {
      spoken: sentence.words,
      startAtMs,
      speed: 1,
    });
    const { wordLatenciesMs, finalLatenciesMs, spokenWords, wordErrors, shownWords } = measured;
    const wordLatencyMs = summarise(wordLatenciesMs);
    const wer = wordErrors / Math.max(1, spokenWords);
    const seconds = (samplesToMs(sentence.pcm.length) / 1000).toFixed(1);
    const [outcome, reason] = ((): [ProbeOutcome, string] => {
      if (shownWords.length === 0) {
        const because = statusReason === '' ? '' : ` The gateway says: ${statusReason}`;
        return ['no_captions', `No word came of a sentence of ${seconds} s.${because}`];
      }
      if (!isFinished) return ['unfinished', 'Words came, but no final.'];
      if (wer > maxWer) return ['wrong', `${wordErrors} errors in ${spokenWords} words.`];
      if ((wordLatencyMs.p95 ?? Infinity) > maxLatencyMs)
        return [
          'slow',
          `Words came up to ${Math.round(wordLatencyMs.p95 ?? 0)} ms late (p95); ${maxLatencyMs} ms are allowed.`,
        ];
      return ['ok', ''];
    })();
    return {
      outcome,
      reason,
      code: null,
      road: road.kind,
      sentence: sentence.id,
      joinMs,
      wordLatenciesMs,
      wordLatencyMs,
      finalLatencyMs: finalLatenciesMs.at(-1) ?? null,
      spokenWords,
      wordErrors,
    };
  }

  #failed(
    sentence: ProbeSentence,
    { error, joinMs }: { error: unknown; joinMs: number | null },
  ): ProbeResult {
    const { code, message } =
      error instanceof CaptionError ? error : new CaptionError('internal_error', String(error));
    return {
      outcome: code === 'probe_no_captioner' ? 'no_captioner' : 'unreachable',
      reason: message,
      code,
      road: this.#options.road.kind,
      sentence: sentence.id,
      joinMs,
      wordLatenciesMs: [],
      wordLatencyMs: summarise([]),
      finalLatencyMs: null,
      spokenWords: 0,
      wordErrors: 0,
    };
  }
}
