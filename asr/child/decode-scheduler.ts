/**
 * Decides which streams go into the next decoding call. Fair: a queue in which every ready stream waits for its turn and
 * goes to the back after each chunk, so a stream with much audio to catch up never delays another by more than one chunk.
 * Bounded: what waits is decoded in batches of at most `MAX_BATCH_STREAMS`, fewer where by the measured cost of a stream a call
 * would take more than `PATIENCE` times `decodeCallBudgetMs`; one by one where neighbours change each other's words and few people
 * talk. Looks ahead, for which nobody waits, fill up calls that are not full; few people are looked at in calls of their own, too,
 * which are to fit `decodeCallBudgetMs` itself.
 */
import type { BatchRecogniser, RecogniserStream } from './batch-recogniser.js';
import { Clarity } from './clarity.js';
import type { Token } from '../token.js';
import type { DecodedPiece, SavedUtterance, ToChild, VocabularyChange } from './messages.js';
import { countChangedWords, SpeculationPace } from './speculation-pace.js';

/**
 * Larger batches gain nothing on a CPU (our engine, 3.3 M model, a stream and chunk: 3.9 ms at 4, 3.6 at 6, 3.6 at 8; sherpa-onnx: 90
 * streams per core at 8 and at 16), take longer, which is what the last one waits, and cost memory: 4 MB for each further stream. At 6
 * there is less room for looks: with 40 people words came at p50 415, p95 663, finals at p95 889 ms; at 8 at 407, 653 and 875 ms.
 */
export const MAX_BATCH_STREAMS = 8;
/**
 * When many people talk, a call waits until the largest batch is ready, because batches save CPU, but only with more open streams
 * than this, …
 *
 * Up to so many, each is decoded alone where neighbours in a call change each other's words: models that quantise to 8 bits do
 * so over the whole batch. That costs 15 % more (73 streams per core instead of 87), but then there is CPU to spare, and a
 * replay after a crash gives the same words.
 */
export const GATHER_FROM_STREAMS = 12;
/** … for so long for each stream above that, … */
const GATHER_PER_STREAM_MS = 2;
/** … and never longer than this: a chunk is 320 ms of audio. */
const MAX_GATHER_MS = 60;
/**
 * What waits anyway may be decoded in a call so many times as long as wished: one after the other the last of them would wait for
 * longer. Without it a machine that is slow for a while looks too slow for batches, and without batches it stays so: 40 people
 * beside other programs were decoded 1.6 at a time, and fell 9 s behind.
 */
const PATIENCE = 4;
/** Weight of the newest call in the running estimate of a stream's cost. */
const COST_SMOOTHING = 0.2;

interface ScheduledStream {
  readonly utterance: number;
  readonly stream: RecogniserStream;
  reportedTokens: number;
  /** What was told after the reported tokens and may still change. */
  shownText: string;
  readonly clarity: Clarity;
  isFinishing: boolean;
  isQueued: boolean;
}

export interface DecodeSchedulerOptions {
  readonly recogniser: BatchRecogniser;
  readonly decodeCallBudgetMs: number;
  /** See `RecogniserConfig`. Default 0. */
  readonly changedWordsAllowed?: number;
  readonly now: () => number;
}

/** How an utterance begins, or goes on. */
export type Opening = Omit<Extract<ToChild, { kind: 'open' }>, 'kind' | 'utterance'>;

export interface DecodeCall {
  readonly pieces: readonly DecodedPiece[];
  readonly callMs: number;
  readonly batchSize: number;
}

export class DecodeScheduler {
  readonly #recogniser: BatchRecogniser;
  readonly #decodeCallBudgetMs: number;
  readonly #now: () => number;
  readonly #streams = new Map<number, ScheduledStream>();
  #readyQueue: ScheduledStream[] = [];
  readonly #pace: SpeculationPace;
  #costPerStreamMs = 0;

  constructor(options: DecodeSchedulerOptions) {
    this.#pace = new SpeculationPace(options.changedWordsAllowed ?? 0);
    this.#recogniser = options.recogniser;
    this.#decodeCallBudgetMs = options.decodeCallBudgetMs;
    this.#now = options.now;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  get hasWork(): boolean {
    return this.#readyQueue.length > 0;
  }

  /** How long the next call should wait for more streams to become ready. 0 while few people talk, enough are ready, or a final is due. */
  get gatherMs(): number {
    const isEnough = this.#readyQueue.length >= MAX_BATCH_STREAMS;
    if (isEnough || this.#readyQueue.some(({ isFinishing }) => isFinishing)) return 0;
    const streamsAbove = this.#streams.size - GATHER_FROM_STREAMS;
    return Math.min(MAX_GATHER_MS, Math.max(0, streamsAbove * GATHER_PER_STREAM_MS));
  }

  /** Throws when it is open already, or was `saved` with another model. */
  open(utterance: number, { firstSample, vocabularies, saved }: Opening): void {
    if (this.#streams.has(utterance)) throw new Error(`utterance ${utterance} is open already`);
    const stream =
      saved === undefined
        ? this.#recogniser.open(firstSample, vocabularies)
        : this.#recogniser.restore?.(saved.state, vocabularies);
    if (stream === undefined) throw new Error('this recogniser takes no saved streams');
    const scheduled = {
      utterance,
      stream,
      reportedTokens: saved?.reportedTokens ?? 0,
      shownText: '',
      clarity: new Clarity(),
      isFinishing: false,
      isQueued: false,
    };
    this.#streams.set(utterance, scheduled);
    this.#enqueueIfReady(scheduled);
  }

  get savesStreams(): boolean {
    return this.#recogniser.save !== undefined && this.#recogniser.restore !== undefined;
  }

  /** For another child to go on from; not while a call is under way. Undefined for what is not open, or is finishing. */
  save(utterance: number): SavedUtterance | undefined {
    const scheduled = this.#streams.get(utterance);
    if (scheduled === undefined || scheduled.isFinishing || !this.savesStreams) return undefined;
    const { stream, reportedTokens } = scheduled;
    const state = this.#recogniser.save?.(stream);
    if (state === undefined) return undefined;
    const { acceptedThroughSample, decodedThroughSample } = stream;
    return { state, reportedTokens, acceptedThroughSample, decodedThroughSample };
  }

  /** Audio for an utterance that is not open (cancelled meanwhile) is ignored. */
  accept(utterance: number, samples: Float32Array): void {
    const scheduled = this.#streams.get(utterance);
    if (scheduled === undefined || scheduled.isFinishing) return;
    scheduled.stream.accept(samples);
    this.#enqueueIfReady(scheduled);
  }

  /** Ignored for an utterance that is not open, or takes no more audio. */
  setVocabulary(utterance: number, change: VocabularyChange): void {
    const scheduled = this.#streams.get(utterance);
    if (scheduled === undefined || scheduled.isFinishing) return;
    this.#recogniser.setVocabulary?.(scheduled.stream, change);
  }

  finish(utterance: number): void {
    const scheduled = this.#streams.get(utterance);
    if (scheduled === undefined || scheduled.isFinishing) return;
    scheduled.isFinishing = true;
    scheduled.stream.finish();
    this.#enqueue(scheduled);
  }

  cancel(utterance: number): void {
    const scheduled = this.#streams.get(utterance);
    if (scheduled === undefined) return;
    this.#forget(scheduled);
    this.#readyQueue = this.#readyQueue.filter((queued) => queued !== scheduled);
  }

  /**
   * One decoding call over the streams at the head of the queue, and a look at others where there is room; the next may begin when
   * it has ended.
   */
  async decodeOnce(): Promise<DecodeCall> {
    const size = this.#batchSize();
    const batch = this.#readyQueue.splice(0, size);
    for (const scheduled of batch) scheduled.isQueued = false;
    const ready = batch.filter((scheduled) => scheduled.stream.isReady());
    const room = this.#mayBeJoined(batch) ? size - ready.length : 0;
    const looks = room > 0 ? this.#worthALook().slice(0, room) : [];
    const callMs = await this.#call(ready, looks);
    // Cancelled meanwhile: nobody waits for it.
    const decoded = batch.filter((scheduled) => this.#streams.get(scheduled.utterance) === scheduled);
    const pieces = [...decoded, ...this.#changed(looks)].map((scheduled) => this.#pieceOf(scheduled));
    return { pieces, callMs, batchSize: ready.length + looks.length };
  }

  /**
   * Streams that are worth a call before their chunk is full. Decoding for good goes first; with many streams it comes so often
   * that no look needs a call of its own.
   */
  get hasSpeculation(): boolean {
    return !this.hasWork && !this.#looksRide && this.#worthALook().length > 0;
  }

  /** Looks once at streams whose chunk is not full yet. Undefined when there is nothing to tell. */
  async speculateOnce(): Promise<DecodeCall | undefined> {
    const looks = this.#worthALook().slice(0, this.#streamsIn(this.#decodeCallBudgetMs));
    if (looks.length === 0) return undefined;
    const callMs = await this.#call([], looks);
    const changed = this.#changed(looks);
    if (changed.length === 0) return undefined;
    const pieces = changed.map((scheduled) => this.#pieceOf(scheduled));
    return { pieces, callMs, batchSize: looks.length };
  }

  /** Returns how long it took. */
  async #call(ready: readonly ScheduledStream[], looks: readonly ScheduledStream[]): Promise<number> {
    const streams = ready.length + looks.length;
    if (streams === 0) return 0;
    const startedAt = this.#now();
    await this.#recogniser.decode(
      ready.map(({ stream }) => stream),
      { streams: looks.map(({ stream }) => stream), slackFrames: this.#pace.slackFrames },
    );
    const callMs = this.#now() - startedAt;
    if (ready.length > 0) this.#noteCost(callMs / streams);
    this.#pace.noteCall({ callMs, decoded: ready.length, looked: looks.length, nowMs: this.#now() });
    return callMs;
  }

  /** Whether others may be looked at in the same call: not where that changes what is decoded, or keeps a final waiting. */
  #mayBeJoined(batch: readonly ScheduledStream[]): boolean {
    return this.#recogniser.isBatchIndependent && !batch.some(({ isFinishing }) => isFinishing);
  }

  /** Those of which a look showed something else than was shown before. */
  #changed(looks: readonly ScheduledStream[]): ScheduledStream[] {
    return looks.filter(
      (scheduled) =>
        this.#streams.get(scheduled.utterance) === scheduled &&
        !scheduled.isFinishing &&
        textOf(scheduled.stream.provisional()) !== scheduled.shownText,
    );
  }

  /** Streams with audio that is worth a look now; those first whose words a look brings forward the most. */
  #worthALook(): ScheduledStream[] {
    if (!this.#recogniser.looksAhead) return [];
    const untoldSamples = this.#looksRide
      ? this.#pace.untoldSamplesOfRiders()
      : this.#pace.untoldSamples(this.#streams.size);
    if (untoldSamples === undefined) return [];
    const { slackFrames } = this.#pace;
    const gain = ({ stream }: ScheduledStream): number =>
      stream.speculableSamples(slackFrames) * stream.samplesUntilWhole;
    return [...this.#streams.values()]
      .filter(
        ({ stream, clarity }) => clarity.isClear && stream.speculableSamples(slackFrames) >= untoldSamples,
      )
      .sort((a, b) => gain(b) - gain(a));
  }

  /** Looks are taken only in calls that decode. */
  get #looksRide(): boolean {
    return this.#isCrowded && this.#recogniser.isBatchIndependent;
  }

  get #isCrowded(): boolean {
    return this.#streams.size > GATHER_FROM_STREAMS;
  }

  #pieceOf(scheduled: ScheduledStream): DecodedPiece {
    const { stream } = scheduled;
    const tokens = stream.tokens();
    const appended = tokens.slice(scheduled.reportedTokens);
    scheduled.reportedTokens = tokens.length;
    const isReady = stream.isReady();
    const isFinal = scheduled.isFinishing && !isReady;
    const provisional = isFinal ? [] : stream.provisional();
    const provisionalText = textOf(provisional);
    const saidText = textOf(appended);
    scheduled.clarity.hear(appended);
    if (scheduled.clarity.isClear)
      this.#pace.noteWords(
        saidText.split(' ').length - 1,
        countChangedWords(scheduled.shownText, saidText + provisionalText),
      );
    scheduled.shownText = provisionalText;
    const { decodedThroughSample, heardThroughSample } = stream;
    const piece: DecodedPiece = {
      utterance: scheduled.utterance,
      appended,
      provisional,
      decodedThroughSample,
      ...(heardThroughSample === decodedThroughSample ? {} : { heardThroughSample }),
      isFinal,
    };
    if (isReady) this.#enqueue(scheduled);
    if (!isFinal) return piece;
    this.#forget(scheduled);
    const text = textOf(tokens).trim();
    const punctuatedText = text === '' ? undefined : this.#recogniser.punctuate(text);
    return punctuatedText === undefined ? piece : { ...piece, punctuatedText };
  }

  #forget(scheduled: ScheduledStream): void {
    this.#streams.delete(scheduled.utterance);
    this.#recogniser.release(scheduled.stream);
  }

  #enqueueIfReady(scheduled: ScheduledStream): void {
    if (!scheduled.isQueued && scheduled.stream.isReady()) this.#enqueue(scheduled);
  }

  #enqueue(scheduled: ScheduledStream): void {
    if (scheduled.isQueued) return;
    scheduled.isQueued = true;
    this.#readyQueue.push(scheduled);
  }

  #batchSize(): number {
    if (!this.#isCrowded && !this.#recogniser.isBatchIndependent) return 1;
    return this.#streamsIn(PATIENCE * this.#decodeCallBudgetMs);
  }

  /** How many fit a call that may take so long. */
  #streamsIn(callMs: number): number {
    if (this.#costPerStreamMs === 0) return 1;
    return Math.min(MAX_BATCH_STREAMS, Math.max(1, Math.floor(callMs / this.#costPerStreamMs)));
  }

  #noteCost(costMs: number): void {
    this.#costPerStreamMs =
      this.#costPerStreamMs === 0
        ? costMs
        : this.#costPerStreamMs + COST_SMOOTHING * (costMs - this.#costPerStreamMs);
  }
}

const textOf = (tokens: readonly Token[]): string => tokens.map(({ text }) => text).join('');
