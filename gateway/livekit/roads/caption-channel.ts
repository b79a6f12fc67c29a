import { detached } from '../../../asr/detached.js';
import {
  type CaptionMessage,
  CAPTIONS_TOPIC,
  decodeMessage,
  errorMessage,
  type ParticipantIdentity,
} from '../../../protocol/index.js';
import { extentOf, type HistoryStart } from '../../rooms/room-history.js';
import type { DataPacket } from '../room-outlet.js';
import { CaptionQueue, type WaitingCaption } from './caption-queue.js';
import { packetRecipients, recipientGroups, within } from './readers.js';
import type { RoadContext } from './road.js';
import { SendLane } from './send-lane.js';

/** Who asks for snapshots more often is answered at this interval, as viewers on WebSockets are. */
const MIN_SNAPSHOT_INTERVAL_MS = 250;
/** The same for those whom LiveKit does not name: its server is asked who they may be. */
const MIN_QUESTION_INTERVAL_MS = 1000;

/**
 * LiveKit tells of people who publish nothing up to 3 s late (livekit, rtc/room.go, subscriberUpdateInterval): who asks reads,
 * also where nobody is known to.
 */
const ASKER_READS_MS = 5000;

type Asker = ParticipantIdentity | 'nobody known';

/**
 * Our contract on the data channel: every message to everybody, and snapshots to those who join late, ask, or were cut off.
 * One lane for the room, because its messages are in one order.
 */
export class CaptionChannel {
  readonly #context: RoadContext;
  readonly #queue: CaptionQueue;
  readonly #lane: SendLane<WaitingCaption>;
  /** Monotonic: somebody asked. */
  #isReadUntilMs = 0;
  /** Who was answered just now, and has to wait for another answer. */
  readonly #answered = new Map<Asker, { asksAgain: boolean; readonly timer: NodeJS.Timeout }>();

  constructor(context: RoadContext) {
    this.#context = context;
    this.#queue = new CaptionQueue(context.observe);
    const { outlet, observe, log } = context;
    this.#lane = new SendLane({
      queue: this.#queue,
      send: (item) => this.#send(item),
      outlet,
      isWanted: () => outlet.readerCount > 0 || performance.now() < this.#isReadUntilMs,
      observe,
      log,
    });
  }

  /** How much waits to be sent. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** One more message; the room's state contains it. */
  tell(bytes: Uint8Array): void {
    this.#queue.addMessage(bytes);
    this.#lane.wake();
  }

  /** In place of what waits. */
  tellAll(): void {
    this.#queue.addSnapshotForAll();
    this.#lane.wake();
  }

  joined(identity: ParticipantIdentity): void {
    const { room, readers } = this.#context;
    const sentThroughSeq = room.state.seq - this.#queue.size;
    // What waits goes to everybody: where it is not for them, each is sent what is theirs in its place.
    if (sentThroughSeq < readers.since(identity).endedAfterSeq) this.#queue.addSnapshotForAll();
    else this.#queue.addSnapshot(identity);
    this.#lane.wake();
  }

  left(identity: ParticipantIdentity): void {
    this.#queue.left(identity);
    this.#forget(identity);
  }

  /** Anybody in the room can send on the topic. */
  received(from: ParticipantIdentity | undefined, bytes: Uint8Array): void {
    const message = this.#decode(bytes);
    const { room } = this.#context;
    if (message === undefined || !('room' in message) || message.room !== room.name) return;
    // Of those who are not known, one could report in the name of many.
    if (message.kind === 'shown' && message.epochMs === room.epochMs && from !== undefined)
      room.latency?.acknowledged(message.seq, from);
    if (message.kind === 'resync') this.#resync(from);
  }

  #resync(from: ParticipantIdentity | undefined): void {
    const { outlet, observe } = this.#context;
    observe('resync');
    // Who may not subscribe is not told what is said for asking, either.
    if (from !== undefined && outlet.audience !== 'everybody' && !outlet.audience.includes(from)) return;
    this.#isReadUntilMs = performance.now() + ASKER_READS_MS;
    const asker = from ?? 'nobody known';
    const before = this.#answered.get(asker);
    if (before === undefined) this.#answer(asker);
    else before.asksAgain = true;
  }

  flushed(): Promise<void> {
    return this.#lane.rest();
  }

  close(): void {
    for (const asker of [...this.#answered.keys()]) this.#forget(asker);
    this.#lane.close();
  }

  #decode(bytes: Uint8Array): CaptionMessage | undefined {
    try {
      return decodeMessage(bytes);
    } catch {
      this.#context.observe('undecodable');
      return undefined;
    }
  }

  #answer(asker: Asker): void {
    if (asker === 'nobody known') detached('answering a newcomer', this.#answerNewcomers());
    else this.#queue.addSnapshot(asker);
    const intervalMs = asker === 'nobody known' ? MIN_QUESTION_INTERVAL_MS : MIN_SNAPSHOT_INTERVAL_MS;
    const timer = setTimeout(() => this.#intervalIsOver(asker), intervalMs);
    timer.unref();
    this.#answered.set(asker, { asksAgain: false, timer });
    this.#lane.wake();
  }

  /** Whoever asks without being known is among those whom LiveKit has not told us of. Never rejects. */
  async #answerNewcomers(): Promise<void> {
    const { outlet, log } = this.#context;
    try {
      for (const identity of await outlet.newcomers()) this.#queue.addSnapshot(identity);
      this.#lane.wake();
    } catch (error) {
      // They ask again.
      log.debug({ error: errorMessage(error) }, 'who asks for a snapshot is not known');
    }
  }

  #intervalIsOver(asker: Asker): void {
    const asksAgain = this.#answered.get(asker)?.asksAgain ?? false;
    this.#forget(asker);
    if (asksAgain) this.#answer(asker);
  }

  #forget(asker: Asker): void {
    clearTimeout(this.#answered.get(asker)?.timer);
    this.#answered.delete(asker);
  }

  async #send(item: WaitingCaption): Promise<void> {
    const { outlet, observe } = this.#context;
    if (item.kind === 'message') {
      for (const packet of this.#packets([item.bytes], packetRecipients(outlet.audience)))
        await outlet.sendData(packet);
      return;
    }
    // All packets are made before the first is sent: the parts of a snapshot are of one moment.
    for (const packet of this.#snapshotPackets(item.to)) await outlet.sendData(packet);
    observe('snapshot');
  }

  /** To each what they may see; those who may see the same share their packets. */
  #snapshotPackets(to: 'everybody' | ReadonlySet<ParticipantIdentity>): DataPacket[] {
    const { room, readers, outlet } = this.#context;
    const { audience } = outlet;
    const groups = new Map<string, { readonly since: HistoryStart; readonly to: ParticipantIdentity[] }>();
    for (const identity of within(audience, to === 'everybody' ? readers.identities : to)) {
      const since = readers.since(identity);
      const extent = extentOf(room.stateFor(since));
      const group = groups.get(extent);
      if (group === undefined) groups.set(extent, { since, to: [identity] });
      else group.to.push(identity);
    }
    // Who is not announced yet is told with the others only what anybody may see who comes now.
    const [extent = extentOf(room.stateFor(room.historyStart)), ...others] = groups.keys();
    if (to === 'everybody' && others.length === 0 && extent === extentOf(room.stateFor(room.historyStart)))
      return this.#packets(room.snapshotFor(room.historyStart), packetRecipients(audience));
    return [...groups.values()].flatMap((group) =>
      this.#packets(room.snapshotFor(group.since), recipientGroups(group.to)),
    );
  }

  /** Each message is signed once, however many packets it takes. */
  #packets(
    messages: readonly Uint8Array[],
    recipients: readonly (readonly ParticipantIdentity[] | undefined)[],
  ): DataPacket[] {
    if (recipients.length === 0) return [];
    const { key } = this.#context.outlet;
    const signed = messages.map((bytes) => key?.signMessage(bytes) ?? bytes);
    return recipients.flatMap((to) =>
      signed.map((bytes) => ({ topic: CAPTIONS_TOPIC, bytes, ...(to === undefined ? {} : { to }) })),
    );
  }
}
