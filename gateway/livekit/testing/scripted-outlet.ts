/** A LiveKit room whose connection does what a test says. */
import { CaptionError, type ParticipantIdentity } from '../../../protocol/index.js';
import type { RoomKey } from '../signing/room-key.js';
import type { Audience, DataPacket, RoomOutlet, TextStream, TranscriptionPacket } from '../room-outlet.js';

export type Sending =
  | { readonly kind: 'data'; readonly packet: DataPacket }
  | { readonly kind: 'stream'; readonly stream: TextStream }
  | { readonly kind: 'transcription'; readonly packet: TranscriptionPacket };

interface Pending {
  readonly sending: Sending;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export const away = (): CaptionError => new CaptionError('livekit_disconnected', 'away', { retryable: true });

export class ScriptedOutlet implements RoomOutlet {
  isEncrypted = false;
  readerCount = 1;
  audience: Audience = 'everybody';
  isSomebodyKeptOut = false;
  key: RoomKey | undefined;
  /** Who is in the room without being known to be; undefined: the server does not answer. */
  unannounced: readonly ParticipantIdentity[] | undefined = [];
  isConnected = true;
  /** Whether sendings are taken at once; else they are `pending` until the test settles them. */
  isQuick = true;
  /** What reached the room, in order. */
  readonly delivered: Sending[] = [];
  readonly pending: Pending[] = [];
  /** The most that were pending at a time. */
  mostPending = 0;
  #waiters: Waiter[] = [];

  get dataPackets(): readonly DataPacket[] {
    return this.delivered.flatMap((sending) => (sending.kind === 'data' ? [sending.packet] : []));
  }

  get streams(): readonly TextStream[] {
    return this.delivered.flatMap((sending) => (sending.kind === 'stream' ? [sending.stream] : []));
  }

  get transcriptions(): readonly TranscriptionPacket[] {
    return this.delivered.flatMap((sending) => (sending.kind === 'transcription' ? [sending.packet] : []));
  }

  newcomers(): Promise<readonly ParticipantIdentity[]> {
    return this.unannounced === undefined ? Promise.reject(away()) : Promise.resolve(this.unannounced);
  }

  async connected(): Promise<void> {
    if (this.isConnected) return;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  sendData(packet: DataPacket): Promise<void> {
    return this.#send({ kind: 'data', packet: { ...packet, bytes: packet.bytes.slice() } });
  }

  sendTextStream(stream: TextStream): Promise<void> {
    return this.#send({ kind: 'stream', stream });
  }

  sendTranscription(packet: TranscriptionPacket): Promise<void> {
    return this.#send({ kind: 'transcription', packet });
  }

  /** Takes the oldest that is pending. */
  takeOne(): void {
    const pending = this.pending.shift();
    if (pending === undefined) return;
    this.delivered.push(pending.sending);
    pending.resolve();
  }

  /** From now on everything is taken at once, and what is pending now. */
  becomeQuick(): void {
    this.isQuick = true;
    while (this.pending.length > 0) this.takeOne();
  }

  /** Fails the oldest that is pending; it may have reached the room all the same. */
  failOne(options: { error?: unknown; isDelivered?: boolean } = {}): void {
    const pending = this.pending.shift();
    if (pending === undefined) return;
    if (options.isDelivered === true) this.delivered.push(pending.sending);
    pending.reject(options.error ?? away());
  }

  disconnect(options: { isDelivered?: boolean } = {}): void {
    this.isConnected = false;
    while (this.pending.length > 0) this.failOne(options);
  }

  reconnect(): void {
    this.isConnected = true;
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  /** It never comes back. */
  end(): void {
    this.disconnect();
    for (const { reject } of this.#waiters.splice(0)) reject(away());
  }

  #send(sending: Sending): Promise<void> {
    if (!this.isConnected) return Promise.reject(away());
    if (this.isQuick) {
      this.delivered.push(sending);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.pending.push({ sending, resolve, reject });
      this.mostPending = Math.max(this.mostPending, this.pending.length);
    });
  }
}
