import { errorMessage } from '../../protocol/index.js';
import type { BatchRecogniser, RecogniserStream } from '../child/batch-recogniser.js';
import type { VocabularyChange } from '../child/messages.js';
import { ModelRefused } from './encoder-shape.js';
import type { EncoderState } from './encoder-state.js';
import { FeatureWindow } from './feature-window.js';
import type { HotwordGraph } from './hotword-graph.js';
import { FRAME_SAMPLES, FRAME_SHIFT_SAMPLES, MelFilterBank } from './mel-filter-bank.js';
import { loadZipformerModel, type ZipformerFiles, type ZipformerModel } from './model.js';
import { decodeStream, encodeStream } from './saved-stream.js';
import { SpareParts } from './spare-parts.js';
import { SpeculativeWindow } from './speculative-window.js';
import { VocabularySearch } from './vocabulary-search.js';
import { ZipformerStream, type StreamShape } from './zipformer-stream.js';

export interface ZipformerOptions {
  readonly files: ZipformerFiles;
  /** Threads of one call; 1 gives the most streams per core. */
  readonly threads: number;
  readonly punctuate?: (text: string) => string;
}

/**
 * Streaming Zipformer2 transducers of k2-fsa on onnxruntime behind the child's scheduler. The engine holds the encoder's state
 * itself, so it can look at a chunk that is not full yet and forget what it saw; what is decoded for good is the same with and
 * without.
 */
export class ZipformerRecogniser implements BatchRecogniser {
  readonly isBatchIndependent: boolean;
  readonly #model: ZipformerModel;
  readonly #encoderStates: SpareParts<EncoderState>;
  readonly #featureWindows: SpareParts<FeatureWindow>;
  readonly #search: VocabularySearch;
  readonly #shape: StreamShape;
  readonly #windows: SpeculativeWindow;
  readonly #punctuate: ((text: string) => string) | undefined;

  private constructor(model: ZipformerModel, punctuate: ((text: string) => string) | undefined) {
    const { encoder, predictor, joiner, unknownId, tokenTexts } = model;
    const { windowFrames, hopFrames } = encoder.shape;
    this.#model = model;
    this.#punctuate = punctuate;
    this.isBatchIndependent = model.isBatchIndependent;
    const bank = new MelFilterBank();
    this.#encoderStates = new SpareParts(() => encoder.newState());
    this.#featureWindows = new SpareParts(() => new FeatureWindow(bank, windowFrames));
    this.#search = new VocabularySearch({ predictor, joiner, unknownId, encoderWidth: encoder.outputWidth });
    this.#shape = { windowFrames, hopFrames, outputFrames: encoder.outputFrames, tokenTexts };
    this.#windows = new SpeculativeWindow(windowFrames);
  }

  /** Errors: as `loadZipformerModel`, and `ModelRefused` when two chunks of silence cannot be decoded. */
  static async create({ files, threads, punctuate }: ZipformerOptions): Promise<ZipformerRecogniser> {
    const model = await loadZipformerModel(files, threads);
    const recogniser = new ZipformerRecogniser(model, punctuate);
    try {
      await recogniser.#warmUp();
      return recogniser;
    } catch (error) {
      await model.close();
      throw new ModelRefused(`onnxruntime does not run it: ${errorMessage(error)}`);
    }
  }

  /** Favours nothing without `bpeVocab`, and no phrases that the model cannot write: see `HotwordCompiler`. */
  open(firstSample: number, vocabularies: readonly VocabularyChange[] = []): ZipformerStream {
    const stream = new ZipformerStream({
      shape: this.#shape,
      encoderState: this.#encoderStates.take(),
      features: this.#featureWindows.take(),
      search: this.#search.newState(),
      firstSample,
    });
    for (const change of vocabularies) this.setVocabulary(stream, change);
    return stream;
  }

  setVocabulary(stream: RecogniserStream, { fromSample, phrases }: VocabularyChange): void {
    if (stream instanceof ZipformerStream)
      stream.hotwordChanges.push({ fromSample, hotwords: this.#graphOf(phrases) });
  }

  async decode(streams: readonly RecogniserStream[]): Promise<void> {
    const batches = this.#batchesOf(streams);
    for (const batch of batches) await this.#decodeBatch(batch);
    this.#callEnded();
  }

  async speculate(streams: readonly RecogniserStream[], slackFrames: number): Promise<void> {
    for (const batch of this.#batchesOf(streams)) await this.#speculateBatch(batch, slackFrames);
    this.#callEnded();
  }

  /** Not a stream that was finished. */
  save(stream: RecogniserStream): Uint8Array {
    if (!(stream instanceof ZipformerStream)) throw new Error('a stream of another recogniser');
    return encodeStream({ ...stream.save(), search: this.#search.save(stream.search) });
  }

  restore(state: Uint8Array, vocabularies: readonly VocabularyChange[] = []): ZipformerStream {
    const saved = decodeStream(state);
    const encoderState = this.#encoderStates.take();
    encoderState.restore({ floats: saved.encoderFloats, integers: saved.encoderIntegers });
    const stream = new ZipformerStream({
      shape: this.#shape,
      encoderState,
      features: this.#featureWindows.take(),
      search: this.#search.newState(),
      firstSample: saved.firstSample,
      saved,
    });
    for (const change of vocabularies) this.setVocabulary(stream, change);
    const { current } = this.#search.restore(saved.search, stream.takePastHotwords()?.hotwords);
    stream.search.current = current;
    return stream;
  }

  punctuate(text: string): string | undefined {
    return this.#punctuate?.(text);
  }

  release(stream: RecogniserStream): void {
    if (!(stream instanceof ZipformerStream)) return;
    this.#encoderStates.leave(stream.encoderState);
    this.#featureWindows.leave(stream.features);
  }

  #callEnded(): void {
    this.#encoderStates.callEnded();
    this.#featureWindows.callEnded();
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  /** A graph that loads may still be wrong: better found now than at the first word. */
  async #warmUp(): Promise<void> {
    const stream = this.open(0);
    const { windowFrames, hopFrames } = this.#shape;
    stream.accept(new Float32Array((windowFrames + hopFrames) * FRAME_SHIFT_SAMPLES + FRAME_SAMPLES));
    while (stream.isReady()) await this.decode([stream]);
  }

  #graphOf(phrases: readonly string[]): HotwordGraph | undefined {
    return phrases.length === 0 ? undefined : this.#model.hotwords?.compile(phrases).graph;
  }

  #batchesOf(streams: readonly RecogniserStream[]): ZipformerStream[][] {
    const ours = streams.filter((stream): stream is ZipformerStream => stream instanceof ZipformerStream);
    for (const stream of ours) {
      const change = stream.takeDueHotwords();
      if (change !== undefined) this.#search.setHotwords(stream.search, change.hotwords);
    }
    const size = this.#model.encoder.fixedBatch ?? ours.length;
    const batches: ZipformerStream[][] = [];
    for (let at = 0; at < ours.length; at += size) batches.push(ours.slice(at, at + size));
    return batches;
  }

  async #decodeBatch(streams: readonly ZipformerStream[]): Promise<void> {
    for (const stream of streams) stream.features.fill();
    const encoderOutput = await this.#model.encoder.run(
      streams.map(({ features: { features }, encoderState }) => ({ features, state: encoderState })),
    );
    const { outputFrames } = this.#shape;
    await this.#search.advance(
      streams.map((stream, row) => ({
        state: stream.search,
        encoderOutput,
        offset: row * outputFrames * this.#model.encoder.outputWidth,
        frames: outputFrames,
        firstFrame: stream.nextFrame,
      })),
    );
    for (const stream of streams) {
      if (stream.isAtLastChunk) this.#search.settle(stream.search);
      stream.noteDecoded();
    }
  }

  async #speculateBatch(streams: readonly ZipformerStream[], slackFrames: number): Promise<void> {
    const { outputWidth } = this.#model.encoder;
    const { outputFrames } = this.#shape;
    const looks = streams
      .map((stream) => ({ stream, usable: stream.usableFrames(slackFrames) }))
      .filter(({ usable }) => usable > 0);
    if (looks.length === 0) return;
    for (const { stream } of looks) stream.features.fill();
    const encoderOutput = await this.#model.encoder.run(
      looks.map(({ stream: { features, encoderState } }, row) => ({
        features: this.#windows.padded(row, features.features, features.frameCount),
        state: encoderState,
      })),
      { keepsStates: false },
    );
    const found = await this.#search.lookAhead(
      looks.map(({ stream, usable }, row) => ({
        state: stream.search,
        encoderOutput,
        offset: row * outputFrames * outputWidth,
        frames: usable,
        firstFrame: stream.nextFrame,
      })),
    );
    for (const [row, { stream, usable }] of looks.entries())
      stream.noteSpeculated({ toldFrames: usable, slackFrames, tokens: found[row] ?? [] });
  }
}
