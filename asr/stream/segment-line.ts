import type { Hypothesis } from '../token.js';
import type { Segment } from './segment.js';

/** A final that came before that of an earlier segment. */
interface HeldFinal {
  readonly hypothesis: Hypothesis;
  readonly punctuatedText: string | undefined;
}

/** The segments of one stream whose final has not come, oldest first: viewers see finals in the order of speech. */
export class SegmentLine {
  #segments: Segment[] = [];
  readonly #held = new Map<Segment, HeldFinal>();

  get oldest(): Segment | undefined {
    return this.#segments[0];
  }

  get length(): number {
    return this.#segments.length;
  }

  /** Audio that was given to recognition and is not decoded. */
  get backlogSamples(): number {
    let samples = 0;
    for (const { utterance } of this.#segments) {
      if (utterance !== undefined) samples += utterance.endSample - utterance.decodedThroughSample;
    }
    return samples;
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** Its final waits for those before it. */
  hold(segment: Segment, final: HeldFinal): void {
    this.#held.set(segment, final);
  }

  /** Done with a segment. The final of the one that is the oldest now, if it has come. */
  settle(segment: Segment): { readonly segment: Segment; readonly final: HeldFinal } | undefined {
    this.#segments = this.#segments.filter((open) => open !== segment);
    this.#held.delete(segment);
    const next = this.oldest;
    const final = next === undefined ? undefined : this.#held.get(next);
    return next === undefined || final === undefined ? undefined : { segment: next, final };
  }

  /** Nothing of them is wanted any more. */
  cancel(): void {
    for (const segment of this.#segments) segment.utterance?.cancel();
    this.#segments = [];
    this.#held.clear();
  }
}
