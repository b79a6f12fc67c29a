import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { MAX_BATCH_STREAMS } from '../child/decode-scheduler.js';
import { type EncoderShape, ModelRefused, type StateTensor } from './encoder-shape.js';
import { EncoderState } from './encoder-state.js';
import { MEL_BINS } from './mel-filter-bank.js';

/** One stream's part of a call. */
export interface EncoderInput {
  /** `windowFrames` rows of `MEL_BINS`. */
  readonly features: Float32Array;
  readonly state: EncoderState;
  /** Whether the state moves on by the chunk, or stays as it was. */
  readonly keepsState: boolean;
}

export interface EncoderParts {
  /** Who opened it closes it. */
  readonly session: InferenceSession;
  readonly shape: EncoderShape;
  /** The same encoder, for when the output of `session` is no numbers. Absent where that cannot be. */
  readonly openGuarded?: (() => Promise<InferenceSession>) | undefined;
}

/** Tensors of one batch size, all of them views of shared buffers. */
interface BatchTensors {
  readonly feeds: Record<string, Tensor>;
  readonly fetches: Record<string, Tensor>;
  /** The same without the states. */
  readonly outputOnly: Record<string, Tensor>;
}

/** Where a state tensor lies in a stream's state, in values. */
interface PlacedState {
  readonly tensor: StateTensor;
  readonly offset: number;
}

interface Buffers {
  readonly features: Float32Array;
  readonly output: Float32Array;
  readonly floatsIn: Float32Array;
  readonly floatsOut: Float32Array;
  readonly integersIn: BigInt64Array;
  readonly integersOut: BigInt64Array;
}

/**
 * The encoder, batched over streams. States are gathered into preallocated tensors before a call and scattered after it; one
 * call at a time. Output of the last call: `output`, `outputFrames` rows of `outputWidth` a stream.
 */
export class Encoder {
  readonly shape: EncoderShape;
  #session: InferenceSession;
  /** Undefined where the session cannot overflow. */
  #openGuarded: (() => Promise<InferenceSession>) | undefined;
  readonly #placed: readonly PlacedState[];
  readonly #stateFloats: number;
  readonly #stateIntegers: number;
  #outputFrames = 0;
  #outputWidth = 0;
  #capacity = 0;
  #buffers: Buffers | undefined;
  #tensors: (BatchTensors | undefined)[] = [];

  private constructor({ session, shape, openGuarded }: EncoderParts) {
    this.#session = session;
    this.#openGuarded = openGuarded;
    this.shape = shape;
    let floats = 0;
    let integers = 0;
    this.#placed = shape.states.map((tensor) => {
      const values = tensor.runs * tensor.runLength;
      const offset = tensor.type === 'float32' ? floats : integers;
      if (tensor.type === 'float32') floats += values;
      else integers += values;
      return { tensor, offset };
    });
    this.#stateFloats = floats;
    this.#stateIntegers = integers;
  }

  /** Runs it once on silence: that tells the size of its output, finds graphs that do not run, and warms it up. */
  static async create(parts: EncoderParts): Promise<Encoder> {
    const encoder = new Encoder(parts);
    await encoder.#probe();
    return encoder;
  }

  get outputFrames(): number {
    return this.#outputFrames;
  }

  get outputWidth(): number {
    return this.#outputWidth;
  }

  /** Most streams that one call may have; undefined for any number. */
  get fixedBatch(): number | undefined {
    return this.shape.fixedBatch;
  }

  /** Of a stream that has heard nothing. */
  newState(): EncoderState {
    return new EncoderState(this.#stateFloats, this.#stateIntegers);
  }

  /** Encodes a window of each stream. The result holds until the next call: `outputFrames` rows of `outputWidth` for each in turn. */
  async run(inputs: readonly EncoderInput[]): Promise<Float32Array> {
    const batch = this.shape.fixedBatch ?? inputs.length;
    const buffers = this.#reserve(batch);
    const tensors = (this.#tensors[batch] ??= this.#tensorsFor(batch, buffers));
    const windowLength = this.shape.windowFrames * MEL_BINS;
    for (const [row, { features, state }] of inputs.entries()) {
      buffers.features.set(features, row * windowLength);
      this.#gather(state, row, { buffers, batch });
    }
    const keepsStates = inputs.some(({ keepsState }) => keepsState);
    const fetches = keepsStates ? tensors.fetches : tensors.outputOnly;
    await this.#session.run(tensors.feeds, fetches);
    if (this.#openGuarded !== undefined && !areFinite(buffers.output, inputs.length * this.#rowValues)) {
      // From now on: what overflowed once may do so again, and the guards cost little.
      const open = this.#openGuarded;
      this.#openGuarded = undefined;
      this.#session = await open();
      await this.#session.run(tensors.feeds, fetches);
    }
    for (const [row, { state, keepsState }] of inputs.entries())
      if (keepsState) this.#scatter(state, row, { buffers, batch });
    return buffers.output;
  }

  get #rowValues(): number {
    return this.#outputFrames * this.#outputWidth;
  }

  async #probe(): Promise<void> {
    const batch = this.shape.fixedBatch ?? 1;
    const { features, windowFrames, states } = this.shape;
    const feeds: Record<string, Tensor> = {
      [features]: new Tensor('float32', new Float32Array(batch * windowFrames * MEL_BINS), [
        batch,
        windowFrames,
        MEL_BINS,
      ]),
    };
    for (const { input, type, runs, runLength, ...tensor } of states) {
      const values = batch * runs * runLength;
      feeds[input] =
        type === 'float32'
          ? new Tensor('float32', new Float32Array(values), dimsOf(tensor, batch))
          : new Tensor('int64', new BigInt64Array(values), dimsOf(tensor, batch));
    }
    const results = await this.#session.run(feeds);
    const output = results[this.shape.output];
    const [rows, frames, width] = output?.dims ?? [];
    if (output?.type !== 'float32' || rows !== batch || frames === undefined || width === undefined)
      throw new ModelRefused(`the encoder gives [${String(output?.dims)}] and not rows of floats`);
    if (frames === 0 || this.shape.hopFrames % frames !== 0)
      throw new ModelRefused(`the encoder makes ${frames} frames of a chunk of ${this.shape.hopFrames}`);
    for (const { input, output: name, ...tensor } of states) {
      if (String(results[name]?.dims) !== String(dimsOf(tensor, batch)))
        throw new ModelRefused(`the encoder's state ${input} comes back in another shape than it went in`);
    }
    this.#outputFrames = frames;
    this.#outputWidth = width;
  }

  #reserve(batch: number): Buffers {
    if (this.#buffers !== undefined && batch <= this.#capacity) return this.#buffers;
    // Not by and by: what is outgrown waits for a full collection.
    const capacity = batch === 1 ? 1 : Math.max(batch, MAX_BATCH_STREAMS);
    this.#buffers = {
      features: new Float32Array(capacity * this.shape.windowFrames * MEL_BINS),
      output: new Float32Array(capacity * this.#outputFrames * this.#outputWidth),
      floatsIn: new Float32Array(capacity * this.#stateFloats),
      floatsOut: new Float32Array(capacity * this.#stateFloats),
      integersIn: new BigInt64Array(capacity * this.#stateIntegers),
      integersOut: new BigInt64Array(capacity * this.#stateIntegers),
    };
    this.#capacity = capacity;
    this.#tensors = [];
    return this.#buffers;
  }

  #tensorsFor(batch: number, buffers: Buffers): BatchTensors {
    const { features, output, windowFrames } = this.shape;
    const frames = this.#outputFrames;
    const width = this.#outputWidth;
    const floats = (data: Float32Array, dims: readonly number[], offset = 0): Tensor =>
      new Tensor('float32', data.subarray(offset, offset + dims.reduce((all, dim) => all * dim, 1)), dims);
    const integers = (data: BigInt64Array, dims: readonly number[], offset: number): Tensor =>
      new Tensor('int64', data.subarray(offset, offset + dims.reduce((all, dim) => all * dim, 1)), dims);
    const outputOnly = { [output]: floats(buffers.output, [batch, frames, width]) };
    const feeds: Record<string, Tensor> = {
      [features]: floats(buffers.features, [batch, windowFrames, MEL_BINS]),
    };
    const fetches: Record<string, Tensor> = { ...outputOnly };
    for (const { tensor, offset } of this.#placed) {
      const dims = dimsOf(tensor, batch);
      const isFloat = tensor.type === 'float32';
      feeds[tensor.input] = isFloat
        ? floats(buffers.floatsIn, dims, batch * offset)
        : integers(buffers.integersIn, dims, batch * offset);
      fetches[tensor.output] = isFloat
        ? floats(buffers.floatsOut, dims, batch * offset)
        : integers(buffers.integersOut, dims, batch * offset);
    }
    return { feeds, fetches, outputOnly };
  }

  #gather(state: EncoderState, row: number, { buffers, batch }: { buffers: Buffers; batch: number }): void {
    if (batch === 1) {
      // Then a batch lies in memory as a stream does.
      buffers.floatsIn.set(state.floats);
      buffers.integersIn.set(state.integers);
      return;
    }
    for (const { tensor, offset } of this.#placed) {
      const { runs, runLength } = tensor;
      for (let run = 0; run < runs; run++) {
        const from = offset + run * runLength;
        const to = batch * offset + (run * batch + row) * runLength;
        if (tensor.type === 'float32')
          buffers.floatsIn.set(state.floats.subarray(from, from + runLength), to);
        else buffers.integersIn.set(state.integers.subarray(from, from + runLength), to);
      }
    }
  }

  #scatter(state: EncoderState, row: number, { buffers, batch }: { buffers: Buffers; batch: number }): void {
    if (batch === 1) {
      state.floats.set(buffers.floatsOut.subarray(0, this.#stateFloats));
      state.integers.set(buffers.integersOut.subarray(0, this.#stateIntegers));
      return;
    }
    for (const { tensor, offset } of this.#placed) {
      const { runs, runLength } = tensor;
      for (let run = 0; run < runs; run++) {
        const to = offset + run * runLength;
        const from = batch * offset + (run * batch + row) * runLength;
        if (tensor.type === 'float32')
          state.floats.set(buffers.floatsOut.subarray(from, from + runLength), to);
        else state.integers.set(buffers.integersOut.subarray(from, from + runLength), to);
      }
    }
  }
}

/** The first so many: one that is infinite or no number makes the sum so. */
function areFinite(values: Float32Array, count: number): boolean {
  let sum = 0;
  for (let at = 0; at < count; at++) sum += values[at] ?? 0;
  return Number.isFinite(sum);
}

const dimsOf = ({ dims, batchAxis }: Pick<StateTensor, 'dims' | 'batchAxis'>, batch: number): number[] =>
  dims.map((dim, axis) => (axis === batchAxis ? batch : dim));
