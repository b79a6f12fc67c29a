import { DisconnectReason, type RemoteParticipant, TrackSource } from '@livekit/rtc-node';
import type { RoomName } from '../../../protocol/index.js';
import type { LiveKitRights, RoomAccess } from '../../server/access/room-access.js';
import { identityOf } from './rtc-room.js';

/** Tells the gateway what LiveKit's server takes away from people in one room, and gives back: what the bot sees of it. */
export class RoomRights {
  readonly #room: RoomName;
  readonly #access: RoomAccess;

  constructor(room: RoomName, access: RoomAccess) {
    this.#room = room;
    this.#access = access;
  }

  /** Somebody is in the room, has just come, or may do something else than before. */
  present(participant: RemoteParticipant): void {
    this.#access.admitted(this.#room, identityOf(participant), rightsOf(participant));
  }

  left(participant: RemoteParticipant): void {
    switch (participant.disconnectReason) {
      case DisconnectReason.PARTICIPANT_REMOVED:
        this.#access.removed(this.#room, identityOf(participant));
        return;
      case DisconnectReason.ROOM_DELETED:
        this.#access.roomDeleted(this.#room);
        return;
      default:
    }
  }

  /** The bot itself. That it was removed says nothing about the others. */
  disconnected(reason: DisconnectReason): void {
    if (reason === DisconnectReason.ROOM_DELETED) this.#access.roomDeleted(this.#room);
  }
}

/** An empty list of sources is all of them. */
function rightsOf({ info: { permission } }: RemoteParticipant): LiveKitRights {
  const { canSubscribe, canPublish, canPublishSources = [] } = permission ?? {};
  return {
    maySubscribe: canSubscribe !== false,
    maySpeak:
      canPublish !== false &&
      (canPublishSources.length === 0 || canPublishSources.includes(TrackSource.SOURCE_MICROPHONE)),
  };
}
