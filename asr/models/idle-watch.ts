/** Aborts its signal when nothing has happened for a while. */
export class IdleWatch {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly reason: () => Error,
  ) {
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something happened. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.reason()), this.timeoutMs);
  }

  /** Must be called in the end; the signal then never aborts. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
