import type { EncoderState } from './encoder-state.js';

/** More are left to the garbage collector: when many people fall silent at once, their memory is given back. */
const MAX_SPARE_STATES = 8;

/**
 * Encoder states for streams to come, made of those that have ended. A state is 350 kB that outlives the young generation, so
 * it would wait for a full collection: 40 people who talk left 4 MB of them a second.
 */
export class EncoderStates {
  readonly #create: () => EncoderState;
  #spare: EncoderState[] = [];
  /** A call under way may still write into them. */
  #left: EncoderState[] = [];

  constructor(create: () => EncoderState) {
    this.#create = create;
  }

  /** Of a stream that has heard nothing. */
  take(): EncoderState {
    const state = this.#spare.pop();
    state?.clear();
    return state ?? this.#create();
  }

  /** Its stream has ended. It serves no other before `callEnded`. */
  leave(state: EncoderState): void {
    if (this.#spare.length + this.#left.length < MAX_SPARE_STATES) this.#left.push(state);
  }

  callEnded(): void {
    this.#spare.push(...this.#left.splice(0));
  }
}
