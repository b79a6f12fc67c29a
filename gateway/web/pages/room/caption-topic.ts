/** The contract on the data channel of a room: messages in, and requests for a snapshot out while something is missing. */
import {
  applyMessage,
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  resyncMessage,
  type RoomName,
} from '../../../../protocol/index.js';

/** See protocol/README.md, "After loss". */
const RESYNC_AFTER_MS = 500;
/** An unanswered request is repeated, less and less often: perhaps nobody captions the room. */
const FIRST_REPEAT_MS = 1000;
const LAST_REPEAT_MS = 10_000;

export interface CaptionTopicOptions {
  readonly room: RoomName;
  /** Never called with a state in which nothing is known. */
  readonly changed: (state: CaptionState) => void;
  /** Sends a request; one that is lost is repeated. */
  readonly ask: (bytes: Uint8Array<ArrayBuffer>) => void;
}

export class CaptionTopic {
  readonly #options: CaptionTopicOptions;
  #state: CaptionState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #repeatMs = FIRST_REPEAT_MS;

  constructor(options: CaptionTopicOptions) {
    this.#options = options;
    this.#state = initialState(options.room);
  }

  /** What cannot be read is left aside: anybody in a room can send on the topic. */
  receive(bytes: Uint8Array): void {
    let message: CaptionMessage | undefined;
    try {
      message = decodeMessage(bytes);
    } catch {
      return;
    }
    const next = message === undefined ? this.#state : applyMessage(this.#state, message);
    const isNews = next !== this.#state;
    this.#state = next;
    if (!next.needsResync) this.#nothingMissing();
    else this.#timer ??= setTimeout(() => this.ask(), RESYNC_AFTER_MS);
    if (isNews && next.epochMs !== 0) this.#options.changed(next);
  }

  /** Asks for a snapshot now, and again until nothing is missing. */
  ask(): void {
    this.#options.ask(new Uint8Array(encodeMessage(resyncMessage(this.#state))));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#state.needsResync) this.ask();
    }, this.#repeatMs);
    this.#repeatMs = Math.min(2 * this.#repeatMs, LAST_REPEAT_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #nothingMissing(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#repeatMs = FIRST_REPEAT_MS;
  }
}
