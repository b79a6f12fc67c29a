import { CaptionError, type ParticipantIdentity } from '../../../protocol/index.js';
import type { RoomKey } from '../signing/room-key.js';
import type { RoomKeyRing } from '../signing/room-key-ring.js';
import type { Audience, DataPacket, RoomOutlet, TextStream, TranscriptionPacket } from '../room-outlet.js';
import { RoomAudience, type RoomAudienceOptions } from './room-audience.js';
import type { RtcRoom } from './rtc-room.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: CaptionError) => void;
}

/** The outlet of a captioner, over however many connections: what is told meanwhile waits for the next one. */
export class SwitchedOutlet implements RoomOutlet {
  readonly #keys: Pick<RoomKeyRing, 'key'>;
  readonly #listParticipants: RoomAudienceOptions['listParticipants'];
  #room: RtcRoom | undefined;
  #audience: RoomAudience | undefined;
  #isOver = false;
  readonly #waiting: Waiting[] = [];

  constructor(options: {
    keys: Pick<RoomKeyRing, 'key'>;
    listParticipants: RoomAudienceOptions['listParticipants'];
  }) {
    this.#keys = options.keys;
    this.#listParticipants = options.listParticipants;
  }

  get key(): RoomKey | undefined {
    return this.#keys.key;
  }

  get audience(): Audience {
    return this.#audience?.audience ?? [];
  }

  get isSomebodyKeptOut(): boolean {
    return this.#audience?.isSomebodyKeptOut ?? false;
  }

  async newcomers(): Promise<readonly ParticipantIdentity[]> {
    return (await this.#audience?.newcomers()) ?? [];
  }

  get isEncrypted(): boolean {
    return this.#room?.isEncrypted ?? false;
  }

  get readerCount(): number {
    return this.#room?.readerCount ?? 0;
  }

  get isConnected(): boolean {
    return this.#room?.isConnected ?? false;
  }

  /** The connection is this one, and is there. */
  connect(room: RtcRoom): void {
    if (room !== this.#room)
      this.#audience = new RoomAudience({ rtc: room, listParticipants: this.#listParticipants });
    this.#room = room;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** No further connection comes. */
  end(): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.splice(0)) reject(away());
  }

  connected(): Promise<void> {
    if (this.#isOver) return Promise.reject(away());
    if (this.isConnected) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  sendData(packet: DataPacket): Promise<void> {
    return this.#room?.sendData(packet) ?? Promise.reject(away());
  }

  sendTextStream(stream: TextStream): Promise<void> {
    return this.#room?.sendTextStream(stream) ?? Promise.reject(away());
  }

  sendTranscription(packet: TranscriptionPacket): Promise<void> {
    return this.#room?.sendTranscription(packet) ?? Promise.reject(away());
  }
}

const away = (): CaptionError =>
  new CaptionError('livekit_disconnected', 'The connection to the LiveKit room is away.', {
    retryable: true,
  });
