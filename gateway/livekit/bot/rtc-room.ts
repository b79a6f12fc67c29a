import {
  type DisconnectReason,
  EncryptionType,
  type RemoteParticipant,
  type RemoteTrack,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
} from '@livekit/rtc-node';
import { CaptionError, errorMessage, type ParticipantIdentity } from '../../../protocol/index.js';
import { directConnection } from '../ice-servers.js';
import { disposeParticipant, disposeRoom, disposeTrack } from '../sdk-internals.js';
import type { DataPacket, RoomOutlet, TextStream, TranscriptionPacket } from '../room-outlet.js';
import { connectError } from './connect-error.js';
import { listenToOwnEventsOnly } from './ffi-events.js';
import { canRead } from './participant-kinds.js';

const CONNECT_DEADLINE_MS = 20_000;
const DISCONNECT_DEADLINE_MS = 5000;
/** It is there when the room is, from a server that is not LiveKit's cloud. */
const SID_DEADLINE_MS = 500;

/** What happens in a room, in the SDK's own types: they do not leave this folder. Called in order, never before `connect` resolved. */
export interface RtcRoomListener {
  participantJoined(participant: RemoteParticipant): void;
  participantLeft(participant: RemoteParticipant): void;
  participantRenamed(participant: RemoteParticipant): void;
  /** What the server lets the participant do has changed: `participant.info.permission`. */
  permissionsChanged(participant: RemoteParticipant): void;
  trackPublished(publication: RemoteTrackPublication, participant: RemoteParticipant): void;
  trackUnpublished(publication: RemoteTrackPublication, participant: RemoteParticipant): void;
  trackSubscribed(
    track: RemoteTrack,
    publication: RemoteTrackPublication,
    participant: RemoteParticipant,
  ): void;
  trackUnsubscribed(publication: RemoteTrackPublication, participant: RemoteParticipant): void;
  trackMuted(trackSid: string, participantIdentity: string): void;
  trackUnmuted(trackSid: string, participantIdentity: string): void;
  dataReceived(topic: string, bytes: Uint8Array, from: RemoteParticipant | undefined): void;
  roomMetadataChanged(metadata: string): void;
  reconnecting(): void;
  reconnected(): void;
  /** The last call. Not after `close`. */
  disconnected(reason: DisconnectReason): void;
}

export interface RtcRoomOptions {
  readonly url: string;
  readonly token: string;
  /** Shared key of an encrypted room, as livekit-client's `setKey(text)` takes it. */
  readonly encryptionKey?: string | undefined;
  /** Whether the STUN and TURN servers that LiveKit names are asked, perhaps public ones. Default: no, nobody but LiveKit itself. */
  readonly asksIceServers?: boolean;
  readonly signal: AbortSignal;
}

/** One connection to a room of LiveKit. Used once; `close` leaves the room and frees what the SDK would keep. */
export class RtcRoom implements Omit<
  RoomOutlet,
  'connected' | 'audience' | 'isSomebodyKeptOut' | 'newcomers' | 'key'
> {
  readonly hasKey: boolean;
  /** Of the session of the room that was joined; empty where LiveKit has not told it yet. */
  readonly sid: string;
  readonly #room: Room;
  readonly #stopListening: () => void;
  #listener: RtcRoomListener | undefined;
  #isReconnecting = false;
  #isGone = false;
  #closing: Promise<void> | undefined;

  private constructor(room: Room, options: RtcRoomOptions & { readonly sid: string }) {
    this.#room = room;
    this.sid = options.sid;
    this.hasKey = options.encryptionKey !== undefined;
    this.#stopListening = listenToOwnEventsOnly(room, (identity, permission) => {
      const participant = room.remoteParticipants.get(identity);
      if (participant === undefined) return;
      participant.info.permission = permission;
      this.#listener?.permissionsChanged(participant);
    });
  }

  /**
   * Throws CaptionError `livekit_unauthorised`, `livekit_unreachable` (retryable), `livekit_url_invalid`, and the signal's
   * reason. Nothing is subscribed to by itself.
   */
  static async connect(options: RtcRoomOptions): Promise<RtcRoom> {
    options.signal.throwIfAborted();
    const room = new Room();
    const { encryptionKey } = options;
    const connecting = room.connect(options.url, options.token, {
      autoSubscribe: false,
      dynacast: false,
      ...(options.asksIceServers === true ? {} : { rtcConfig: directConnection() }),
      ...(encryptionKey === undefined
        ? {}
        : {
            encryption: {
              keyProviderOptions: { sharedKey: new TextEncoder().encode(encryptionKey) },
              encryptionType: EncryptionType.GCM,
            },
          }),
    });
    try {
      await withinDeadline(connecting, options.signal);
    } catch (error) {
      // The SDK cannot call an attempt off: should it succeed after all, nobody stays in the room.
      connecting.then(() => room.disconnect()).catch(() => undefined);
      options.signal.throwIfAborted();
      throw connectError(options.url, error);
    }
    return new RtcRoom(room, { ...options, sid: await sidOf(room) });
  }

  get participants(): readonly RemoteParticipant[] {
    return [...this.#room.remoteParticipants.values()];
  }

  /** The bot's own. */
  get identity(): ParticipantIdentity {
    return (this.#room.localParticipant?.identity ?? '') as ParticipantIdentity;
  }

  get metadata(): string {
    return this.#room.metadata ?? '';
  }

  get isEncrypted(): boolean {
    return this.hasKey || this.participants.some(publishesEncrypted);
  }

  get isConnected(): boolean {
    return !this.#isGone && !this.#isReconnecting && this.#room.isConnected;
  }

  get readerCount(): number {
    let count = 0;
    for (const participant of this.#room.remoteParticipants.values()) if (canRead(participant)) count += 1;
    return count;
  }

  /** Once, at once after `connect`. */
  listen(listener: RtcRoomListener): void {
    this.#listener = listener;
    this.#room
      .on(RoomEvent.ParticipantConnected, (participant) => listener.participantJoined(participant))
      .on(RoomEvent.ParticipantDisconnected, (participant) => {
        listener.participantLeft(participant);
        queueMicrotask(() => disposeParticipant(participant));
      })
      .on(RoomEvent.ParticipantNameChanged, (_name, participant) => {
        const remote = this.#room.remoteParticipants.get(participant.identity);
        if (remote !== undefined) listener.participantRenamed(remote);
      })
      .on(RoomEvent.TrackPublished, (publication, participant) =>
        listener.trackPublished(publication, participant),
      )
      .on(RoomEvent.TrackUnpublished, (publication, participant) =>
        listener.trackUnpublished(publication, participant),
      )
      .on(RoomEvent.TrackSubscribed, (track, publication, participant) =>
        listener.trackSubscribed(track, publication, participant),
      )
      .on(RoomEvent.TrackUnsubscribed, (track, publication, participant) => {
        listener.trackUnsubscribed(publication, participant);
        queueMicrotask(() => disposeTrack(track));
      })
      .on(RoomEvent.TrackMuted, (publication, participant) =>
        listener.trackMuted(publication.sid ?? '', participant.identity),
      )
      .on(RoomEvent.TrackUnmuted, (publication, participant) =>
        listener.trackUnmuted(publication.sid ?? '', participant.identity),
      )
      .on(RoomEvent.DataReceived, (...[bytes, participant, , topic]) =>
        listener.dataReceived(topic ?? '', bytes, participant),
      )
      .on(RoomEvent.RoomMetadataChanged, (metadata) => listener.roomMetadataChanged(metadata))
      .on(RoomEvent.Reconnecting, () => {
        this.#isReconnecting = true;
        listener.reconnecting();
      })
      .on(RoomEvent.Reconnected, () => {
        this.#isReconnecting = false;
        listener.reconnected();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        this.#forget();
        if (this.#closing === undefined) listener.disconnected(reason);
      });
  }

  async sendData({ topic, bytes, to }: DataPacket): Promise<void> {
    await this.#send((local) =>
      local.publishData(bytes, {
        reliable: true,
        topic,
        ...(to === undefined ? {} : { destination_identities: [...to] }),
      }),
    );
  }

  async sendTextStream({ topic, text, speaker, attributes, to }: TextStream): Promise<void> {
    await this.#send(async (local) => {
      const writer = await local.streamText({
        topic,
        attributes: { ...attributes },
        senderIdentity: speaker,
        ...(to === undefined ? {} : { destinationIdentities: [...to] }),
      });
      await writer.write(text);
      await writer.close();
    });
  }

  async sendTranscription(packet: TranscriptionPacket): Promise<void> {
    await this.#send((local) =>
      local.publishTranscription({
        participantIdentity: packet.speaker,
        trackSid: packet.trackSid,
        segments: [
          {
            id: packet.segmentId,
            text: packet.text,
            startTime: BigInt(packet.startMs),
            endTime: BigInt(packet.endMs),
            final: packet.isFinal,
            language: packet.language,
          },
        ],
      }),
    );
  }

  /** Leaves the room. Idempotent; resolves when the server has been told, or could not be. */
  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, DISCONNECT_DEADLINE_MS)));
    // A connection that is just being lost has nobody to tell.
    await Promise.race([this.#room.disconnect().catch(() => undefined), deadline]);
    clearTimeout(timer);
    this.#forget();
    this.#room.removeAllListeners();
  }

  /** Lets go of everything native that the SDK leaves to the garbage collector (livekit/node-sdks#514, #709). */
  #forget(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    // Those who are called after this one in the same event still find the room as it was.
    queueMicrotask(() => {
      this.#stopListening();
      for (const participant of this.participants) disposeParticipant(participant);
      if (this.#room.localParticipant !== undefined) disposeParticipant(this.#room.localParticipant);
      disposeRoom(this.#room);
    });
  }

  async #send(action: (local: NonNullable<Room['localParticipant']>) => Promise<void>): Promise<void> {
    const local = this.#room.localParticipant;
    if (!this.isConnected || local === undefined) throw disconnected();
    try {
      await action(local);
    } catch (error) {
      throw new CaptionError(
        'livekit_disconnected',
        `LiveKit did not take a message: ${errorMessage(error)}`,
        {
          retryable: true,
          cause: error,
        },
      );
    }
  }
}

/** Never rejects: whoever needs it and finds it empty asks LiveKit's API. */
async function sidOf(room: Room): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<string>((resolve) => (timer = setTimeout(() => resolve(''), SID_DEADLINE_MS)));
  const sid = await Promise.race([room.getSid().catch(() => ''), deadline]);
  clearTimeout(timer);
  return sid;
}

export const isEncryptedTrack = ({ encryptionType }: RemoteTrackPublication): boolean =>
  encryptionType !== undefined && encryptionType !== EncryptionType.NONE;

const publishesEncrypted = (participant: RemoteParticipant): boolean =>
  [...participant.trackPublications.values()].some(isEncryptedTrack);

/** Identity as the protocol's type. */
export const identityOf = (participant: RemoteParticipant): ParticipantIdentity =>
  participant.identity as ParticipantIdentity;

const disconnected = (): CaptionError =>
  new CaptionError('livekit_disconnected', 'The connection to the LiveKit room is gone.', {
    retryable: true,
  });

async function withinDeadline(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${CONNECT_DEADLINE_MS / 1000} s`)),
      CONNECT_DEADLINE_MS,
    );
    giveUp = () => reject(new Error('given up'));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
  }
}
