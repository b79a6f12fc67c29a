/** The page's place in a LiveKit room: joins as a viewer and tells what arrives on all three roads of captions. */
import type * as LiveKit from 'livekit-client';
import { CAPTIONS_TOPIC, type CaptionState, roomName } from '../../../../protocol/index.js';
import type { LinkState } from '../../sources/caption-source.js';
import { CaptionTopic } from './caption-topic.js';
import { type LiveKitSdk, loadLiveKitSdk } from './livekit-sdk.js';
import { RoomSound } from './room-sound.js';
import { endText, failureText } from './room-wording.js';

const TRANSCRIPTION_TOPIC = 'lk.transcription';

export interface Person {
  readonly identity: string;
  readonly name: string;
  readonly isTalking: boolean;
  /** Undefined for whoever has no microphone. */
  readonly isMuted: boolean | undefined;
}

/** A text on one of LiveKit's own roads. */
export interface RoadText {
  /** A later text of the same segment takes the place of this one. */
  readonly segment: string;
  readonly identity: string;
  readonly name: string;
  readonly text: string;
  readonly isFinal: boolean;
}

export interface RoomLinkOptions {
  /** Of the LiveKit server: ws, wss, http or https. */
  readonly url: string;
  readonly token: string;
  readonly linkChanged: (link: LinkState) => void;
  readonly joined: (room: string) => void;
  readonly captionsChanged: (state: CaptionState) => void;
  readonly peopleChanged: (people: readonly Person[]) => void;
  readonly textStreamed: (text: RoadText) => void;
  readonly transcribed: (text: RoadText) => void;
}

export interface RoomLink {
  readonly sound: RoomSound;
}

/** Undefined when the room could not be joined; `linkChanged` was told why. */
export async function joinRoom(options: RoomLinkOptions): Promise<RoomLink | undefined> {
  options.linkChanged({ kind: 'connecting' });
  let isForbiddenHere = false;
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
    if (effectiveDirective === 'connect-src') isForbiddenHere = true;
  });
  let sdk: LiveKitSdk;
  try {
    sdk = await loadLiveKitSdk();
  } catch {
    options.linkChanged({
      kind: 'refused',
      cause: 'told',
      reason: 'a part of this page could not be loaded. Load it again.',
    });
    return undefined;
  }
  // The page tells what matters; tokens must not get into the console.
  sdk.setLogLevel(sdk.LogLevel.silent);
  const room = new sdk.Room();
  const sound = new RoomSound(sdk, room);
  listen(sdk, room, options);
  try {
    await room.connect(options.url, options.token, { autoSubscribe: false });
  } catch (error) {
    const reason = failureText(sdk, { error, url: options.url, isForbiddenHere });
    options.linkChanged({ kind: 'refused', cause: 'told', reason });
    return undefined;
  }
  return { sound };
}

function listen(sdk: LiveKitSdk, room: LiveKit.Room, options: RoomLinkOptions): void {
  const { RoomEvent } = sdk;
  let topic: CaptionTopic | undefined;
  const nameOf = (identity: string): string => {
    const name = room.getParticipantByIdentity(identity)?.name ?? '';
    return name === '' ? identity : name;
  };
  const people = (): void => options.peopleChanged(peopleIn(room));
  room.on(RoomEvent.Connected, () => {
    options.joined(room.name);
    options.linkChanged({ kind: 'connected' });
    topic = new CaptionTopic({
      room: roomName(room.name),
      changed: options.captionsChanged,
      ask: (bytes) => {
        // Without a connection it is asked again.
        room.localParticipant
          .publishData(bytes, { reliable: true, topic: CAPTIONS_TOPIC })
          .catch(() => undefined);
      },
    });
    topic.ask();
    people();
  });
  room.on(RoomEvent.DataReceived, (...[bytes, sender, , name]) => {
    // Captioners are hidden or agents: what other people send in their place is none of theirs.
    if (name === CAPTIONS_TOPIC && (sender === undefined || sender.isAgent)) topic?.receive(bytes);
  });
  room.on(RoomEvent.SignalReconnecting, () => options.linkChanged({ kind: 'lost' }));
  room.on(RoomEvent.Reconnecting, () => options.linkChanged({ kind: 'lost' }));
  room.on(RoomEvent.Reconnected, () => {
    options.linkChanged({ kind: 'connected' });
    topic?.ask();
    people();
  });
  room.on(RoomEvent.Disconnected, (reason) => {
    // Before it was joined, `connect` tells more.
    if (topic === undefined) return;
    topic.close();
    options.peopleChanged([]);
    options.linkChanged({ kind: 'refused', cause: 'told', reason: endText(sdk, reason) });
  });
  for (const event of [
    RoomEvent.ParticipantConnected,
    RoomEvent.ParticipantDisconnected,
    RoomEvent.ParticipantNameChanged,
    RoomEvent.ActiveSpeakersChanged,
    RoomEvent.TrackPublished,
    RoomEvent.TrackUnpublished,
    RoomEvent.TrackMuted,
    RoomEvent.TrackUnmuted,
  ] as const)
    room.on(event, people);
  room.registerTextStreamHandler(TRANSCRIPTION_TOPIC, (reader, { identity }) => {
    const attributes = reader.info.attributes ?? {};
    const tell = (text: string): void =>
      options.textStreamed({
        segment: attributes['lk.segment_id'] ?? reader.info.id,
        identity,
        name: nameOf(identity),
        text,
        isFinal: attributes['lk.transcription_final'] === 'true',
      });
    // One that breaks off was never a caption.
    reader.readAll().then(tell, () => undefined);
  });
  room.on(RoomEvent.TranscriptionReceived, (segments, participant) => {
    const identity = participant?.identity ?? '';
    for (const { id, text, final } of segments)
      options.transcribed({ segment: id, identity, name: nameOf(identity), text, isFinal: final });
  });
}

/** The others first; this page last. */
function peopleIn(room: LiveKit.Room): Person[] {
  const others = [...room.remoteParticipants.values()].filter(({ isAgent }) => !isAgent);
  const personOf = (participant: LiveKit.Participant): Person => {
    const microphone = [...participant.audioTrackPublications.values()][0];
    return {
      identity: participant.identity,
      name:
        participant.name === undefined || participant.name === '' ? participant.identity : participant.name,
      isTalking: participant.isSpeaking,
      isMuted: microphone?.isMuted,
    };
  };
  return [...others.map(personOf), { ...personOf(room.localParticipant), name: 'You, watching' }];
}
