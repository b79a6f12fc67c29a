/** Every recogniser makes a vocabulary its own, which costs CPU that everybody's captions need. */
const INTERVAL_MS = 5000;

/**
 * Changes of one speaker's or one room's vocabulary: the first comes into force at once; of those that follow within 5 s only
 * the newest does, at the end of that time. `close` forgets what still waits.
 */
export class VocabularyChanges {
  readonly #apply: (vocabulary: readonly string[]) => void;
  #current: readonly string[];
  #waiting: readonly string[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `apply` is called with each vocabulary that comes into force, not with the first, `current`. */
  constructor(current: readonly string[], apply: (vocabulary: readonly string[]) => void) {
    this.#current = current;
    this.#apply = apply;
  }

  /** What is in force. */
  get current(): readonly string[] {
    return this.#current;
  }

  /** `vocabulary` as from `parseVocabulary`. */
  offer(vocabulary: readonly string[]): void {
    if (this.#isClosed) return;
    this.#waiting = vocabulary;
    if (this.#timer === undefined) this.#applyWaiting();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = undefined;
    clearTimeout(this.#timer);
  }

  #applyWaiting(): void {
    const vocabulary = this.#waiting;
    this.#waiting = undefined;
    this.#timer = undefined;
    if (vocabulary === undefined || isSame(vocabulary, this.#current)) return;
    this.#current = vocabulary;
    this.#timer = setTimeout(() => this.#applyWaiting(), INTERVAL_MS);
    this.#apply(vocabulary);
  }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((phrase, index) => phrase === b[index]);
