import { randomUUID } from 'node:crypto';
import {
  CaptionError,
  type IngestHello,
  KEPT_AUDIO_MS,
  msToSamples,
  SAMPLE_RATE_HZ,
  sampleIndex,
  samplesToMs,
} from '../../protocol/index.js';
import {
  createResampler,
  parseVocabulary,
  PcmSlab,
  type Resampler,
  type UnfavouredPhrases,
} from '../../asr/index.js';
import type { AudioPace } from '../bounds/audio-pace.js';
import type { Room } from '../rooms/room.js';
import type { SpeakerPipeline } from '../rooms/speaker-pipeline.js';
import { VocabularyChanges } from '../rooms/vocabulary-changes.js';
import { detached } from '../../asr/detached.js';

export const BYTES_PER_SAMPLE = 2;
/** Less than a stream may hold before it gives up the oldest. */
const MAX_CATCH_UP_SAMPLES = msToSamples(15_000);
/** What was under way when the speaker muted is no mistake of the client's. */
const MUTED_AUDIO_MS = 1000;

/** Who may take a stream away from its connection. */
export interface IngestOwner {
  /** The stream goes on without this connection. */
  takenOver(error: CaptionError): void;
  /** Something of what the client asked for cannot be done; the stream goes on. */
  warned(error: CaptionError): void;
  /** More of the audio is final than before. */
  progressed(): void;
}

/** Positions at the client's rate. */
export interface IngestProgress {
  readonly receivedThroughSample: number;
  readonly recognisedThroughSample: number;
  readonly finalThroughSample: number;
  /** Audio that was received but has not led to text yet. */
  readonly behindMs: number;
}

export interface IngestStreamOptions {
  readonly hello: IngestHello;
  /** Called when everything else is there: a room without speakers and viewers does not stay. */
  readonly enterRoom: () => Room;
  readonly createPipeline: (
    room: Room,
    vocabulary: readonly string[],
    finalPublished: () => void,
  ) => SpeakerPipeline;
  /** See `AsrEngine`. */
  readonly unfavoured: (vocabulary: readonly string[]) => Promise<UnfavouredPhrases | undefined>;
  /** Of this speaker, whatever the stream. */
  readonly pace: AudioPace;
  readonly now: () => number;
}

/** One speaker's audio, over however many connections it comes. `close` finishes it and frees the resampler. */
export class IngestStream {
  readonly id = randomUUID();
  readonly room: Room;
  readonly hello: IngestHello;
  readonly #pipeline: SpeakerPipeline;
  readonly #resampler: Resampler;
  readonly #slab = new PcmSlab();
  readonly #options: IngestStreamOptions;
  readonly #vocabulary: VocabularyChanges;
  #owner: IngestOwner | undefined;
  /** At the client's rate. */
  #receivedSamples = 0;
  /** At 16 kHz. */
  #pushedSamples = 0;
  /** Of the last audio, mute, unmute or connection. */
  #lastSignAtMs: number;
  #detachedAtMs: number | undefined;
  /** Audio since the last mute, which is not captioned; undefined while what comes is. */
  #mutedSamples: number | undefined;
  #closing: Promise<void> | undefined;
  #isFinished = false;
  isMuted = false;

  private constructor(options: IngestStreamOptions, resampler: Resampler) {
    this.#options = options;
    this.hello = options.hello;
    this.#resampler = resampler;
    this.#vocabulary = new VocabularyChanges(parseVocabulary(options.hello.vocabulary ?? []), (changed) => {
      this.#pipeline.setVocabulary(changed);
      detached('vocabulary of a speaker', this.#warnOfUnfavoured());
    });
    this.room = options.enterRoom();
    this.#pipeline = options.createPipeline(this.room, this.#vocabulary.current, () =>
      this.#owner?.progressed(),
    );
    this.#lastSignAtMs = options.now();
    this.room.addSpeaker(this.id);
  }

  /** Throws CaptionError `vocabulary_invalid`, `too_many_rooms`. */
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

  get detachedAtMs(): number | undefined {
    return this.#detachedAtMs;
  }

  /** Since the last audio, mute, unmute or connection. */
  silentForMs(nowMs: number): number {
    return nowMs - this.#lastSignAtMs;
  }

  progress(): IngestProgress {
    const behindSamples = this.#pipeline.receivedThroughSample - this.#pipeline.recognisedThroughSample;
    const behindMs = Math.max(0, Math.round(samplesToMs(behindSamples)));
    const behindAtClientRate = Math.round((behindMs * this.hello.sampleRateHz) / 1000);
    return {
      receivedThroughSample: this.#receivedSamples,
      recognisedThroughSample: Math.max(0, this.#receivedSamples - behindAtClientRate),
      finalThroughSample: this.#finalThroughSample,
      behindMs,
    };
  }

  /** From now on audio comes from `owner`; a former one is told. Throws CaptionError `stream_taken_over` once closed. */
  attach(owner: IngestOwner): void {
    if (this.#closing !== undefined) throw takenOver();
    this.#owner?.takenOver(takenOver());
    this.#owner = owner;
    const nowMs = this.#options.now();
    if (this.#detachedAtMs !== undefined) this.#options.pace.allowMissed(nowMs - this.#detachedAtMs);
    this.#detachedAtMs = undefined;
    this.#lastSignAtMs = nowMs;
    // Every connection says for itself that it is muted.
    this.#mutedSamples = undefined;
    detached('vocabulary of a speaker', this.#warnOfUnfavoured());
  }

  /** Another stream of the same speaker begins: this one has no connection any more. */
  release(): void {
    this.#owner?.takenOver(takenOver());
    this.#owner = undefined;
  }

  /** The connection of `owner` is gone. */
  detach(owner: IngestOwner): void {
    if (this.#owner !== owner) return;
    this.#owner = undefined;
    this.#detachedAtMs = this.#options.now();
  }

  /** The audio that comes next was spoken so long ago. */
  spokenAgo(behindMs: number): void {
    this.#lastSignAtMs = this.#options.now();
    const spokenMs = Math.min(behindMs, KEPT_AUDIO_MS);
    if (this.#receivedSamples === 0) this.#options.pace.allowReplay(spokenMs);
    this.#pipeline.spoken(sampleIndex(this.#pushedSamples), spokenMs);
  }

  /** Audio comes faster than it is recognised, because it is sent again: the rest had better wait where it is. */
  get mustWait(): boolean {
    const { receivedThroughSample, recognisedThroughSample } = this.#pipeline;
    return (
      this.#options.pace.isCatchingUp &&
      receivedThroughSample - recognisedThroughSample > MAX_CATCH_UP_SAMPLES
    );
  }

  /** The client cannot send what lies before `sample` any more. Throws CaptionError `audio_too_fast`, as `push` does. */
  skipTo(sample: number): void {
    const missing = sample - this.#receivedSamples;
    if (missing <= 0) return;
    this.#checkPace((missing / this.hello.sampleRateHz) * 1000);
    this.#receivedSamples = sample;
    this.#pushedSamples += Math.round((missing * SAMPLE_RATE_HZ) / this.hello.sampleRateHz);
  }

  /**
   * Audio as it came: signed 16 bit, little endian. Throws CaptionError `frame_incomplete` or `audio_too_fast`.
   * Ignored after `close`: the gateway is shutting down, and tells so when the last words are out.
   */
  push(bytes: Buffer): void {
    if (this.#closing !== undefined) return;
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
    const pcm = this.#slab.copyOf(bytes);
    this.#receivedSamples += samples;
    if (this.#mutedSamples === undefined) this.isMuted = false;
    else this.#silence(pcm, this.#mutedSamples);
    this.#pushPcm(this.#resampler.process(pcm));
  }

  /** Silence in its place: positions go on, and silence costs next to nothing. */
  #silence(pcm: Int16Array, mutedSamples: number): void {
    pcm.fill(0);
    this.#mutedSamples = mutedSamples + pcm.length;
    const limit = (MUTED_AUDIO_MS * this.hello.sampleRateHz) / 1000;
    if (mutedSamples > limit || this.#mutedSamples <= limit) return;
    const message = 'Audio comes although mute was sent; it is not captioned. Send unmute first.';
    this.#owner?.warned(new CaptionError('audio_while_muted', message));
  }

  mute(): void {
    this.isMuted = true;
    this.#mutedSamples = 0;
    this.#lastSignAtMs = this.#options.now();
    this.#pipeline.pause();
  }

  unmute(): void {
    this.isMuted = false;
    this.#mutedSamples = undefined;
    this.#lastSignAtMs = this.#options.now();
  }

  /** Throws CaptionError `vocabulary_invalid`. Of many changes at once only the newest comes into force. */
  setVocabulary(vocabulary: readonly string[]): void {
    this.#vocabulary.offer(parseVocabulary(vocabulary));
  }

  /** Never rejects: the engine does not. */
  async #warnOfUnfavoured(): Promise<void> {
    const vocabulary = this.#vocabulary.current;
    const unfavoured = await this.#options.unfavoured(vocabulary);
    if (unfavoured !== undefined && vocabulary === this.#vocabulary.current)
      this.#owner?.warned(unfavoured.error);
  }

  /** Finishes what is being said; resolves when its final has been published. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    this.#vocabulary.close();
    this.#pushPcm(this.#resampler.flush());
    this.#resampler.close();
    try {
      await this.#pipeline.close();
      this.#isFinished = true;
      this.#owner?.progressed();
    } finally {
      this.room.removeSpeaker(this.id);
    }
  }

  get #finalThroughSample(): number {
    if (this.#isFinished) return this.#receivedSamples;
    const { finalThroughSample } = this.#pipeline;
    const atClientRate = Math.floor((finalThroughSample * this.hello.sampleRateHz) / SAMPLE_RATE_HZ);
    return Math.min(this.#receivedSamples, atClientRate);
  }

  #pushPcm(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    this.#pipeline.push(pcm, sampleIndex(this.#pushedSamples));
    this.#pushedSamples += pcm.length;
  }

  #checkPace(frameMs: number): void {
    this.#lastSignAtMs = this.#options.now();
    this.#options.pace.take(frameMs);
  }
}

const takenOver = (): CaptionError =>
  new CaptionError('stream_taken_over', 'This speaker connected again; the newer connection counts.');
