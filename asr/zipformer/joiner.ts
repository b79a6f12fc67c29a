import { type InferenceSession, Tensor } from '../onnx-runtime.js';
import { asTensor, ModelRefused, shapeText } from './encoder-shape.js';
import { floatsOf } from './predictor.js';

/** Scores every token for pairs of an encoder frame and a predictor row. */
export class Joiner {
  readonly vocabularySize: number;
  /** False when a row's scores depend on the rows beside it, because activations are quantised over the whole call. */
  readonly isBatchable: boolean;
  readonly #session: InferenceSession;
  readonly #width: number;
  readonly #output: string;
  readonly #inputs: readonly [string, string];
  #encoderRows = new Float32Array(0);
  #predictorRows = new Float32Array(0);
  #scores = new Float32Array(0);
  #rows = 0;

  private constructor(
    session: InferenceSession,
    shape: { width: number; vocabularySize: number; isBatchable: boolean },
  ) {
    this.#session = session;
    this.vocabularySize = shape.vocabularySize;
    this.isBatchable = shape.isBatchable;
    this.#width = shape.width;
    this.#inputs = [session.inputNames[0] ?? '', session.inputNames[1] ?? ''];
    this.#output = session.outputNames[0] ?? '';
  }

  /** Throws `ModelRefused` when it does not fit encoder and predictor, whose rows have `width` values. */
  static async create(
    session: InferenceSession,
    { width, isBatchable }: { width: number; isBatchable: boolean },
  ): Promise<Joiner> {
    const inputs = session.inputMetadata.map(asTensor);
    if (inputs.length !== 2) throw new ModelRefused(`the joiner has ${inputs.length} inputs and not 2`);
    const misfit = inputs.find(
      ({ shape }) => shape.length !== 2 || shape[1] !== width || typeof shape[0] === 'number',
    );
    if (misfit)
      throw new ModelRefused(
        `the joiner takes ${shapeText(misfit)}, encoder and decoder give rows of ${width}`,
      );
    const row = (): Tensor => new Tensor('float32', new Float32Array(width), [1, width]);
    const feeds = Object.fromEntries(inputs.map(({ name }) => [name, row()]));
    const output = (await session.run(feeds))[session.outputNames[0] ?? ''];
    const vocabularySize = output?.dims.at(-1);
    if (output?.type !== 'float32' || vocabularySize === undefined || output.size !== vocabularySize)
      throw new ModelRefused('the joiner does not give one row of floats');
    return new Joiner(session, { width, vocabularySize, isBatchable });
  }

  /** Begins a call of at most `rows` rows. */
  begin(rows: number): void {
    this.#rows = 0;
    if (rows * this.#width <= this.#encoderRows.length) return;
    this.#encoderRows = new Float32Array(rows * this.#width);
    this.#predictorRows = new Float32Array(rows * this.#width);
    this.#scores = new Float32Array(rows * this.vocabularySize);
  }

  /** Adds a pair; both rows have `width` values, the encoder's from `offset` on. */
  add(encoderOutput: Float32Array, offset: number, predictorRow: Float32Array): void {
    this.#encoderRows.set(encoderOutput.subarray(offset, offset + this.#width), this.#rows * this.#width);
    this.#predictorRows.set(predictorRow, this.#rows * this.#width);
    this.#rows += 1;
  }

  /** Scores of all pairs added, `vocabularySize` a row. Holds until the next `begin`. */
  async run(): Promise<Float32Array> {
    const length = this.#rows * this.#width;
    const dims = [this.#rows, this.#width];
    const scores = this.#scores.subarray(0, this.#rows * this.vocabularySize);
    const results = await this.#session.run(
      {
        [this.#inputs[0]]: new Tensor('float32', this.#encoderRows.subarray(0, length), dims),
        [this.#inputs[1]]: new Tensor('float32', this.#predictorRows.subarray(0, length), dims),
      },
      { [this.#output]: new Tensor('float32', scores, [this.#rows, this.vocabularySize]) },
    );
    return floatsOf(results[this.#output]);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
