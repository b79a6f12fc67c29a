/** What a speaker's client still has of its audio, and may have to send again: the memory of `hello.resume`. */

/**
 * How much a client keeps. What is not final is at most a segment of 20 s and what recognition is behind; the rest is for the time
 * without a gateway.
 */
export const KEPT_AUDIO_MS = 60_000;

/** Audio that is sent sooner after it was spoken needs no word of when that was. */
const LIVE_MS = 1000;
/** Time between two pieces that is no accident: the speaker was muted, or the sound was interrupted. */
const PAUSE_MS = 500;

interface Piece {
  readonly firstSample: number;
  readonly pcm: Int16Array;
  /** When its first sample was spoken, by `now`. */
  readonly spokenAtMs: number;
}

/** Audio that was spoken without a pause. */
export interface KeptRun {
  /** How long ago it began: what `spoken` says before it. Undefined for what is as good as live. */
  readonly behindMs: number | undefined;
  readonly pcm: readonly Int16Array[];
}

export interface KeptAudioOptions {
  readonly sampleRateHz: number;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
}

/**
 * One speaker's audio that is not known to be final, at most `KEPT_AUDIO_MS` of it, whatever streams and connections it goes over.
 * Above the bound the oldest goes.
 */
export class KeptAudio {
  readonly #options: KeptAudioOptions;
  readonly #maxSamples: number;
  #pieces: Piece[] = [];
  #nextSample = 0;
  #stream: string | undefined;
  #receivedThroughSample = 0;
  /** Undefined until a gateway says so: older ones never do. */
  #finalThroughSample: number | undefined;
  #isEndSent = false;

  constructor(options: KeptAudioOptions) {
    this.#options = options;
    this.#maxSamples = (KEPT_AUDIO_MS * options.sampleRateHz) / 1000;
  }

  /** One more piece, spoken until now; it is not copied. */
  add(pcm: Int16Array): void {
    const spokenAtMs = this.#options.now() - this.#durationMs(pcm.length);
    this.#pieces.push({ firstSample: this.#nextSample, pcm, spokenAtMs });
    this.#nextSample += pcm.length;
    const oldestKept = this.#nextSample - this.#maxSamples;
    this.#forget(({ firstSample }) => firstSample < oldestKept);
  }

  /** For the next hello; undefined where no stream was begun. */
  get resume(): { readonly stream: string; readonly fromSample: number } | undefined {
    if (this.#stream === undefined) return undefined;
    return { stream: this.#stream, fromSample: this.#pieces[0]?.firstSample ?? this.#nextSample };
  }

  acknowledged(ack: { readonly receivedThroughSample: number; readonly finalThroughSample?: number }): void {
    this.#receivedThroughSample = ack.receivedThroughSample;
    this.#final(ack.finalThroughSample);
  }

  /** `end` was sent after everything so far. */
  endSent(): void {
    this.#isEndSent = true;
  }

  /** What is to be sent after this `welcome`. */
  welcomed(welcome: {
    readonly stream: string;
    readonly expectSample: number;
    readonly finalThroughSample?: number;
  }): KeptRun[] {
    this.#final(welcome.finalThroughSample);
    if (this.#stream !== welcome.stream) this.#beginStream();
    this.#stream = welcome.stream;
    return this.#runsFrom(welcome.expectSample);
  }

  #final(throughSample: number | undefined): void {
    if (throughSample === undefined) return;
    this.#finalThroughSample = Math.max(throughSample, this.#finalThroughSample ?? 0);
    this.#forget(({ firstSample, pcm }) => firstSample + pcm.length <= throughSample);
  }

  #forget(isOver: (piece: Piece) => boolean): void {
    const kept = this.#pieces.findIndex((piece) => !isOver(piece));
    this.#pieces.splice(0, kept === -1 ? this.#pieces.length : kept);
  }

  /**
   * What the former gateway had not made final begins a new stream. One that does not say what is final is taken for the same
   * gateway, which finishes a stream with all that it had heard: everything when it heard the end.
   */
  #beginStream(): void {
    const heardThrough = this.#isEndSent ? this.#nextSample : this.#receivedThroughSample;
    const from = Math.min(this.#finalThroughSample ?? heardThrough, this.#nextSample);
    const first = Math.max(from, this.#pieces[0]?.firstSample ?? from);
    this.#pieces = this.#pieces
      .filter(({ firstSample, pcm }) => firstSample + pcm.length > first)
      .map((piece) => this.#cutAt(piece, first))
      .map((piece) => ({ ...piece, firstSample: piece.firstSample - first }));
    this.#nextSample -= first;
    this.#receivedThroughSample = 0;
    this.#finalThroughSample = this.#finalThroughSample === undefined ? undefined : 0;
    this.#isEndSent = false;
  }

  #runsFrom(sample: number): KeptRun[] {
    const runs: { firstMs: number; pcm: Int16Array[] }[] = [];
    let endMs = -Infinity;
    for (const kept of this.#pieces) {
      if (kept.firstSample + kept.pcm.length <= sample) continue;
      const { pcm, spokenAtMs } = this.#cutAt(kept, sample);
      if (spokenAtMs - endMs > PAUSE_MS) runs.push({ firstMs: spokenAtMs, pcm: [] });
      runs.at(-1)?.pcm.push(pcm);
      endMs = spokenAtMs + this.#durationMs(pcm.length);
    }
    const nowMs = this.#options.now();
    const isLive = nowMs - (runs[0]?.firstMs ?? nowMs) < LIVE_MS;
    return runs.map(({ firstMs, pcm }) => ({
      behindMs: isLive ? undefined : Math.max(0, Math.round(nowMs - firstMs)),
      pcm,
    }));
  }

  /** Without what lies before `sample`. */
  #cutAt(piece: Piece, sample: number): Piece {
    const before = Math.max(0, sample - piece.firstSample);
    if (before === 0) return piece;
    return {
      firstSample: sample,
      pcm: piece.pcm.subarray(before),
      spokenAtMs: piece.spokenAtMs + this.#durationMs(before),
    };
  }

  #durationMs(samples: number): number {
    return (samples * 1000) / this.#options.sampleRateHz;
  }
}
