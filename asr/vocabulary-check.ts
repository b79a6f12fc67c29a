import { Worker } from 'node:worker_threads';
import { CaptionError } from '../protocol/index.js';
import { builtModule } from './built-module.js';
import type { InstalledModel } from './models/index.js';
import { detached } from './detached.js';

/** How many phrases a message names. */
const NAMED_PHRASES = 5;
/** The thread ends when it has been silent for so long: it has nothing to do, or it hangs. */
const DEFAULT_SILENCE_MS = 30_000;
/** Vocabularies that wait for the thread; further ones are not checked. */
const MAX_WAITING = 1000;
/** Enough for any vocabulary that `parseVocabulary` lets through. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** What the thread is started with: paths. */
export interface VocabularyFiles {
  readonly tokens: string;
  readonly bpeVocab: string;
}

export interface VocabularyQuestion {
  readonly id: number;
  readonly phrases: readonly string[];
}

export interface VocabularyAnswer {
  readonly id: number;
  readonly unwritable: readonly string[];
}

/** Phrases of a vocabulary that recognition does not favour. Where they are recognised they are spelled as written all the same. */
export interface UnfavouredPhrases {
  /** Code `vocabulary_not_favoured`; its message names the first few phrases, so it is nothing for a log. */
  readonly error: CaptionError;
  readonly phrases: readonly string[];
}

export interface VocabularyCheckOptions {
  readonly files: Pick<InstalledModel['files'], 'tokens' | 'bpeVocab'>;
  /** Default 30 s. */
  readonly silenceMs?: number;
}

/**
 * Reports which phrases of a vocabulary a model can favour, so that none is left out in silence. It looks in a thread of its
 * own, which exists while there are vocabularies to look at. `close` ends it.
 */
export class VocabularyCheck {
  readonly #files: VocabularyFiles | undefined;
  readonly #silenceMs: number;
  readonly #waiting = new Map<number, (unwritable: readonly string[]) => void>();
  #worker: Worker | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor({ files, silenceMs = DEFAULT_SILENCE_MS }: VocabularyCheckOptions) {
    const { tokens, bpeVocab } = files;
    this.#files = bpeVocab === undefined ? undefined : { tokens, bpeVocab };
    this.#silenceMs = silenceMs;
  }

  /**
   * `engine` is what runs the model. Undefined when every phrase is favoured, and where the thread gave no answer: it is a
   * remark, and nobody waits for it. Never rejects.
   */
  async unfavoured(
    vocabulary: readonly string[],
    engine: 'zipformer' | 'sherpa' | undefined,
  ): Promise<UnfavouredPhrases | undefined> {
    if (vocabulary.length === 0) return undefined;
    if (engine === 'sherpa')
      return unfavoured('sherpa-onnx favours no phrases of single speakers', vocabulary);
    if (this.#files === undefined) return unfavoured('The model has no bpe.vocab', vocabulary);
    const unwritable = await this.#ask(vocabulary, this.#files);
    return unwritable.length === 0
      ? undefined
      : unfavoured('The model has no letters for a part of the vocabulary', unwritable);
  }

  /** What waits for an answer gets none. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endWorker();
  }

  #ask(phrases: readonly string[], files: VocabularyFiles): Promise<readonly string[]> {
    if (this.#isClosed || this.#waiting.size >= MAX_WAITING) return Promise.resolve([]);
    const worker = (this.#worker ??= this.#startWorker(files));
    const question: VocabularyQuestion = { id: ++this.#lastId, phrases };
    return new Promise((resolve) => {
      this.#waiting.set(question.id, resolve);
      worker.ref();
      worker.postMessage(question);
      this.#noteLife();
    });
  }

  #startWorker(files: VocabularyFiles): Worker {
    const worker = new Worker(builtModule('asr/vocabulary-worker.js'), {
      workerData: files,
      resourceLimits: LIMITS,
      env: {},
      execArgv: [],
    });
    worker.on('message', ({ id, unwritable }: VocabularyAnswer) => {
      this.#waiting.get(id)?.(unwritable);
      this.#waiting.delete(id);
      // Nobody waits for it: it must not keep the process from ending.
      if (this.#waiting.size === 0) worker.unref();
      this.#noteLife();
    });
    // Files that the thread cannot read are refused by the recogniser's child, which says why.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) detached('end of the vocabulary thread', this.#endWorker());
    });
    return worker;
  }

  #noteLife(): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(
      () => detached('end of the vocabulary thread', this.#endWorker()),
      this.#silenceMs,
    ).unref();
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    clearTimeout(this.#silenceTimer);
    for (const answer of this.#waiting.values()) answer([]);
    this.#waiting.clear();
    await worker?.terminate();
  }
}

function unfavoured(reason: string, phrases: readonly string[]): UnfavouredPhrases {
  const named = phrases.slice(0, NAMED_PHRASES).map((phrase) => `"${phrase}"`);
  const others = phrases.length - named.length;
  const list = `${named.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  const message = `${reason}: not favoured, but spelled as written where recognised: ${list}.`;
  return { error: new CaptionError('vocabulary_not_favoured', message), phrases };
}
