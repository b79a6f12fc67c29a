import type { ParticipantIdentity, SegmentState } from '../../../protocol/index.js';
import type { TextStream } from '../room-outlet.js';
import { recipientGroups, within } from './readers.js';
import { signedStream } from './signed-stream.js';
import { type RoadContext, textOf } from './road.js';
import { type LaneQueue, SendLane } from './send-lane.js';

/** Three packets each. */
const HISTORY_SEGMENTS = 20;
/** Streams have no resync, so they wait until a client has probably registered its handler; those who come together share them. */
const HISTORY_DELAY_MS = 1000;
const MAX_WAITING_SEGMENTS = 100;

interface WaitingFinal {
  readonly final: SegmentState;
  readonly to: Set<ParticipantIdentity>;
}

/** The last finals, for those who come late and for nobody else. Receivers know them by segment id: twice is as good as once. */
export class TranscriptionHistory {
  readonly #context: RoadContext;
  readonly #queue: FinalsQueue;
  readonly #lane: SendLane<WaitingFinal>;
  readonly #newcomers = new Set<ParticipantIdentity>();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: RoadContext, streamOf: (segment: SegmentState, text: string) => TextStream) {
    this.#context = context;
    const { outlet, observe, log } = context;
    this.#queue = new FinalsQueue(() => observe('dropped'));
    this.#lane = new SendLane({
      queue: this.#queue,
      send: async ({ final, to }) => {
        const { segment, isFinal } = final;
        const whole = streamOf(final, textOf(final.words));
        const stream = signedStream(context, { segment, isFinal, stream: whole });
        for (const group of recipientGroups(within(outlet.audience, to)))
          await outlet.sendTextStream({ ...stream, to: group });
      },
      outlet,
      isWanted: () => outlet.readerCount > 0,
      observe,
      log,
    });
  }

  get waiting(): number {
    return this.#queue.size;
  }

  joined(identity: ParticipantIdentity): void {
    if (this.#finalsFor(identity).length === 0) return;
    this.#newcomers.add(identity);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#show(), HISTORY_DELAY_MS);
    this.#timer.unref();
  }

  left(identity: ParticipantIdentity): void {
    this.#newcomers.delete(identity);
    this.#queue.left(identity);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#lane.close();
  }

  #show(): void {
    this.#timer = undefined;
    const recipients = new Map<SegmentState, Set<ParticipantIdentity>>();
    for (const identity of this.#newcomers) {
      for (const final of this.#finalsFor(identity)) {
        const known = recipients.get(final);
        if (known === undefined) recipients.set(final, new Set([identity]));
        else known.add(identity);
      }
    }
    for (const final of this.#context.room.state.finals) {
      const entitled = recipients.get(final);
      if (entitled !== undefined) this.#queue.add(final, entitled);
    }
    this.#newcomers.clear();
    this.#lane.wake();
  }

  #finalsFor(identity: ParticipantIdentity): readonly SegmentState[] {
    const { room, readers } = this.#context;
    const { finals } = room.stateFor(readers.since(identity));
    return finals.filter(({ words }) => words.length > 0).slice(-HISTORY_SEGMENTS);
  }
}

/** Finals in their order, each with those who are still to be sent it. */
class FinalsQueue implements LaneQueue<WaitingFinal> {
  readonly #dropped: () => void;
  #waiting: WaitingFinal[] = [];

  constructor(dropped: () => void) {
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#waiting.length;
  }

  add(final: SegmentState, recipients: ReadonlySet<ParticipantIdentity>): void {
    const known = this.#waiting.find((waiting) => waiting.final.segment === final.segment);
    if (known === undefined) this.#waiting.push({ final, to: new Set(recipients) });
    else for (const identity of recipients) known.to.add(identity);
    if (this.#waiting.length <= MAX_WAITING_SEGMENTS) return;
    this.#waiting.shift();
    this.#dropped();
  }

  left(identity: ParticipantIdentity): void {
    for (const { to } of this.#waiting) to.delete(identity);
    this.#waiting = this.#waiting.filter(({ to }) => to.size > 0);
  }

  take(): WaitingFinal | undefined {
    return this.#waiting.shift();
  }

  putBack(item: WaitingFinal): void {
    this.#waiting.unshift(item);
  }

  lost(): void {
    // History is a courtesy.
  }

  unread(): void {
    this.clear();
  }

  clear(): void {
    this.#waiting = [];
  }
}
