/** What the encoder remembers of one stream: the values of all its state tensors, one after the other. */
export class EncoderState {
  readonly floats: Float32Array;
  readonly integers: BigInt64Array;

  constructor(floats: number, integers: number) {
    this.floats = new Float32Array(floats);
    this.integers = new BigInt64Array(integers);
  }

  /** As of a stream that has heard nothing. */
  clear(): void {
    this.floats.fill(0);
    this.integers.fill(0n);
  }

  /** Goes on from values that were saved. Throws when they are those of another model. */
  restore({ floats, integers }: Pick<EncoderState, 'floats' | 'integers'>): void {
    if (floats.length !== this.floats.length || integers.length !== this.integers.length)
      throw new Error('the state was saved with another model');
    this.floats.set(floats);
    this.integers.set(integers);
  }
}
