import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { asTensor, ModelRefused } from './encoder-shape.js';

/** Outputs that are kept: 5 MB with 320 values each. Speech uses some thousand contexts over and over. */
const MAX_CACHED_CONTEXTS = 4096;

/**
 * The transducer's stateless decoder ("predictor"): what to expect after the last few tokens. Its output depends on them
 * alone, so it is remembered.
 */
export class Predictor {
  readonly contextSize: number;
  readonly width: number;
  readonly #session: InferenceSession;
  readonly #input: string;
  readonly #output: string;
  readonly #cache = new Map<string, Float32Array>();

  private constructor(session: InferenceSession, shape: { contextSize: number; width: number }) {
    this.#session = session;
    this.contextSize = shape.contextSize;
    this.width = shape.width;
    this.#input = session.inputNames[0] ?? '';
    this.#output = session.outputNames[0] ?? '';
  }

  /** Throws `ModelRefused` when it is no such decoder. */
  static async create(session: InferenceSession, contextSize: number): Promise<Predictor> {
    const [input, ...others] = session.inputMetadata;
    const tensor = input && asTensor(input);
    const isRight =
      tensor?.type === 'int64' && tensor.shape.length === 2 && typeof tensor.shape[0] !== 'number';
    if (others.length > 0 || !isRight)
      throw new ModelRefused('the decoder is no stateless decoder of token contexts');
    const results = await session.run({
      [tensor.name]: new Tensor('int64', new BigInt64Array(contextSize), [1, contextSize]),
    });
    const output = results[session.outputNames[0] ?? ''];
    const width = output?.dims.at(-1);
    if (output?.type !== 'float32' || width === undefined || output.size !== width)
      throw new ModelRefused('the decoder does not give one row of floats for a context');
    return new Predictor(session, { contextSize, width });
  }

  /** Rows for these contexts, each of `contextSize` token ids; -1 stands before the first token. */
  async rows(contexts: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const keys = contexts.map((context) => context.join(' '));
    const missing = new Map<string, readonly number[]>();
    for (const [index, key] of keys.entries()) {
      const context = contexts[index];
      if (context !== undefined && !this.#cache.has(key)) missing.set(key, context);
    }
    const found = new Map(keys.map((key) => [key, this.#cache.get(key)]));
    if (missing.size > 0) {
      for (const [key, row] of await this.#compute(missing)) {
        found.set(key, row);
        this.#remember(key, row);
      }
    }
    return keys.map((key) => found.get(key) ?? new Float32Array(this.width));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #compute(missing: ReadonlyMap<string, readonly number[]>): Promise<[string, Float32Array][]> {
    const ids = BigInt64Array.from([...missing.values()].flat(), BigInt);
    const results = await this.#session.run({
      [this.#input]: new Tensor('int64', ids, [missing.size, this.contextSize]),
    });
    const output = floatsOf(results[this.#output]);
    return [...missing.keys()].map((key, row) => [
      key,
      output.slice(row * this.width, (row + 1) * this.width),
    ]);
  }

  #remember(key: string, row: Float32Array): void {
    if (this.#cache.size >= MAX_CACHED_CONTEXTS) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(key, row);
  }
}

export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new Error('the model gave no floats');
}
