/** A participant with whatever token its caller made: for benches that try what participants must not be able to do. */
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { SAMPLE_RATE_HZ } from '../../../protocol/index.js';
import { connectError } from '../bot/connect-error.js';
import { directConnection } from '../ice-servers.js';
import { prepareSdk } from '../prepare-sdk.js';
import { forgetRoom } from '../sdk-internals.js';

const SOURCE_QUEUE_MS = 1000;

export interface UnboundParticipant {
  sendData(topic: string, bytes: Uint8Array): Promise<void>;
  /** As a text stream, part by part; resolves when all of it was handed over. */
  streamText(topic: string, parts: Iterable<string>): Promise<void>;
  /** One more microphone. Resolves with what says PCM16 at 16 kHz through it; the caller paces it. */
  publishMicrophone(): Promise<(pcm: Int16Array) => Promise<void>>;
  /** Idempotent. */
  leave(): Promise<void>;
}

export interface UnboundOptions {
  readonly url: string;
  readonly token: string;
  readonly dataReceived?: (topic: string, bytes: Uint8Array) => void;
  readonly textReceived?: (topic: string, text: string) => void;
  /** Text streams are read of these topics. */
  readonly textTopics?: readonly string[];
}

/** Whoever calls it calls `leave`. Throws what `connectError` makes. */
export async function joinUnbound(options: UnboundOptions): Promise<UnboundParticipant> {
  prepareSdk();
  const room = new Room();
  room.on(RoomEvent.DataReceived, (...[bytes, , , topic]) => options.dataReceived?.(topic ?? '', bytes));
  for (const topic of options.textTopics ?? []) {
    room.registerTextStreamHandler(topic, (reader) => {
      reader.readAll().then(
        (text) => options.textReceived?.(topic, text),
        // One that breaks off says nothing.
        () => undefined,
      );
    });
  }
  try {
    await room.connect(options.url, options.token, {
      autoSubscribe: false,
      dynacast: false,
      rtcConfig: directConnection(),
    });
  } catch (error) {
    throw connectError(options.url, error);
  }
  const sources: AudioSource[] = [];
  let leaving: Promise<void> | undefined;
  return {
    async sendData(topic, bytes) {
      await room.localParticipant?.publishData(bytes, { reliable: true, topic });
    },
    async streamText(topic, parts) {
      const writer = await room.localParticipant?.streamText({ topic });
      for (const part of parts) await writer?.write(part);
      await writer?.close();
    },
    async publishMicrophone() {
      const source = new AudioSource(SAMPLE_RATE_HZ, 1, SOURCE_QUEUE_MS);
      sources.push(source);
      const publishing = new TrackPublishOptions();
      publishing.source = TrackSource.SOURCE_MICROPHONE;
      await room.localParticipant?.publishTrack(
        LocalAudioTrack.createAudioTrack(`microphone-${sources.length}`, source),
        publishing,
      );
      return (pcm) => source.captureFrame(new AudioFrame(pcm, SAMPLE_RATE_HZ, 1, pcm.length));
    },
    leave() {
      leaving ??= (async () => {
        await room.disconnect();
        forgetRoom(room);
        for (const source of sources) await source.close();
      })();
      return leaving;
    },
  };
}
