/** The page's place in a LiveKit room: joins as a viewer and tells what arrives on all three roads of captions. */
import type * as LiveKit from 'livekit-client';
import { shownName } from '../../../../protocol/index.js';
import { RoomKeyRing } from '../../sources/room-key-ring.js';
import { TextStreamRoad } from '../../sources/text-stream-road.js';
import { type LiveKitSdk, loadLiveKitSdk } from './livekit-sdk.js';
import type { RoomSource } from './room-source.js';
import { RoomSound } from './room-sound.js';
import { endText, failureText } from './room-problems.js';
import type { RoomWording } from './room-wording.js';

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
  readonly wording: () => RoomWording;
  /** Is told of captions, and why there are none. */
  readonly captions: RoomSource;
  readonly joined: (room: string) => void;
  readonly peopleChanged: (people: readonly Person[]) => void;
  readonly textStreamed: (text: RoadText) => void;
  readonly transcribed: (text: RoadText) => void;
}

export interface RoomLink {
  readonly sound: RoomSound;
}

/** Undefined when the room could not be joined; `captions` was told why. */
export async function joinRoom(options: RoomLinkOptions): Promise<RoomLink | undefined> {
  let isForbiddenHere = false;
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
    if (effectiveDirective === 'connect-src') isForbiddenHere = true;
  });
  let sdk: LiveKitSdk;
  try {
    sdk = await loadLiveKitSdk();
  } catch {
    options.captions.refuse(options.wording().notLoaded);
    return undefined;
  }
  // The page tells what matters; tokens must not get into the console.
  sdk.setLogLevel(sdk.LogLevel.silent);
  const room = new sdk.Room();
  const sound = new RoomSound(sdk, room);
  options.captions.read(room);
  listen(sdk, room, options);
  try {
    await room.connect(options.url, options.token, { autoSubscribe: false });
  } catch (error) {
    const failure = { error, url: options.url, isForbiddenHere };
    options.captions.refuse(failureText(sdk, failure, options.wording()));
    return undefined;
  }
  return { sound };
}

function listen(sdk: LiveKitSdk, room: LiveKit.Room, options: RoomLinkOptions): void {
  const { RoomEvent } = sdk;
  let hasJoined = false;
  const nameOf = (identity: string): string =>
    shownName(room.getParticipantByIdentity(identity)?.name ?? '', identity);
  const people = (): void => options.peopleChanged(peopleIn(room, options.wording().self));
  room.on(RoomEvent.Connected, () => {
    options.joined(room.name);
    hasJoined = true;
    people();
  });
  room.on(RoomEvent.Reconnected, people);
  room.on(RoomEvent.Disconnected, (reason) => {
    // Before it was joined, `connect` tells more.
    if (!hasJoined) return;
    options.peopleChanged([]);
    options.captions.refuse(endText(sdk, reason, options.wording()));
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
  listenToTextStreams(sdk, room, ({ segment, identity, text, isFinal }) =>
    options.textStreamed({ segment, identity, name: nameOf(identity), text, isFinal }),
  );
  room.on(RoomEvent.TranscriptionReceived, (segments, participant) => {
    const identity = participant?.identity ?? '';
    for (const { id, text, final } of segments)
      options.transcribed({ segment: id, identity, name: nameOf(identity), text, isFinal: final });
  });
}

/** Of those whose room has a key, the ones that are signed with it: anybody can send streams. Each speaker has segments of their own. */
function listenToTextStreams(
  { RoomEvent }: LiveKitSdk,
  room: LiveKit.Room,
  tell: (text: Omit<RoadText, 'name'>) => void,
): void {
  const keys = new RoomKeyRing(room, undefined, () => undefined);
  const streams = new TextStreamRoad({
    room,
    keys: () => keys.keys,
    tell: ({ segment, identity, ...text }) =>
      tell({ segment: JSON.stringify([identity, segment]), identity, ...text }),
  });
  streams.start();
  for (const event of [RoomEvent.Connected, RoomEvent.Reconnected, RoomEvent.RoomMetadataChanged] as const)
    room.on(event, () => keys.refresh());
}

/** The others first; this page last. */
function peopleIn(room: LiveKit.Room, self: string): Person[] {
  const others = [...room.remoteParticipants.values()].filter(({ isAgent }) => !isAgent);
  const personOf = (participant: LiveKit.Participant): Person => {
    const microphone = [...participant.audioTrackPublications.values()][0];
    return {
      identity: participant.identity,
      name: shownName(participant.name ?? '', participant.identity),
      isTalking: participant.isSpeaking,
      isMuted: microphone?.isMuted,
    };
  };
  return [...others.map(personOf), { ...personOf(room.localParticipant), name: self }];
}
