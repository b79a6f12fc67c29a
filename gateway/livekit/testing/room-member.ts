/** A participant of a room for tests that need one without a role: rtc-node's own room, with a token for whatever is wanted. */
import { AudioStream, type RemoteTrack, Room, RoomEvent, TrackKind } from '@livekit/rtc-node';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { prepareSdk } from '../prepare-sdk.js';
import type { TestLiveKit } from './livekit-server.js';

export interface MemberOptions {
  readonly room: string;
  readonly identity: string;
  /** Joins as LiveKit's agents do: hidden, of kind agent. */
  readonly isAgent?: boolean;
  /** More of its rights, or less. */
  readonly grant?: VideoGrant;
  readonly e2eeKey?: string;
  readonly autoSubscribe?: boolean;
}

/** Joins; `room.disconnect()` when done. `prepare` sees the room before anything happens in it. */
export async function joinAsMember(
  server: TestLiveKit,
  options: MemberOptions,
  prepare: (room: Room) => void = () => undefined,
): Promise<Room> {
  const { room: name, identity, isAgent = false, e2eeKey } = options;
  const token = new AccessToken(server.apiKey, server.apiSecret, { identity, name: identity });
  const agent: VideoGrant = { agent: true, hidden: true };
  token.addGrant({
    roomJoin: true,
    room: name,
    canPublishData: true,
    ...(isAgent ? agent : {}),
    ...options.grant,
  });
  if (isAgent) token.kind = 'agent';
  prepareSdk();
  const room = new Room();
  prepare(room);
  await room.connect(server.url, await token.toJwt(), {
    autoSubscribe: options.autoSubscribe ?? true,
    dynacast: false,
    ...(e2eeKey === undefined
      ? {}
      : { encryption: { keyProviderOptions: { sharedKey: new TextEncoder().encode(e2eeKey) } } }),
  });
  return room;
}

const WINDOWS_PER_SECOND = 10;

/** Loudness of what a room hears, by identity: mean absolute samples of 100 ms each. */
export class Listener {
  readonly #loudness = new Map<string, number[]>();

  constructor(room: Room) {
    room.on(RoomEvent.TrackSubscribed, (track, _publication, { identity }) => {
      if (track.kind === TrackKind.KIND_AUDIO) void this.#listen(track, identity);
    });
  }

  /** Of the last 100 ms. */
  loudnessOf(identity: string): number | undefined {
    return this.#loudness.get(identity)?.at(-1);
  }

  /** The loudest 100 ms of the last second; undefined before a whole second has been heard. */
  loudestOfLastSecond(identity: string): number | undefined {
    const windows = this.#loudness.get(identity) ?? [];
    return windows.length < WINDOWS_PER_SECOND ? undefined : Math.max(...windows);
  }

  async #listen(track: RemoteTrack, identity: string): Promise<void> {
    const windows: number[] = [];
    this.#loudness.set(identity, windows);
    const stream = new AudioStream(track, { sampleRate: 16_000, numChannels: 1, frameSizeMs: 100 });
    for await (const frame of stream) {
      const sum = frame.data.reduce((total, sample) => total + Math.abs(sample), 0);
      windows.push(sum / frame.data.length);
      if (windows.length > WINDOWS_PER_SECOND) windows.shift();
    }
    this.#loudness.delete(identity);
  }
}
