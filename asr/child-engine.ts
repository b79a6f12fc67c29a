import { availableParallelism } from 'node:os';
import { samplesToMs } from '../protocol/index.js';
import { builtModule } from './built-module.js';
import type { EngineChoice, RecogniserConfig } from './child/messages.js';
import type { AsrEngine, AsrStream, AsrStreamOptions } from './engine.js';
import { SileroVad } from './gate/silero-vad.js';
import { VadBatcher } from './gate/vad-batcher.js';
import type { InstalledModel, InstalledPunctuation } from './models/index.js';
import { SpeakerStream } from './stream/speaker-stream.js';
import type { PoolHealthState } from './supervisor/pool-health.js';
import type { PoolObserver } from './supervisor/pool-observer.js';
import { RecogniserPool, type RecogniserPoolOptions } from './supervisor/recogniser-pool.js';
import { createFormatter } from './text/formatter.js';
import { type UnfavouredPhrases, VocabularyCheck } from './vocabulary-check.js';

export interface ChildEngineOptions {
  readonly model: InstalledModel;
  /** Applied to finals of models that write no punctuation themselves. */
  readonly punctuation?: InstalledPunctuation;
  /** Recogniser processes. Default: one per core, less one for everything else, at least one. */
  readonly children?: number;
  /** While recognition is behind there may be so many. Default: no more than at first. */
  readonly maxChildren?: number;
  /** See `RecogniserPoolOptions.hasStandby`. Default false. */
  readonly hasStandby?: boolean;
  /** Where rewritten graphs are kept, for the next start. Default: nowhere. */
  readonly graphCacheDir?: string;
  /** Longest wished decoding call. Default 40 ms. */
  readonly decodeCallBudgetMs?: number;
  /** See `SupervisedChildOptions.environment`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default `auto`. */
  readonly engine?: EngineChoice;
  /** Words, per word said, that may change after they were shown. Default 0.05; 0 shows full chunks only. */
  readonly changedWordsAllowed?: number;
  readonly observer?: PoolObserver;
  /** The voice gate failed on a frame, which then counted as speech. */
  readonly gateFailed?: (error: unknown) => void;
  /** For tests: another child, other deadlines. */
  readonly supervision?: Partial<Omit<RecogniserPoolOptions, 'children' | 'recogniser'>>;
}

const DEFAULT_CHANGED_WORDS_ALLOWED = 0.05;
/** Audio and captions on their way, over all streams. */
export interface EngineBacklog {
  /** Audio that has not led to text yet: of all speakers together, and of the one who is furthest behind. */
  readonly totalMs: number;
  readonly longestMs: number;
  /** Utterances that no recogniser could take yet. */
  readonly waitingUtterances: number;
  /** Versions of segments that wait to be published. */
  readonly unreadEvents: number;
  /** Versions that were replaced by newer ones before they were published, since the start. */
  readonly coalescedEvents: number;
}

/** `AsrEngine` on recogniser children. */
export class ChildEngine implements AsrEngine {
  readonly model: InstalledModel;
  readonly #pool: RecogniserPool;
  readonly #vad: SileroVad;
  readonly #vocabularyCheck: VocabularyCheck;
  /** What runs the model, once a child was ready. */
  #runs: 'zipformer' | 'sherpa' | undefined;
  readonly #batcher: VadBatcher;
  readonly #punctuatesFinals: boolean;
  readonly #streams = new Set<SpeakerStream>();
  #coalescedOfClosed = 0;
  #closing: Promise<void> | undefined;

  private constructor(options: ChildEngineOptions, vad: SileroVad) {
    this.model = options.model;
    this.#vad = vad;
    this.#vocabularyCheck = new VocabularyCheck(options.model);
    this.#batcher = new VadBatcher(vad, options.gateFailed ?? (() => undefined));
    this.#punctuatesFinals = options.punctuation !== undefined && !options.model.punctuates;
    const { decodeCallBudgetMs, maxChildren, hasStandby, environment } = options;
    this.#pool = new RecogniserPool(
      {
        entry: builtModule('asr/child/main.js'),
        children: options.children ?? defaultChildren(),
        recogniser: recogniserConfig(options),
        ...(decodeCallBudgetMs === undefined ? {} : { decodeCallBudgetMs }),
        ...(maxChildren === undefined ? {} : { maxChildren }),
        ...(hasStandby === undefined ? {} : { hasStandby }),
        ...(environment === undefined ? {} : { environment }),
        ...options.supervision,
      },
      {
        ...options.observer,
        childReady: (info) => {
          this.#runs = info.engine;
          options.observer?.childReady?.(info);
        },
      },
    );
  }

  /** Loads the models. Errors: `recogniser_refused`, `recogniser_start_failed`, `recogniser_version_mismatch`. */
  static async start(options: ChildEngineOptions): Promise<ChildEngine> {
    const engine = new ChildEngine(options, await SileroVad.create());
    try {
      await engine.#pool.start();
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  get health(): PoolHealthState {
    return this.#pool.health;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Utterances being recognised: people who talk. */
  get openUtterances(): number {
    return this.#pool.openUtterances;
  }

  /** What waits in the streams, at this moment. */
  get backlog(): EngineBacklog {
    let total = 0;
    let longest = 0;
    let unreadEvents = 0;
    let coalescedEvents = this.#coalescedOfClosed;
    for (const stream of this.#streams) {
      const samples = Math.max(0, stream.receivedThroughSample - stream.recognisedThroughSample);
      total += samples;
      longest = Math.max(longest, samples);
      unreadEvents += stream.events.waiting;
      coalescedEvents += stream.events.coalesced;
    }
    const { waitingUtterances } = this.#pool;
    const [totalMs, longestMs] = [samplesToMs(total), samplesToMs(longest)];
    return { totalMs, longestMs, waitingUtterances, unreadEvents, coalescedEvents };
  }

  get childPids(): readonly number[] {
    return this.#pool.childPids;
  }

  openStream(options: AsrStreamOptions = {}): AsrStream {
    const { casing, punctuates, languages } = this.model;
    const language = options.language ?? languages[0] ?? '';
    const stream = new SpeakerStream({
      pool: this.#pool,
      batcher: this.#batcher,
      createFormatter: (vocabulary) => createFormatter({ language, casing, punctuates, vocabulary }),
      punctuatesFinals: this.#punctuatesFinals,
      vocabulary: options.vocabulary ?? [],
      ...(options.stall === undefined ? {} : { stall: options.stall }),
      closed: (closed) => {
        if (this.#streams.delete(closed)) this.#coalescedOfClosed += closed.events.coalesced;
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  unfavoured(vocabulary: readonly string[]): Promise<UnfavouredPhrases | undefined> {
    return this.#vocabularyCheck.unfavoured(vocabulary, this.#runs);
  }

  /** Ends all streams at once, then the children. Close streams first to keep what is open. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    await this.#pool.close();
    await this.#vocabularyCheck.close();
    await this.#vad.close();
  }
}

export const defaultChildren = (): number => Math.max(1, availableParallelism() - 1);

function recogniserConfig({
  model,
  punctuation,
  engine = 'auto',
  changedWordsAllowed = DEFAULT_CHANGED_WORDS_ALLOWED,
  graphCacheDir,
}: ChildEngineOptions): RecogniserConfig {
  const { encoder, decoder, joiner, tokens, bpeVocab } = model.files;
  return {
    engine,
    changedWordsAllowed,
    encoder,
    decoder,
    joiner,
    tokens,
    ...(bpeVocab === undefined ? {} : { bpeVocab }),
    ...(graphCacheDir === undefined ? {} : { graphCacheDir }),
    threads: 1,
    ...(punctuation === undefined || model.punctuates ? {} : { punctuationModel: punctuation.files }),
  };
}
