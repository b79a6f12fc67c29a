/** What the encoder remembers of one stream: the values of all its state tensors, one after the other. */
export class EncoderState {
  readonly floats: Float32Array;
  readonly integers: BigInt64Array;

  constructor(floats: number, integers: number) {
    this.floats = new Float32Array(floats);
    this.integers = new BigInt64Array(integers);
  }
}
