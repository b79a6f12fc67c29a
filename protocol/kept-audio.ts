/** What a speaker's client still has of its audio, and may have to send again: the memory of `hello.resume`. */

interface Piece {
  readonly firstSample: number;
  readonly pcm: Int16Array;
}

/** The last seconds of one speaker's audio, whatever streams and connections it goes over. Above the bound the oldest goes. */
export class KeptAudio {
  readonly #maxSamples: number;
  #pieces: Piece[] = [];
  #nextSample = 0;
  #stream: string | undefined;
  #receivedThroughSample = 0;
  #isEndSent = false;

  constructor(options: { maxSamples: number }) {
    this.#maxSamples = options.maxSamples;
  }

  /** One more piece; it is not copied. */
  add(pcm: Int16Array): void {
    this.#pieces.push({ firstSample: this.#nextSample, pcm });
    this.#nextSample += pcm.length;
    const oldestKept = this.#nextSample - this.#maxSamples;
    while ((this.#pieces[0]?.firstSample ?? oldestKept) < oldestKept) this.#pieces.shift();
  }

  /** For the next hello; undefined where no stream was begun. */
  get resume(): { readonly stream: string; readonly fromSample: number } | undefined {
    if (this.#stream === undefined) return undefined;
    return { stream: this.#stream, fromSample: this.#pieces[0]?.firstSample ?? this.#nextSample };
  }

  acknowledged(receivedThroughSample: number): void {
    this.#receivedThroughSample = receivedThroughSample;
  }

  /** `end` was sent after everything so far. */
  endSent(): void {
    this.#isEndSent = true;
  }

  /** What is to be sent after this `welcome`. */
  welcomed(stream: string, expectSample: number): Int16Array[] {
    if (this.#stream !== stream) this.#beginStream();
    this.#stream = stream;
    return this.#pieces
      .filter(({ firstSample, pcm }) => firstSample + pcm.length > expectSample)
      .map(({ firstSample, pcm }) => pcm.subarray(Math.max(0, expectSample - firstSample)));
  }

  /**
   * The gateway has finished a former stream with all that it had heard, which was everything when it heard the end.
   * What it had not heard begins a new stream.
   */
  #beginStream(): void {
    const heardThrough = this.#isEndSent ? this.#nextSample : this.#receivedThroughSample;
    this.#pieces = this.#pieces.filter(({ firstSample, pcm }) => firstSample + pcm.length > heardThrough);
    this.#receivedThroughSample = 0;
    const offset = this.#pieces[0]?.firstSample ?? this.#nextSample;
    this.#pieces = this.#pieces.map(({ firstSample, pcm }) => ({ firstSample: firstSample - offset, pcm }));
    this.#nextSample -= offset;
  }
}
