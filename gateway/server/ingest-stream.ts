import { randomUUID } from 'node:crypto';
import { CaptionError, type IngestHello, sampleIndex, samplesToMs } from '../../protocol/index.js';
import { createResampler, parseVocabulary, type Resampler } from '../../asr/index.js';
import type { Room } from '../rooms/room.js';
import type { SpeakerPipeline } from '../rooms/speaker-pipeline.js';

export const BYTES_PER_SAMPLE = 2;

/** Who may take a stream away from its connection. */
export interface IngestOwner {
  /** The stream goes on without this connection. */
  takenOver(error: CaptionError): void;
}

export interface IngestStreamOptions {
  readonly hello: IngestHello;
  readonly room: Room;
  readonly createPipeline: (vocabulary: readonly string[]) => SpeakerPipeline;
  /** How far audio may run ahead of real time. */
  readonly maxAheadMs: number;
  readonly now: () => number;
}

/** One speaker's audio, over however many connections it comes. `close` finishes it and frees the resampler. */
export class IngestStream {
  readonly id = randomUUID();
  readonly room: Room;
  readonly hello: IngestHello;
  readonly #pipeline: SpeakerPipeline;
  readonly #resampler: Resampler;
  readonly #options: IngestStreamOptions;
  #owner: IngestOwner | undefined;
  /** At the client's rate. */
  #receivedSamples = 0;
  /** At 16 kHz. */
  #pushedSamples = 0;
  #aheadMs = 0;
  #lastAudioAtMs: number;
  #detachedAtMs: number | undefined;
  #closing: Promise<void> | undefined;
  isMuted = false;

  private constructor(options: IngestStreamOptions, resampler: Resampler) {
    this.#options = options;
    this.room = options.room;
    this.hello = options.hello;
    this.#resampler = resampler;
    this.#pipeline = options.createPipeline(parseVocabulary(options.hello.vocabulary ?? []));
    this.#lastAudioAtMs = options.now();
    this.room.addSpeaker(this.id);
  }

  /** Throws CaptionError `vocabulary_invalid`. */
  static async open(options: IngestStreamOptions): Promise<IngestStream> {
    const resampler = await createResampler(options.hello.sampleRateHz);
    try {
      return new IngestStream(options, resampler);
    } catch (error) {
      resampler.close();
      throw error;
    }
  }

  /** What the client is to send next, at its own rate. */
  get expectSample(): number {
    return this.#receivedSamples;
  }

  get isAttached(): boolean {
    return this.#owner !== undefined;
  }

  get detachedAtMs(): number | undefined {
    return this.#detachedAtMs;
  }

  /** Since the last audio, mute, unmute or connection. */
  silentForMs(nowMs: number): number {
    return nowMs - this.#lastAudioAtMs;
  }

  progress(): { receivedThroughSample: number; recognisedThroughSample: number; behindMs: number } {
    const behindSamples = this.#pipeline.receivedThroughSample - this.#pipeline.recognisedThroughSample;
    const behindMs = Math.max(0, Math.round(samplesToMs(behindSamples)));
    const behindAtClientRate = Math.round((behindMs * this.hello.sampleRateHz) / 1000);
    return {
      receivedThroughSample: this.#receivedSamples,
      recognisedThroughSample: Math.max(0, this.#receivedSamples - behindAtClientRate),
      behindMs,
    };
  }

  /** From now on audio comes from `owner`; a former one is told. */
  attach(owner: IngestOwner): void {
    this.#owner?.takenOver(
      new CaptionError('stream_taken_over', 'This speaker connected again; the newer connection counts.'),
    );
    this.#owner = owner;
    const nowMs = this.#options.now();
    // What was said while the connection was gone may come at once.
    if (this.#detachedAtMs !== undefined) this.#aheadMs = -(nowMs - this.#detachedAtMs);
    this.#detachedAtMs = undefined;
    this.#lastAudioAtMs = nowMs;
  }

  /** The connection of `owner` is gone. */
  detach(owner: IngestOwner): void {
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    this.#detachedAtMs = this.#options.now();
  }

  /** The client cannot send what lies before `sample` any more. */
  skipTo(sample: number): void {
    if (sample <= this.#receivedSamples) return;
    const missing16kHz = Math.round(((sample - this.#receivedSamples) * 16_000) / this.hello.sampleRateHz);
    this.#receivedSamples = sample;
    this.#pushedSamples += missing16kHz;
  }

  /** Audio as it came: signed 16 bit, little endian. Throws CaptionError `frame_incomplete` or `audio_too_fast`. */
  push(bytes: Buffer): void {
    if (bytes.length % BYTES_PER_SAMPLE !== 0) {
      throw new CaptionError(
        'frame_incomplete',
        `A binary frame had ${bytes.length} bytes; it must hold whole 16 bit samples.`,
        { retryable: true },
      );
    }
    const samples = bytes.length / BYTES_PER_SAMPLE;
    this.#checkPace((samples / this.hello.sampleRateHz) * 1000);
    // A copy of its own: the bytes are a view into a much larger network buffer, and audio is kept for seconds.
    const pcm = new Int16Array(samples);
    new Uint8Array(pcm.buffer).set(bytes);
    this.#receivedSamples += samples;
    this.isMuted = false;
    this.#pushPcm(this.#resampler.process(pcm));
  }

  mute(): void {
    this.isMuted = true;
    this.#lastAudioAtMs = this.#options.now();
    this.#pipeline.flush();
  }

  unmute(): void {
    this.isMuted = false;
    this.#lastAudioAtMs = this.#options.now();
  }

  /** Throws CaptionError `vocabulary_invalid`. */
  setVocabulary(vocabulary: readonly string[]): void {
    this.#pipeline.setVocabulary(parseVocabulary(vocabulary));
  }

  /** Finishes what is being said; resolves when its final has been published. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    this.#pushPcm(this.#resampler.flush());
    this.#resampler.close();
    try {
      await this.#pipeline.close();
    } finally {
      this.room.removeSpeaker(this.id);
    }
  }

  #pushPcm(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    this.#pipeline.push(pcm, sampleIndex(this.#pushedSamples));
    this.#pushedSamples += pcm.length;
  }

  #checkPace(frameMs: number): void {
    const nowMs = this.#options.now();
    const elapsedMs = nowMs - this.#lastAudioAtMs;
    this.#lastAudioAtMs = nowMs;
    const caughtUpMs = this.#aheadMs > 0 ? Math.max(0, this.#aheadMs - elapsedMs) : this.#aheadMs;
    this.#aheadMs = caughtUpMs + frameMs;
    if (this.#aheadMs <= this.#options.maxAheadMs) return;
    throw new CaptionError(
      'audio_too_fast',
      `Audio ran ${Math.round(this.#options.maxAheadMs / 1000)} s ahead of real time. Send it at the pace of speech.`,
      { retryable: true },
    );
  }
}
