import { errorMessage } from '../../protocol/index.js';
import type { BatchRecogniser, LookAhead, RecogniserStream } from '../child/batch-recogniser.js';
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
  readonly looksAhead = true;
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

  async decode(streams: readonly RecogniserStream[], looks?: LookAhead): Promise<void> {
    const rows = this.#rowsOf(streams, looks);
    const size = this.#model.encoder.fixedBatch ?? rows.length;
    for (let at = 0; at < rows.length; at += size) await this.#decodeRows(rows.slice(at, at + size));
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

  #rowsOf(streams: readonly RecogniserStream[], looks: LookAhead | undefined): Row[] {
    const whole = streams.filter(isOurs).map((stream): Row => ({ stream, look: undefined }));
    const { streams: looked, slackFrames } = looks ?? { streams: [], slackFrames: 0 };
    const ahead = looked
      .filter(isOurs)
      .map((stream) => ({ stream, look: { slackFrames, toldFrames: stream.usableFrames(slackFrames) } }))
      .filter(({ look }) => look.toldFrames > 0);
    const rows = [...whole, ...ahead];
    for (const { stream } of rows) {
      const change = stream.takeDueHotwords();
      if (change !== undefined) this.#search.setHotwords(stream.search, change.hotwords);
    }
    return rows;
  }

  async #decodeRows(rows: readonly Row[]): Promise<void> {
    for (const { stream } of rows) stream.features.fill();
    const encoderOutput = await this.#model.encoder.run(
      rows.map(({ stream: { features, encoderState }, look }, row) => ({
        features:
          look === undefined
            ? features.features
            : this.#windows.padded(row, features.features, features.frameCount),
        state: encoderState,
        keepsState: look === undefined,
      })),
    );
    const { outputFrames } = this.#shape;
    const inputs = rows.map(({ stream, look }, row) => ({
      stream,
      look,
      state: stream.search,
      encoderOutput,
      offset: row * outputFrames * this.#model.encoder.outputWidth,
      frames: look?.toldFrames ?? outputFrames,
      firstFrame: stream.nextFrame,
    }));
    const whole = inputs.filter(({ look }) => look === undefined);
    await this.#search.advance(whole);
    for (const { stream } of whole) {
      if (stream.isAtLastChunk) this.#search.settle(stream.search);
      stream.noteDecoded();
    }
    const ahead = inputs.filter(({ look }) => look !== undefined);
    const found = await this.#search.lookAhead(ahead);
    for (const [index, { stream, look }] of ahead.entries())
      if (look !== undefined) stream.noteSpeculated({ ...look, tokens: found[index] ?? [] });
  }
}

/** A stream in a call. */
interface Row {
  readonly stream: ZipformerStream;
  /** Of a stream that is only looked at: of how many encoder frames the look tells, and what it leaves out. */
  readonly look: { readonly toldFrames: number; readonly slackFrames: number } | undefined;
}

const isOurs = (stream: RecogniserStream): stream is ZipformerStream => stream instanceof ZipformerStream;
