import { CaptionError, errorMessage } from '../../protocol/index.js';
import { InferenceSession } from '../onnx-runtime.js';
import { ModelRefused } from './encoder-shape.js';

/** onnxruntime on files whose outside is whole but whose inside is not. */
const SAYS_DAMAGED = /protobuf parsing failed|deserialize tensor|out of bounds|corrupt/i;

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

  /**
   * Opens a model's file, or its bytes. Errors: CaptionError `model_damaged`; `ModelRefused` for what this onnxruntime does not
   * load, which another engine's may.
   */
  async open(model: string | Uint8Array): Promise<InferenceSession> {
    try {
      // The two ways differ in their types only.
      const session =
        typeof model === 'string'
          ? await InferenceSession.create(model, this.#options)
          : await InferenceSession.create(model, this.#options);
      this.#open.add(session);
      return session;
    } catch (error) {
      const message = errorMessage(error);
      if (SAYS_DAMAGED.test(message)) throw new CaptionError('model_damaged', message, { cause: error });
      throw new ModelRefused(`onnxruntime does not load it: ${message}`);
    }
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
