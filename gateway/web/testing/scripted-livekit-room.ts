/** An application's `Room` of livekit-client as far as captions need it, in which a test says what comes. */
import { EventEmitter } from 'node:events';
import type { Room, TextStreamReader } from 'livekit-client';
import { CAPTIONS_TOPIC } from '../../../protocol/index.js';

/** LiveKit's enum of encryption types. */
export const UNENCRYPTED = 0;
export const ENCRYPTED = 1;

type StreamHandler = (reader: TextStreamReader, sender: { identity: string }) => void;

export interface ScriptedStream {
  readonly text: string;
  /** Empty where LiveKit names nobody. */
  readonly sender: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly encryptionType?: number;
}

export class ScriptedLiveKitRoom {
  readonly #events = new EventEmitter();
  #streams: StreamHandler | undefined;
  readonly asked: Uint8Array[] = [];
  readonly room: Room;

  constructor(options: { name: string; metadata?: string; isEncrypted?: boolean }) {
    const { name, metadata = '', isEncrypted = false } = options;
    const room = {
      name,
      metadata,
      state: 'connected',
      isE2EEEnabled: isEncrypted,
      options: isEncrypted ? { encryption: {} } : {},
      on: (event: string, listener: () => void) => {
        this.#events.on(event, listener);
        return room;
      },
      off: (event: string, listener: () => void) => {
        this.#events.off(event, listener);
        return room;
      },
      localParticipant: {
        publishData: (bytes: Uint8Array) => {
          this.asked.push(bytes);
          return Promise.resolve();
        },
      },
      registerTextStreamHandler: (_topic: string, handler: StreamHandler) => (this.#streams = handler),
      unregisterTextStreamHandler: () => (this.#streams = undefined),
      getParticipantByIdentity: () => undefined,
    };
    this.room = room as unknown as Room;
  }

  /** A data packet of somebody whom LiveKit does not name. */
  packet(bytes: Uint8Array, encryptionType = UNENCRYPTED): void {
    this.#events.emit('dataReceived', bytes, undefined, undefined, CAPTIONS_TOPIC, encryptionType);
  }

  stream({ text, sender, attributes, encryptionType = UNENCRYPTED }: ScriptedStream): void {
    const reader = {
      info: { id: 'stream', attributes, encryptionType },
      [Symbol.asyncIterator]: () => [text].values(),
    };
    this.#streams?.(reader as unknown as TextStreamReader, { identity: sender });
  }

  legacyPacket(id: string, text: string): void {
    this.#events.emit('transcriptionReceived', [{ id, text, final: true, language: 'en' }], {
      identity: 'ana',
    });
  }
}
