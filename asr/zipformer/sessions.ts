import { InferenceSession } from '../onnx-runtime.js';

/** The sessions of one model. The owner closes it, which releases all that were not released before. */
export class Sessions {
  readonly #options: InferenceSession.SessionOptions;
  readonly #open = new Set<InferenceSession>();

  /** `threads` are those of one call. */
  constructor(threads: number) {
    this.#options = {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Patterns and arenas are kept for every batch size seen.
      enableMemPattern: false,
      // Errors only: what is wrong is thrown, too.
      logSeverityLevel: 3,
    };
  }

  /** Opens a model's file, or its bytes. */
  async open(model: string | Uint8Array): Promise<InferenceSession> {
    // The two ways differ in their types only.
    const session =
      typeof model === 'string'
        ? await InferenceSession.create(model, this.#options)
        : await InferenceSession.create(model, this.#options);
    this.#open.add(session);
    return session;
  }

  async release(session: InferenceSession): Promise<void> {
    if (this.#open.delete(session)) await session.release();
  }

  async close(): Promise<void> {
    const sessions = [...this.#open];
    this.#open.clear();
    await Promise.all(sessions.map((session) => session.release()));
  }
}
