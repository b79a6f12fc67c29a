import type * as LiveKit from 'livekit-client';
import type { LiveKitSdk } from './livekit-sdk.js';

/** The voices of a room, heard from `start` to `stop`; nothing is subscribed to before. */
export class RoomSound {
  readonly #sdk: LiveKitSdk;
  readonly #room: LiveKit.Room;
  #isOn = false;

  constructor(sdk: LiveKitSdk, room: LiveKit.Room) {
    this.#sdk = sdk;
    this.#room = room;
    const { RoomEvent } = sdk;
    room.on(RoomEvent.TrackPublished, (publication) => this.#apply(publication));
    room.on(RoomEvent.TrackSubscribed, (track) => {
      // Without an element of the page's: it needs no place to be heard.
      if (this.#isOn && track.kind === sdk.Track.Kind.Audio) track.attach();
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach());
  }

  /** In answer to a click: browsers play nothing before. Rejects where the browser refuses. */
  async start(): Promise<void> {
    this.#isOn = true;
    this.#applyToAll();
    await this.#room.startAudio();
  }

  stop(): void {
    this.#isOn = false;
    this.#applyToAll();
  }

  #applyToAll(): void {
    for (const participant of this.#room.remoteParticipants.values())
      for (const publication of participant.audioTrackPublications.values()) {
        if (publication instanceof this.#sdk.RemoteTrackPublication) this.#apply(publication);
      }
  }

  #apply(publication: LiveKit.RemoteTrackPublication): void {
    if (publication.kind === this.#sdk.Track.Kind.Audio) publication.setSubscribed(this.#isOn);
  }
}
