import { detached } from '../../../asr/detached.js';
import { ParticipantKind, type RemoteParticipant, type Room, RoomEvent } from '@livekit/rtc-node';
import {
  CaptionKey,
  CAPTIONS_TOPIC,
  MessageVerifier,
  roomKeysIn,
  type RoomName,
} from '../../../protocol/index.js';
import { RoomKey } from '../signing/room-key.js';

export interface VerifiedCaptionsOptions {
  readonly room: Room;
  readonly name: RoomName;
  /** Of the LiveKit server: whoever has it can derive the key that gateways with the same secret sign with. */
  readonly apiSecret: string;
  /** What to do with messages that nobody has signed while no key is known. */
  readonly unverified: 'refuse' | 'show';
  /** A message of the gateway's. */
  readonly received: (bytes: Uint8Array) => void;
  /** A message that is not shown to be the gateway's: it is left aside. */
  readonly refused: () => void;
  /** Messages may have been left aside that can be verified now: to be asked for again. */
  readonly missed: () => void;
}

/** The messages in a LiveKit room that the gateway signed. Listens from the first moment; reads keys from `joined` on. `close` it. */
export class VerifiedCaptions {
  readonly #options: VerifiedCaptionsOptions;
  readonly #verifier: MessageVerifier;
  #texts = '';

  constructor(options: VerifiedCaptionsOptions) {
    this.#options = options;
    const { room, received, missed } = options;
    this.#verifier = new MessageVerifier({
      accept: received,
      refuse: (bytes) => this.#refuse(bytes),
      dropped: missed,
    });
    room.on(RoomEvent.DataReceived, (...[bytes, sender, , topic]) => {
      if (topic === CAPTIONS_TOPIC && mayBeGateway(sender)) this.#verifier.receive(bytes);
    });
    room.on(RoomEvent.RoomMetadataChanged, () => detached('reading keys', this.#readKeys()));
    room.on(RoomEvent.Reconnected, () => detached('reading keys', this.#readKeys()));
  }

  /** Resolves when what can be verified is. Never rejects. */
  async joined(): Promise<void> {
    await this.#readKeys();
  }

  /** Idempotent. */
  close(): void {
    this.#verifier.close();
  }

  async #readKeys(): Promise<void> {
    const { room, name, apiSecret, missed } = this.#options;
    const sid = await room.getSid().catch(() => '');
    const derived = sid === '' ? [] : [new RoomKey({ room: name, sid }, apiSecret).publicKey];
    const texts = [...new Set([...derived, ...roomKeysIn(room.metadata)])];
    if (texts.join() === this.#texts) return;
    const isFirst = this.#texts === '';
    this.#texts = texts.join();
    const keys = await Promise.all(texts.map((text) => CaptionKey.read(text)));
    this.#verifier.keys = keys.flatMap((key) => key ?? []);
    if (!isFirst) missed();
  }

  #refuse(bytes: Uint8Array): void {
    // A gateway that does not sign, among participants who are trusted.
    if (this.#options.unverified === 'show') this.#options.received(bytes);
    else this.#options.refused();
  }
}

/** Those of whom LiveKit has not told yet, or never does, may be: their signature decides. */
const mayBeGateway = (sender: RemoteParticipant | undefined): boolean =>
  sender === undefined || sender.kind === ParticipantKind.AGENT;
