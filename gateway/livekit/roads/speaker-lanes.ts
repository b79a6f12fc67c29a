import type { ParticipantIdentity } from '../../../protocol/index.js';
import { type LaneOptions, type LaneQueue, SendLane } from './send-lane.js';

export interface SpeakerLanesOptions<Item, Queue extends LaneQueue<Item>> extends Omit<
  LaneOptions<Item>,
  'queue' | 'rested'
> {
  readonly newQueue: () => Queue;
}

/** A lane for every speaker of whom something waits, so that speakers do not wait for each other. */
export class SpeakerLanes<Item, Queue extends LaneQueue<Item>> {
  readonly #options: SpeakerLanesOptions<Item, Queue>;
  readonly #lanes = new Map<ParticipantIdentity, { readonly queue: Queue; readonly lane: SendLane<Item> }>();
  #isClosed = false;

  constructor(options: SpeakerLanesOptions<Item, Queue>) {
    this.#options = options;
  }

  /** Lets `put` add to what waits of a speaker. */
  add(speaker: ParticipantIdentity, put: (queue: Queue) => void): void {
    if (this.#isClosed) return;
    const entry = this.#lanes.get(speaker) ?? this.#open(speaker);
    put(entry.queue);
    entry.lane.wake();
  }

  /** How many items wait, of all speakers. */
  get waiting(): number {
    let sum = 0;
    for (const { queue } of this.#lanes.values()) sum += queue.size;
    return sum;
  }

  /** Somebody reads again. */
  wake(): void {
    for (const { lane } of this.#lanes.values()) lane.wake();
  }

  async rest(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ lane }) => lane.rest()));
  }

  close(): void {
    this.#isClosed = true;
    for (const { lane } of this.#lanes.values()) lane.close();
    this.#lanes.clear();
  }

  #open(speaker: ParticipantIdentity): { readonly queue: Queue; readonly lane: SendLane<Item> } {
    const queue = this.#options.newQueue();
    const lane = new SendLane<Item>({
      ...this.#options,
      queue,
      rested: () => {
        if (queue.size === 0) this.#lanes.delete(speaker);
      },
    });
    const entry = { queue, lane };
    this.#lanes.set(speaker, entry);
    return entry;
  }
}
