/** A recogniser without a model: every chunk of audio says one word, which tells the chunk's first sample. */
import { deserialize, serialize } from 'node:v8';
import { sampleIndex } from '../../protocol/index.js';
import type { BatchRecogniser, LookAhead, RecogniserStream } from '../child/batch-recogniser.js';
import type { Token } from '../token.js';

/** 320 ms, like the real model. */
export const FAKE_CHUNK_SAMPLES = 5120;

/** The word that a chunk which begins with this sample says. */
export const fakeWord = (firstSample: number): string => `w${firstSample}`;

/** Audio that says these words: each value fills one chunk. */
export function fakeSpeech(values: readonly number[]): Int16Array {
  const pcm = new Int16Array(values.length * FAKE_CHUNK_SAMPLES);
  values.forEach((value, index) =>
    pcm.fill(value, index * FAKE_CHUNK_SAMPLES, (index + 1) * FAKE_CHUNK_SAMPLES),
  );
  return pcm;
}

export class FakeRecogniser implements BatchRecogniser {
  /** Streams that were released, for tests of who frees them. */
  released = 0;
  readonly isBatchIndependent: boolean;
  /** How sure it is of a word. */
  logProbabilityOf: (word: number) => number = () => -0.1;
  readonly #beforeDecoding: (words: readonly number[]) => void;
  readonly #beforeLooking: ((words: readonly number[]) => void) | undefined;

  /**
   * Both are given the first sample of each chunk: `beforeDecoding` of those that are about to be decoded, `beforeLooking` of those
   * that are looked at before they are whole. Without `beforeLooking` it cannot look.
   */
  constructor(
    beforeDecoding: (words: readonly number[]) => void = () => undefined,
    beforeLooking?: (words: readonly number[]) => void,
    isBatchIndependent = false,
  ) {
    this.isBatchIndependent = isBatchIndependent;
    this.#beforeDecoding = beforeDecoding;
    this.#beforeLooking = beforeLooking;
  }

  get looksAhead(): boolean {
    return this.#beforeLooking !== undefined;
  }

  open(firstSample: number): RecogniserStream {
    return new FakeStream(firstSample);
  }

  decode(streams: readonly RecogniserStream[], looks?: LookAhead): void {
    const ours = streams.filter(isFake);
    const notReady = ours.filter((stream) => !stream.isReady());
    if (notReady.length > 0) throw new Error('decoded a stream that is not ready');
    if (ours.length > 0) this.#beforeDecoding(ours.map((stream) => stream.nextWord));
    for (const stream of ours) stream.decodeChunk(this.logProbabilityOf(stream.nextWord));
    const looked = (looks?.streams ?? []).filter(isFake);
    if (looked.length > 0) this.#beforeLooking?.(looked.map((stream) => stream.nextWord));
    for (const stream of looked) stream.look();
  }

  save(stream: RecogniserStream): Uint8Array {
    if (!(stream instanceof FakeStream)) throw new Error('a stream of another recogniser');
    return stream.save();
  }

  restore(state: Uint8Array): RecogniserStream {
    return FakeStream.restore(state);
  }

  release(): void {
    this.released += 1;
  }

  punctuate(): undefined {
    return undefined;
  }
}

const isFake = (stream: RecogniserStream): stream is FakeStream => stream instanceof FakeStream;

class FakeStream implements RecogniserStream {
  readonly #firstSample: number;
  #samples: number[] = [];
  #tokens: Token[] = [];
  #provisional: readonly Token[] = [];
  #decodedSamples = 0;
  #seenSamples = 0;
  #isFinished = false;

  constructor(firstSample: number) {
    this.#firstSample = firstSample;
  }

  static restore(state: Uint8Array): FakeStream {
    const saved = deserialize(state) as ReturnType<FakeStream['saved']>;
    const stream = new FakeStream(saved.firstSample);
    stream.#samples = saved.samples;
    stream.#tokens = saved.tokens;
    stream.#decodedSamples = saved.decodedSamples;
    return stream;
  }

  save(): Uint8Array {
    return serialize(this.saved());
  }

  saved(): { firstSample: number; samples: number[]; tokens: Token[]; decodedSamples: number } {
    return {
      firstSample: this.#firstSample,
      samples: this.#samples,
      tokens: this.#tokens,
      decodedSamples: this.#decodedSamples,
    };
  }

  get acceptedThroughSample(): number {
    return this.#firstSample + this.#samples.length;
  }

  get nextWord(): number {
    return Math.round((this.#samples[this.#decodedSamples] ?? 0) * 32768);
  }

  get decodedThroughSample(): number {
    return this.#firstSample + this.#decodedSamples;
  }

  get heardThroughSample(): number {
    return this.#firstSample + Math.max(this.#decodedSamples, this.#seenSamples);
  }

  accept(samples: Float32Array): void {
    for (const sample of samples) this.#samples.push(sample);
  }

  finish(): void {
    this.#isFinished = true;
  }

  isReady(): boolean {
    const waiting = this.#samples.length - this.#decodedSamples;
    return waiting >= FAKE_CHUNK_SAMPLES || (this.#isFinished && waiting > 0);
  }

  decodeChunk(logProbability: number): void {
    const text = ` ${fakeWord(this.nextWord)}`;
    this.#decodedSamples = Math.min(this.#samples.length, this.#decodedSamples + FAKE_CHUNK_SAMPLES);
    this.#tokens.push({ text, atSample: sampleIndex(this.decodedThroughSample), logProbability });
    this.#seenSamples = this.#decodedSamples;
    this.#provisional = [];
  }

  speculableSamples(): number {
    return this.#isFinished || this.isReady() ? 0 : this.#samples.length - this.#seenSamples;
  }

  get samplesUntilWhole(): number {
    return Math.max(0, FAKE_CHUNK_SAMPLES - (this.#samples.length - this.#decodedSamples));
  }

  /** The word of the chunk that is not whole yet. */
  look(): void {
    this.#seenSamples = this.#samples.length;
    this.#provisional = [
      { text: ` ${fakeWord(this.nextWord)}`, atSample: sampleIndex(this.acceptedThroughSample) },
    ];
  }

  tokens(): readonly Token[] {
    return this.#tokens;
  }

  provisional(): readonly Token[] {
    return this.#provisional;
  }
}
