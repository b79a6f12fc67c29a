import { sampleIndex } from '../../protocol/index.js';
import type { RecogniserStream } from '../child/batch-recogniser.js';
import { LEAD_IN_SAMPLES, LEAD_OUT_SAMPLES } from '../child/utterance-edges.js';
import type { Token } from '../token.js';
import type { EncoderState } from './encoder-state.js';
import type { FeatureWindow } from './feature-window.js';
import type { HotwordGraph } from './hotword-graph.js';
import { FRAME_SAMPLES, FRAME_SHIFT_SAMPLES } from './mel-filter-bank.js';
import type { SavedStream } from './saved-stream.js';
import type { EmittedToken } from './search.js';
import type { VocabularyState } from './vocabulary-search.js';

/** Encoder frames without a token after which nobody is speaking as far as speculation is concerned: 1.5 s. */
const SILENT_FRAMES = 37;

/** The model's measures that a stream needs. */
export interface StreamShape {
  readonly windowFrames: number;
  readonly hopFrames: number;
  /** Encoder frames of one chunk. */
  readonly outputFrames: number;
  readonly tokenTexts: readonly string[];
}

export interface ZipformerStreamParts {
  readonly shape: StreamShape;
  readonly encoderState: EncoderState;
  /** As new. */
  readonly features: FeatureWindow;
  readonly search: VocabularyState;
  readonly firstSample: number;
  /** The stream to go on with; `encoderState` and `search` are restored already. */
  readonly saved?: Pick<SavedStream, 'acceptedSamples' | 'decodedChunks' | 'features'>;
}

/** Phrases favoured from the first chunk on that has audio after `fromSample`. */
export interface HotwordChange {
  readonly fromSample: number;
  readonly hotwords: HotwordGraph | undefined;
}

/** One utterance: its audio not decoded yet, the encoder's and the search's state, and what came out. */
export class ZipformerStream implements RecogniserStream {
  readonly encoderState: EncoderState;
  readonly search: VocabularyState;
  readonly features: FeatureWindow;
  /** Not due yet, in order. */
  readonly hotwordChanges: HotwordChange[] = [];
  readonly #shape: StreamShape;
  readonly #firstSample: number;
  readonly #tokens: Token[] = [];
  #provisional: readonly Token[] = [];
  #acceptedSamples = 0;
  #decodedChunks = 0;
  /** Encoder frames of the chunk that is not whole yet which the last look told of. */
  #toldFrames = 0;
  /** Audio of this stream, in samples, that the last look needed. */
  #lookHeardSamples = 0;
  #isFinished = false;

  constructor({ shape, encoderState, features, search, firstSample, saved }: ZipformerStreamParts) {
    this.#shape = shape;
    this.#firstSample = firstSample;
    this.encoderState = encoderState;
    this.features = features;
    this.search = search;
    if (saved === undefined) {
      this.features.appendSilence(LEAD_IN_SAMPLES);
      return;
    }
    this.features.restore(saved.features);
    this.#acceptedSamples = saved.acceptedSamples;
    this.#decodedChunks = saved.decodedChunks;
  }

  /** Not of a stream that was finished. */
  save(): Omit<SavedStream, 'format' | 'search'> {
    return {
      firstSample: this.#firstSample,
      acceptedSamples: this.#acceptedSamples,
      decodedChunks: this.#decodedChunks,
      encoderFloats: this.encoderState.floats,
      encoderIntegers: this.encoderState.integers,
      features: this.features.save(),
    };
  }

  accept(samples: Float32Array): void {
    this.features.append(samples);
    this.#acceptedSamples += samples.length;
  }

  /** Adds the silence that the last chunks lack: a partial chunk is never decoded for good. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const { windowFrames, hopFrames } = this.#shape;
    this.features.appendSilence(
      LEAD_OUT_SAMPLES + (windowFrames + hopFrames) * FRAME_SHIFT_SAMPLES + FRAME_SAMPLES,
    );
  }

  isReady(): boolean {
    return this.features.isFull && (!this.#isFinished || this.#decodedChunks < this.#chunksInAll());
  }

  /** Nothing comes after the chunk that is decoded next. */
  get isAtLastChunk(): boolean {
    return this.#isFinished && this.#decodedChunks + 1 >= this.#chunksInAll();
  }

  tokens(): readonly Token[] {
    const { settled } = this.search;
    for (const token of settled.slice(this.#tokens.length)) this.#tokens.push(this.#textOf(token));
    return this.#tokens;
  }

  provisional(): readonly Token[] {
    return this.#provisional;
  }

  speculableSamples(slackFrames: number): number {
    if (this.#isFinished || this.isReady() || this.search.trailingBlankFrames > SILENT_FRAMES) return 0;
    const { hopFrames, outputFrames } = this.#shape;
    const untold = this.usableFrames(slackFrames) - this.#toldFrames;
    return (Math.max(0, untold) * hopFrames * FRAME_SHIFT_SAMPLES) / outputFrames;
  }

  get samplesUntilWhole(): number {
    const missing = this.#shape.windowFrames - this.features.availableFrames;
    return this.isReady() ? 0 : missing * FRAME_SHIFT_SAMPLES;
  }

  /** Encoder frames of the chunk that is not whole yet which may be told of by now. */
  usableFrames(slackFrames: number): number {
    const { hopFrames, outputFrames } = this.#shape;
    const usable = Math.floor(((this.features.availableFrames - slackFrames) * outputFrames) / hopFrames);
    return Math.min(outputFrames, Math.max(0, usable));
  }

  get acceptedThroughSample(): number {
    return this.#firstSample + this.#acceptedSamples;
  }

  get decodedThroughSample(): number {
    return this.#firstSample + Math.min(this.#acceptedSamples, this.#samplesHeardAfter(this.#decodedChunks));
  }

  get heardThroughSample(): number {
    const heard = this.#firstSample + Math.min(this.#acceptedSamples, this.#lookHeardSamples);
    return Math.max(this.decodedThroughSample, heard);
  }

  /** The newest of the changes that hold from the chunk on that is decoded next; it is not due a second time. */
  takeDueHotwords(): HotwordChange | undefined {
    return this.#takeHotwords(this.#decodedChunks + 1);
  }

  /** The change that held in the chunk that was decoded last; it is not due a second time. */
  takePastHotwords(): HotwordChange | undefined {
    return this.#takeHotwords(this.#decodedChunks);
  }

  #takeHotwords(chunks: number): HotwordChange | undefined {
    const throughSample = this.#firstSample + this.#samplesHeardAfter(chunks);
    const due = this.hotwordChanges.filter(({ fromSample }) => fromSample < throughSample);
    this.hotwordChanges.splice(0, due.length);
    return due.at(-1);
  }

  /** Position in the stream of the first encoder frame of the chunk that is decoded next. */
  get nextFrame(): number {
    return this.#decodedChunks * this.#shape.outputFrames;
  }

  /** A whole chunk was decoded: the window moves on, and what was provisional is settled or gone. */
  noteDecoded(): void {
    this.#toldFrames = 0;
    this.#decodedChunks += 1;
    this.features.advance(this.#shape.hopFrames);
    this.#showOpen();
  }

  /** A look was taken that tells of so many encoder frames of the chunk, and leaves out the slack behind them. */
  noteSpeculated(look: { toldFrames: number; slackFrames: number; tokens: readonly EmittedToken[] }): void {
    const { toldFrames, slackFrames, tokens } = look;
    const { hopFrames, outputFrames } = this.#shape;
    const frames = ((this.nextFrame + toldFrames) * hopFrames) / outputFrames + slackFrames;
    this.#toldFrames = toldFrames;
    this.#lookHeardSamples = samplesIn(frames);
    if (!this.#isFinished) this.#provisional = tokens.map((token) => this.#textOf(token));
  }

  /** Without what was heard ahead of the last whole chunk. */
  #showOpen(): void {
    this.#provisional = this.search.open.map((token) => this.#textOf(token));
  }

  /** Audio of this stream, in samples, that so many chunks have in them. */
  #samplesHeardAfter(chunks: number): number {
    if (chunks === 0) return 0;
    const { windowFrames, hopFrames } = this.#shape;
    return samplesIn(windowFrames + (chunks - 1) * hopFrames);
  }

  /** Each chunk yields the output of `hopFrames`; counted when all audio has been accepted. */
  #chunksInAll(): number {
    const samples = LEAD_IN_SAMPLES + this.#acceptedSamples + LEAD_OUT_SAMPLES;
    return Math.ceil(samples / (this.#shape.hopFrames * FRAME_SHIFT_SAMPLES));
  }

  #textOf({ id, frame, logProbability }: EmittedToken): Token {
    const { hopFrames, outputFrames, tokenTexts } = this.#shape;
    const inStream = (frame * hopFrames * FRAME_SHIFT_SAMPLES) / outputFrames - LEAD_IN_SAMPLES;
    return {
      text: tokenTexts[id] ?? '',
      atSample: sampleIndex(
        this.#firstSample + Math.min(this.#acceptedSamples, Math.max(0, Math.round(inStream))),
      ),
      logProbability,
    };
  }
}

/** Audio of a stream that its first `frames` feature frames need, without the zeros before it. */
const samplesIn = (frames: number): number =>
  Math.max(0, (frames - 1) * FRAME_SHIFT_SAMPLES + FRAME_SAMPLES - LEAD_IN_SAMPLES);
